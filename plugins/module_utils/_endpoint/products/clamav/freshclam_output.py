# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The output of freshclam, parsed for the reason of a result. Results themselves come from evidence (R1).

The sentences are those of freshclam 1.4 in the C locale with ``--verbose``, each seen from the real program but one:
the version that the vendor's DNS tells, which no test can ask for.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from enum import IntEnum

from ...._core.masking import without_secrets
from ...._core.values import frozen
from ...source_client import PROXY_REFUSES


class Cause(IntEnum):
    """Why freshclam failed; of several causes, the lowest is reported."""

    LOCAL = 1
    REFUSED = 2
    SECURITY = 3
    PROXY = 4
    STATUS = 5
    ABSENT = 6
    INVALID_RESPONSE = 7
    UNREACHABLE_BY_PROXY = 8
    BROKEN_OFF = 9
    UNREACHABLE = 10
    NO_PATCH = 11
    OTHER = 12


@frozen
class FreshclamError:
    """One cause with a sentence fit for the status."""

    cause: Cause
    why: str


@frozen
class FreshclamOutput:
    """What the output of one run says.

    ``offered`` are the versions that the source holds by database, ``patch_missing`` those that it has no patch for;
    ``answered`` tells whether a source answered with a database's version at all. ``cooling_until`` (Unix seconds) is
    for machines where the layout of freshclam's own memory is another than the one we know. ``busy`` is the number of
    seconds after which a server that is at its cap (503) wants to be asked again; None where none is. ``refused_by`` is
    the source whose answer (429 or 403) began a cool-down in this very run.
    """

    offered: dict[str, int]
    patch_missing: dict[str, str]
    errors: tuple[FreshclamError, ...]
    clamd_not_notified: bool
    answered: bool
    cooling_until: int | None
    busy: int | None = None
    refused_by: str = ""

    @property
    def worst(self) -> FreshclamError | None:
        return min(self.errors, key=lambda error: error.cause, default=None)


