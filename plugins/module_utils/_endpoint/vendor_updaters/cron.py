# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of cron's tables, and of anacron's, that start an updater."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from ..._core.system_files.cron_tables import (
    DISARMED,
    OFF,
    Layout,
    Line,
    lines_that_update,
    table_without_updaters,
)
from ..._host.cron.files import at_jobs, periodic_scripts, tables
from ..._host.host import Host
from .base import Found
from .files import MORE, changed, decided, without_link
from .look import LIMIT, Look
from .notes import EDITED


def found_in_tables(look: Look) -> Found:
    """What the lines of tables would start."""
    found = Found()
    for path, layout in tables(look.host):
        found = found.with_more(_in_table(look, path, layout))
    return found


def files_switched_off(host: Host) -> Iterator[str]:
    """The tables, scripts and jobs in which something is switched off, as they tell themselves."""
    for path in (*(path for path, _layout in tables(host)), *periodic_scripts(host), *at_jobs(host)):
        content = host.peek(path, LIMIT) or b""
        if OFF.encode() in content or DISARMED.encode() in content:
            yield path


def _in_table(look: Look, path: str, layout: Layout) -> Found:
    text = look.text(path)
    status = look.host.status(path) if text is not None else None
    if text is None or status is None:
        return Found()
    lines = tuple(lines_that_update(text, layout, look.reading))
    stays = Found(told=tuple(look.words(_place(path, line), MORE) for line in lines if line.stays))
    places = tuple(_place(path, line) for line in lines if not line.stays)
    if not places:
        return stays
    if stat.S_ISLNK(status.st_mode):
        found = without_link(look, path)
    else:
        without = table_without_updaters(text, layout, look.reading)
        found = Found((changed(path, without, status),), {path: EDITED})
    return stays.with_more(decided(look, path, found, *places))


def _place(path: str, line: Line) -> str:
    """A line in words; what is in it may be secret."""
    return f"line {line.number} of {path}"
