# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host's distribution calls ClamAV's parts, found on the host where the settings leave it open."""

from __future__ import annotations

from ...._core.settings.endpoint import ClamavSettings
from ...._core.values import replace
from ...._host.host import Host

OWNERS = ("clamav", "clamupdate", "vscan")
"""Whose the databases are: Debian, Arch, Alpine; Red Hat; SUSE."""
CLAMD_CONFIGS = ("/etc/clamav/clamd.conf", "/etc/clamd.d/scan.conf", "/etc/clamd.conf")
"""Where clamd is configured, in the same order."""
_ACCOUNTS = "/etc/passwd"


def found_on(host: Host, settings: ClamavSettings) -> ClamavSettings:
    """The settings with nothing left open: what a host does not show is as Debian has it."""
    return replace(
        settings,
        database_owner=settings.database_owner or _owner(host, settings.database_directory),
        clamd_config=settings.clamd_config or next(filter(host.exists, CLAMD_CONFIGS), CLAMD_CONFIGS[0]),
    )


def _owner(host: Host, directory: str) -> str:
    """The user to whom the package gave the directory, else the one of these users that the host has."""
    accounts = _accounts(host)
    state = host.status(directory)
    given = accounts.get(state.st_uid, "") if state is not None and state.st_uid else ""
    return given or next((name for name in OWNERS if name in accounts.values()), OWNERS[0])


def _accounts(host: Host) -> dict[int, str]:
    """The host's own users by their numbers: an image's are not this system's."""
    lines = (host.read(_ACCOUNTS) or b"").decode("utf-8", "replace").splitlines()
    fields = (line.split(":") for line in lines)
    return {int(words[2]): words[0] for words in fields if len(words) > 2 and words[2].isdigit()}
