# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of cron's tables and the periodic scripts that start an updater."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from ..._core.resources.resources import Absent, File
from ..._core.system_files.command_lines import Starts
from ..._core.system_files.cron_tables import DISARMED, OFF, Layout, script_without_updaters, table_without_updaters
from ..._core.system_files.shell_words import Word
from ..._host.cron.files import periodic_scripts, tables
from ..._host.host import Host
from .base import Found
from .look import LIMIT, Look
from .notes import EDITED, linked, was_mode


def found_in_cron(look: Look) -> Found:
    """What cron, anacron and their like would start."""
    found = Found()
    for path, layout in tables(look.host):
        found = found.with_more(_in_table(look, path, layout))
    for path in periodic_scripts(look.host):
        found = found.with_more(_in_script(look, path))
    return found


def tables_switched_off(host: Host) -> Iterator[str]:
    """The tables in which a line is switched off, as they tell themselves."""
    for path, _layout in tables(host):
        content = host.peek(path, LIMIT) or b""
        if OFF.encode() in content or DISARMED.encode() in content:
            yield path


def _in_table(look: Look, path: str, layout: Layout) -> Found:
    text = look.text(path)
    status = look.host.status(path) if text is not None else None
    if text is None or status is None:
        return Found()
    without = table_without_updaters(text, layout, look.reading)
    if without == text:
        return Found()
    if stat.S_ISLNK(status.st_mode):
        return _without_link(look, path)
    return Found((_file(path, without, status),), {path: EDITED})


def _in_script(look: Look, path: str) -> Found:
    status = look.host.status(path)
    if status is None or not (stat.S_ISLNK(status.st_mode) or status.st_mode & 0o111):
        return Found()
    if stat.S_ISLNK(status.st_mode):
        target = look.host.target(path) or ""
        starts = look.reading.words((Word(os.path.normpath(os.path.join(os.path.dirname(path), target))),))
        return _without_link(look, path) if starts is Starts.UPDATER else Found()
    text = look.shell_script(path)
    starts = Starts.NOTHING if text is None else look.reading.shell(text)
    if text is None or not starts.updater:
        return Found()
    mode = stat.S_IMODE(status.st_mode)
    if starts is Starts.UPDATER:
        return Found((_file(path, text, status, mode & ~0o111),), {path: was_mode(mode)})
    without = script_without_updaters(text, look.reading)
    return Found((_file(path, without, status),), {path: EDITED}) if without != text else Found()


def _without_link(look: Look, path: str) -> Found:
    """A link leads to what others may use, so it goes, and what it leads to stays as it is."""
    target = look.host.target(path)
    return Found() if target is None else Found((Absent(path),), {path: linked(target)})


def _file(path: str, text: str, status: os.stat_result, mode: int | None = None) -> File:
    """The file with its owner, and with its mode unless it gets another; a private one is not shown."""
    mode = stat.S_IMODE(status.st_mode) if mode is None else mode
    owner = f"{status.st_uid}:{status.st_gid}"
    return File(path, text.encode("latin-1"), mode=mode, owner=owner, secret=not status.st_mode & 0o077)
