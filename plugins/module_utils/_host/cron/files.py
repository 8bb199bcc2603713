# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a host's cron tables, periodic scripts, jobs of at(1) and init scripts lie."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..._core.system_files.cron_tables import Layout
from ..host import Host

_TABLES = (("/etc/crontab", Layout.SYSTEM), ("/etc/anacrontab", Layout.ANACRON))
SHARED = tuple(path for path, _layout in _TABLES)
"""Those that a package brings, and that administrators add to."""
_TABLE_DIRECTORIES = (
    ("/etc/cron.d", Layout.SYSTEM),
    ("/var/spool/cron/crontabs", Layout.USER),
    ("/var/spool/cron", Layout.USER),
    ("/etc/crontabs", Layout.USER),
)
_SCRIPT_DIRECTORIES = tuple(
    [f"/etc/cron.{when}" for when in ("hourly", "daily", "weekly", "monthly")]
    + [f"/etc/periodic/{when}" for when in ("15min", "hourly", "daily", "weekly", "monthly")]
)
_JOB_DIRECTORIES = ("/var/spool/cron/atjobs", "/var/spool/at", "/var/spool/atjobs")
_JOB = re.compile(r"[a-zA-Z][0-9a-f]{13}")
"""A queue, a number and a time; one that begins with = runs already."""
JOB_TEXT = re.compile(r"<< '(marcinDELIMITER[0-9a-f]+)'\n(.*?)\n\1(?:\n|$)", re.DOTALL)
"""How at(1) keeps what was given to it (group 2); older ones write it behind the environment as it is."""
_INIT_SCRIPTS = "/etc/init.d"
_START_DIRECTORIES = tuple(f"/etc/rc{level}.d" for level in "S2345")
_RUN_LEVELS = "/etc/runlevels"
_IDLE_ENDINGS = ("~", ".bak", ".disabled", ".orig", ".save")
_IDLE_PARTS = (".dpkg-", ".rpm", ".ucf-")
_MOST = 2000


def tables(host: Host) -> Iterator[tuple[str, Layout]]:
    """The tables of cron, those of users among them, each with its layout. Not all of them need exist."""
    yield from _TABLES
    for directory, layout in _TABLE_DIRECTORIES:
        if host.target(directory) is None:
            yield from ((f"{directory}/{name}", layout) for name in _used(host, directory))


def periodic_scripts(host: Host) -> Iterator[str]:
    """What is run every hour, day, week or month, as far as its name is none that is passed over."""
    for directory in _SCRIPT_DIRECTORIES:
        yield from (f"{directory}/{name}" for name in _used(host, directory))


def at_jobs(host: Host) -> Iterator[str]:
    """The jobs of at(1) that are to run."""
    for directory in _JOB_DIRECTORIES:
        yield from (f"{directory}/{name}" for name in host.names(directory)[:_MOST] if _JOB.fullmatch(name))


def init_scripts(host: Host) -> Iterator[tuple[str, str]]:
    """The name and the path of each init script."""
    yield from ((name, f"{_INIT_SCRIPTS}/{name}") for name in _used(host, _INIT_SCRIPTS))


def start_links(host: Host, script: str) -> Iterator[str]:
    """The links by which an init script is run at boot."""
    for directory in _START_DIRECTORIES:
        for name in host.names(directory):
            if name[:1] == "S" and name[1:3].isdigit() and name[3:] == script:
                yield f"{directory}/{name}"
    for level in host.names(_RUN_LEVELS):
        if script in host.names(f"{_RUN_LEVELS}/{level}"):
            yield f"{_RUN_LEVELS}/{level}/{script}"


def _used(host: Host, directory: str) -> tuple[str, ...]:
    return tuple(name for name in host.names(directory)[:_MOST] if not _idle(name))


def _idle(name: str) -> bool:
    """Whether a name is passed over by whoever runs what lies there, or can't be told."""
    odd = not name.isascii() or not name.isprintable() or name.startswith(".")
    return odd or name.endswith(_IDLE_ENDINGS) or any(part in name for part in _IDLE_PARTS)
