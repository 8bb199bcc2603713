# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the vendor updaters of a host are restored from the notes taken when they were disabled."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from ..._core.resources.resources import Absent, File, Link, Resource
from ..._host.host import Host
from .notes import EDITED, LINK, MADE, MODE, RUNNING, whole_folder

_LIMIT = 1024 * 1024


def notes_left(host: Host, notes: dict[str, str]) -> dict[str, str]:
    """The notes, and what can be told without any: a state that was lost is no reason to leave something behind."""
    from .cron import files_switched_off
    from .units import own_drop_ins

    told = {**dict.fromkeys(own_drop_ins(host), MADE), **dict.fromkeys(files_switched_off(host), EDITED)}
    return {**told, **notes}


def remembered_entries(host: Host, notes: dict[str, str]) -> tuple[Resource, ...]:
    """How everything that was noted is put back; what somebody has changed or removed since then stays as it is."""
    return tuple(entry for path, note in sorted(notes.items()) for entry in _entries(host, path, note))


def running_before(host: Host, notes: dict[str, str]) -> tuple[str, ...]:
    """What ran before it was stopped; on a live host only, for elsewhere nothing runs."""
    return tuple(name for name, note in sorted(notes.items()) if note == RUNNING and host.live)


def _entries(host: Host, path: str, note: str) -> Iterator[Resource]:
    status = host.status(path) if path.startswith("/") else None
    regular = status is not None and stat.S_ISREG(status.st_mode)
    if note == MADE and status is not None:
        yield Absent(whole_folder(host, path))
    elif note.startswith(LINK) and status is None and path.startswith("/"):
        target = note[len(LINK) :]
        if host.exists(os.path.normpath(os.path.join(os.path.dirname(path), target))):
            yield Link(path, target)
    elif status is not None and regular and (note == EDITED or note.startswith(MODE)):
        yield from _file(host, path, note, status)


def _file(host: Host, path: str, note: str, status: os.stat_result) -> Iterator[Resource]:
    from ..._core.system_files.cron_tables import given_back

    content, mode = host.peek(path, _LIMIT + 1), stat.S_IMODE(status.st_mode)
    if content is None or len(content) > _LIMIT:
        return
    before = given_back(content.decode("latin-1")).encode("latin-1")
    if note.startswith(MODE):
        executable = int(note[len(MODE) :], 8)
        before, mode = content, executable if mode == executable & ~0o111 else mode
    owner = f"{status.st_uid}:{status.st_gid}"
    yield File(path, before, mode=mode, owner=owner, secret=not status.st_mode & 0o077)