_OFFERED = re.compile(
    r"^(\S+) database version obtained using HTTP GET: (\d+)|^(\S+) version from DNS: (\d+)", re.MULTILINE
)
_AVAILABLE = re.compile(r"^(\S+) database available for (?:update|download) \(.*remote version: (\d+)\)", re.MULTILINE)
_PATCH_MISSING = re.compile(r"doesn't have the latest patch for the (\S+) database \(version (\d+)\)")
_ANSWERED = re.compile(r"(?:database|^\S+) is up-to-date \(version|^\S+ updated \(version", re.MULTILINE)
_SERVER = re.compile(r"^Trying to retrieve CVD header from (\S+)|^downloadFile: Download source: +(\S+)")
_COOLING = re.compile(r"You are (?:still )?on cool-down until after: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
_BUSY = re.compile(
    r"^< HTTP/\S+ 503\b.*\n(?:< (?!Retry-After).*\n)*< Retry-After: (\d{1,5})\s*$", re.MULTILINE | re.IGNORECASE
)
_CLAMD_NOT_NOTIFIED = re.compile(r"Clamd was NOT notified|NotifyClamd: Can't find or parse")

_BY_PROXY = r"^\* (?:CONNECT tunnel failed, response|Received HTTP code) "
"""curl's words for what a proxy answered instead of opening a tunnel."""

_ERRORS: tuple[tuple[re.Pattern[str], Cause, str], ...] = tuple(
    (re.compile(pattern), cause, why)
    for pattern, cause, why in (
        (r"No space left on device", Cause.LOCAL, "no space left on device"),
        (r"Read-only file system", Cause.LOCAL, "read-only file system"),
        (r"cli_untgz: Wrote \d+ instead of", Cause.LOCAL, "the database directory's file system takes no more data"),
        (r"^ERROR: Can't (?:create|write to) (freshclam\.dat)", Cause.LOCAL, "{0} can't be written"),
        (r"Can't create temporary directory (\S+)", Cause.LOCAL, "{0} can't be created"),
        (r"Can't unpack (\S+) into", Cause.LOCAL, "{0} can't be unpacked"),
        (r"Failed to switch to (\S+) user", Cause.LOCAL, "freshclam may not become the user {0}"),
        (r"Can't get information about user (\S+?)\.?$", Cause.LOCAL, "the user {0} does not exist"),
        (r"Database test FAILED", Cause.REFUSED, "the new database failed freshclam's load test; the old one is kept"),
        (r"Can't verify database integrity", Cause.REFUSED, "the new database is damaged; the old one is kept"),
        (r"Download failed \((?:35|51|58|60|77|83|90|91)\).*Message: (.*)", Cause.SECURITY, "{server}: TLS: {0}"),
        (_BY_PROXY + "407", Cause.PROXY, PROXY_REFUSES),
        (_BY_PROXY + r"(4\d\d)", Cause.PROXY, "{server}: the proxy does not let the request pass ({0})"),
        (_BY_PROXY + r"(\d\d\d)", Cause.UNREACHABLE_BY_PROXY, "{server}: the proxy does not reach it ({0})"),
        (r'optional database "(\S+)" is not available', Cause.ABSENT, "freshclam knows no database {0}"),
        (r"Unexpected response \((\d+)\) from (\S+)", Cause.STATUS, "{1} answered {0}"),
        (r"file not found: (\S+\.cdiff)", Cause.NO_PATCH, "the source lacks the patch {0} (404)"),
        (r"file not found: (\S+)", Cause.ABSENT, "the source lacks {0} (404)"),
        (r"Malformed CVD header", Cause.INVALID_RESPONSE, "{server}: the answer is no ClamAV database"),
        (r"remote_cvdhead: Download failed \((?:5|6|7|28)\).*Message: (.*)", Cause.UNREACHABLE, "{server}: {0}"),
        (r"Download failed \((?:5|6|7)\).*Message: (.*)", Cause.UNREACHABLE, "{server}: {0}"),
        (r"Download failed \(\d+\).*Message: (.*)", Cause.BROKEN_OFF, "{server}: the download broke off: {0}"),
        (r"^ERROR: (?!Update failed|Database update process failed|NotifyClamd)(.*)", Cause.OTHER, "{0}"),
    )
)


def parse_output(output: str) -> FreshclamOutput:
    """Parse the output of one run."""
    offered = {first or third: int(second or fourth) for first, second, third, fourth in _OFFERED.findall(output)}
    offered.update({name: int(version) for name, version in _AVAILABLE.findall(output)})
    return FreshclamOutput(
        offered=offered,
        patch_missing=dict(_PATCH_MISSING.findall(output)),
        errors=tuple(dict.fromkeys(_errors(output))),
        clamd_not_notified=bool(_CLAMD_NOT_NOTIFIED.search(output)),
        answered=bool(offered or _ANSWERED.search(output)),
        cooling_until=_cooling_until(output),
        busy=_busy(output),
        refused_by=_refused_by(output),
    )


def _busy(output: str) -> int | None:
    """freshclam knows no Retry-After of a 503, but shows it among the answer's headers."""
    answers = _BUSY.findall(output)
    return max((int(seconds) for seconds in answers), default=None)


def _cooling_until(output: str) -> int | None:
    match = _COOLING.search(output)
    return int(time.mktime(time.strptime(match[1], "%Y-%m-%d %H:%M:%S"))) if match else None


def _refused_by(output: str) -> str:
    """Which source was being asked when the cool-down began; empty where it had begun before."""
    server = ""
    for line in output.splitlines():
        asked = _SERVER.match(line)
        if asked:
            server = without_secrets(asked[1] or asked[2])
        elif _COOLING.search(line):
            return server
    return ""


def _errors(output: str) -> Iterator[FreshclamError]:
    """The errors in the lines, each with the server that was being asked."""
    server = "the source"
    for line in output.splitlines():
        asked = _SERVER.match(line)
        if asked:
            server = without_secrets(asked[1] or asked[2])
            continue
        error = _error(line, server)
        if error:
            yield error


def _error(line: str, server: str) -> FreshclamError | None:
    """The first row of the table that fits a line."""
    for pattern, cause, why in _ERRORS:
        match = pattern.search(line)
        if match:
            found = (without_secrets(group.strip()) for group in match.groups())
            return FreshclamError(cause, why.format(*found, server=server))
    return None
