# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: what freshclam says, read for the *why* of a result. Results themselves come from evidence (R1).

The sentences are those of freshclam 1.4 in the C locale with ``--verbose``; each was seen from the real program.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum


class Cause(IntEnum):
    """Why freshclam did not get its way; where there are several, the lowest is the one worth telling."""

    LOCAL = 1
    REFUSED = 2
    SECURITY = 3
    STATUS = 4
    ABSENT = 5
    NONSENSE = 6
    BROKEN_OFF = 7
    UNREACHABLE = 8
    OTHER = 9


@dataclass(frozen=True)
class Trouble:
    """One cause with a sentence fit for the status."""

    cause: Cause
    why: str


@dataclass(frozen=True)
class Said:
    """What one run said: versions that the source offers, patches it lacks, its troubles, whether clamd was told."""

    offered: dict[str, int]
    patch_missing: dict[str, str]
    troubles: tuple[Trouble, ...]
    clamd_deaf: bool

    @property
    def worst(self) -> Trouble | None:
        return min(self.troubles, key=lambda trouble: trouble.cause, default=None)


_OFFERED = re.compile(
    r"^(\S+) database version obtained using HTTP GET: (\d+)|^(\S+) version from DNS: (\d+)", re.MULTILINE
)
_AVAILABLE = re.compile(r"^(\S+) database available for (?:update|download) \(.*remote version: (\d+)\)", re.MULTILINE)
_PATCH_MISSING = re.compile(r"doesn't have the latest patch for the (\S+) database \(version (\d+)\)")
_CLAMD_DEAF = re.compile(r"Clamd was NOT notified|NotifyClamd: Can't find or parse")

_TROUBLES: tuple[tuple[re.Pattern[str], Cause, str], ...] = tuple(
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
        (r"Download failed \((?:35|51|58|60|77|83|90|91)\).*Message: (.*)", Cause.SECURITY, "TLS: {0}"),
        (r"Unexpected response \((\d+)\) from (\S+)", Cause.STATUS, "{1} answered {0}"),
        (r"file not found: (\S+)", Cause.ABSENT, "the source lacks {0} (404)"),
        (r"Malformed CVD header", Cause.NONSENSE, "the source's answer is no ClamAV database"),
        (r"remote_cvdhead: Download failed \((?:5|6|7|28)\).*Message: (.*)", Cause.UNREACHABLE, "{0}"),
        (r"Download failed \((?:5|6|7)\).*Message: (.*)", Cause.UNREACHABLE, "{0}"),
        (r"Download failed \(\d+\).*Message: (.*)", Cause.BROKEN_OFF, "the download broke off: {0}"),
        (r"^ERROR: (?!Update failed|Database update process failed|NotifyClamd)(.*)", Cause.OTHER, "{0}"),
    )
)


def understand(output: str) -> Said:
    """Read the output of one run."""
    offered = {first or third: int(second or fourth) for first, second, third, fourth in _OFFERED.findall(output)}
    offered.update({name: int(version) for name, version in _AVAILABLE.findall(output)})
    troubles = (_trouble(line) for line in output.splitlines())
    return Said(
        offered=offered,
        patch_missing=dict(_PATCH_MISSING.findall(output)),
        troubles=tuple(dict.fromkeys(trouble for trouble in troubles if trouble is not None)),
        clamd_deaf=bool(_CLAMD_DEAF.search(output)),
    )


def _trouble(line: str) -> Trouble | None:
    """The first row of the table that fits a line."""
    for pattern, cause, why in _TROUBLES:
        match = pattern.search(line)
        if match:
            return Trouble(cause, why.format(*(group.strip() for group in match.groups())))
    return None
