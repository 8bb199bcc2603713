# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The init scripts that start an updater, for hosts whose init is not systemd (and for those it wraps)."""

from __future__ import annotations

import re
from collections.abc import Collection

from ..._core.resources.resources import Absent, Link, Resource
from ..._core.system_files.unit_files import Kept
from ..._core.system_files.vendor_updaters import Starters
from ..._host.cron.files import init_scripts, start_links
from ..._host.scheduler import own_scheduler
from .base import Found
from .look import Look
from .notes import MADE, linked
from .units import drop_in

_COMMAND = re.compile(r"^command=[\"']?(\S+?)[\"']?[ \t]*$", re.MULTILINE)
"""What a script of OpenRC starts."""


def found_in_init_scripts(look: Look, known: Collection[str]) -> Found:
    """What init scripts would start; those of which systemd has a service of its own (``known``) it never looks at."""
    found, wrapped = Found(), own_scheduler(look.host) == "systemd"
    for name, path in init_scripts(look.host):
        if (wrapped and f"{name}.service" in known) or not _starts(look, path):
            continue
        one = _wrapped(f"{name}.service") if wrapped else _script(look, name)
        if not look.packaged(path):
            one = one.of_administrators((look.words(path),), takeover=look.takeover)
        found = found.with_more(one)
    return found


def _wrapped(name: str) -> Found:
    entry = drop_in(name, Kept(blocked=True))
    return Found((entry,), {entry.path: MADE}, Starters(units=(name,), lasting=(name,)))


def _script(look: Look, name: str) -> Found:
    found = Found(starters=Starters(scripts=(name,), lasting=(name,)))
    for path in start_links(look.host, name):
        found = found.with_more(_not_at_boot(path, look.host.target(path), name))
    return found


def _not_at_boot(path: str, target: str | None, script: str) -> Found:
    """A link that starts becomes one that stops, as update-rc.d(8) does it: one without links is taken for new."""
    if target is None:
        return Found()
    entries: list[Resource] = [Absent(path)]
    notes = {path: linked(target)}
    if path.startswith("/etc/rc"):
        stops = f"{path.rpartition('/')[0]}/K01{script}"
        entries.append(Link(stops, target))
        notes[stops] = MADE
    return Found(tuple(entries), notes)


def _starts(look: Look, path: str) -> bool:
    text = look.shell_script(path)
    if text is None:
        return False
    told = _COMMAND.search(text)
    by_name = told is not None and told[1].rpartition("/")[2] in {program.name for program in look.programs}
    return by_name or look.reading.shell(text).updater
