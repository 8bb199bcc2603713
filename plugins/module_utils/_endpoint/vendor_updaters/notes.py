# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is remembered of everything that was switched off, so that it comes back as it was.

A note stands in the endpoint's state under the path, or the unit, that it is about.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from ..._core.resources.resources import Absent, Entry, File, Link
from ..._host.host import Host

MADE = "made"
"""The path is ours and goes."""
EDITED = "edited"
"""What is switched off in the file tells so itself."""
RUNNING = "running"
"""The unit, or the init script, ran and was stopped."""
_LINK, _MODE = "link ", "mode "
_LIMIT = 1024 * 1024


def linked(target: str) -> str:
    """The note of a link that was removed."""
    return _LINK + target


def was_mode(mode: int) -> str:
    """The note of a file that was executable."""
    return f"{_MODE}{mode:04o}"


def notes_left(host: Host, notes: dict[str, str]) -> dict[str, str]:
    """The notes, and what can be told without any: a state that was lost is no reason to leave something behind."""
    from .cron import tables_switched_off
    from .units import own_drop_ins

    told = {**dict.fromkeys(own_drop_ins(host), MADE), **dict.fromkeys(tables_switched_off(host), EDITED)}
    return {**told, **notes}


def remembered_entries(host: Host, notes: dict[str, str]) -> tuple[Entry, ...]:
    """How everything that was noted is put back; what somebody has changed or removed since then stays as it is."""
    return tuple(entry for path, note in sorted(notes.items()) for entry in _entries(host, path, note))


def running_before(host: Host, notes: dict[str, str]) -> tuple[str, ...]:
    """What ran before it was stopped; on a live host only, for elsewhere nothing runs."""
    return tuple(name for name, note in sorted(notes.items()) if note == RUNNING and host.live)


def _entries(host: Host, path: str, note: str) -> Iterator[Entry]:
    status = host.status(path) if path.startswith("/") else None
    regular = status is not None and stat.S_ISREG(status.st_mode)
    if note == MADE and status is not None:
        yield Absent(whole_folder(host, path))
    elif note.startswith(_LINK) and status is None and path.startswith("/"):
        target = note[len(_LINK) :]
        if host.exists(os.path.normpath(os.path.join(os.path.dirname(path), target))):
            yield Link(path, target)
    elif status is not None and regular and (note == EDITED or note.startswith(_MODE)):
        yield from _file(host, path, note, status)


def _file(host: Host, path: str, note: str, status: os.stat_result) -> Iterator[Entry]:
    from ..._core.system_files.cron_tables import given_back

    content, mode = host.peek(path, _LIMIT + 1), stat.S_IMODE(status.st_mode)
    if content is None or len(content) > _LIMIT:
        return
    before = given_back(content.decode("latin-1")).encode("latin-1")
    if note.startswith(_MODE):
        executable = int(note[len(_MODE) :], 8)
        before, mode = content, executable if mode == executable & ~0o111 else mode
    owner = f"{status.st_uid}:{status.st_gid}"
    yield File(path, before, mode=mode, owner=owner, secret=not status.st_mode & 0o077)


def whole_folder(host: Host, path: str) -> str:
    """The directory of a drop-in that is alone in it, otherwise the path itself."""
    folder, _slash, name = path.rpartition("/")
    alone = folder.startswith("/etc/systemd/") and host.names(folder) == (name,)
    return folder if alone else path
