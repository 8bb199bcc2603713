# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fast path: the cached result of a converge that has nothing to do.

The result of a converge is a function of the document, the agent, the clock and the host's answers. So a converge that
finds nothing to change writes a fingerprint: its document, and each question with its answer. The next one that gets
the same document from the same agent asks the same questions, and where every answer is the same, so is the result.
Any other answer, a question that can't be recorded, or a scheduled instant that has passed leads to a full converge.
This module imports as little as possible: the module ``os`` alone would be a tenth of a start, so that the system calls
are taken from ``posix``.
"""

from __future__ import annotations

import _stat
import marshal
import posix
import sys
import time

from ..._host import running
from ..._host.accounts import group_exists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Callable, Optional

    from ..._host.systemd.bus import Answer

    Signature = Optional[tuple[Any, ...]]

RECORD = "/var/lib/epp-autoupdate/converge-fingerprint"
FORMAT = 3
RACE_S = 2
"""A file younger than this when it was looked at could change once more without a trace in its times."""
_COMMAND_TIMEOUT_S = 90.0
_READ = posix.O_RDONLY | posix.O_NOFOLLOW | posix.O_NONBLOCK | posix.O_CLOEXEC


class ApplyArguments:
    """The command line of ``apply`` in the form that the Ansible task writes; ``known`` is False for any other."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.values = {"--digest": "", "--root": ""}
        self.diff = False
        self.known = arguments[:1] == ["apply"]
        waiting = iter(arguments[1:])
        for word in waiting:
            if word in self.values:
                self.values[word] = next(waiting, "")
            elif word == "--diff":
                self.diff = True
            elif word != "--check":
                self.known = False


def cached_result(arguments: Sequence[str], document: bytes, *, digest: str | None) -> str | None:
    """The result of a converge that would find nothing to change, as ``apply`` prints it; None where there is none.

    ``digest`` is that of the agent which runs.
    """
    options = ApplyArguments(arguments)
    root = _absolute(options.values["--root"])
    record = _read(root + RECORD) if options.known else None
    if record is None or record["document"] != document or {digest, options.values["--digest"]} != {record["digest"]}:
        return None
    same = (
        record["since"] <= time.time() < record["until"]
        and _same(root, record["files"], signature)
        and _same(root, record["listings"], listing)
        and _same_groups(record["groups"])
        and all(running.same(names, before) for names, before in record["processes"].items())
    )
    if not same or not _same_units(root, record["units"]) or not _same_commands(record["commands"]):
        return None
    return str(record["with_diff" if options.diff else "without_diff"])


def _absolute(root: str) -> str:
    if not root:
        return ""
    import os.path

    return os.path.abspath(root)


def signature(path: str) -> Signature:
    """What changes whenever a file does (its inode's change time can't be set); of a directory only whose it is.

    A link's is its own and that of what it leads to. None: there is nothing.
    """
    told = _told(path, posix.lstat)
    return (*told, _told(path, posix.stat)) if told is not None and _stat.S_ISLNK(told[0]) else told


def _told(path: str, ask: Callable[[str], posix.stat_result]) -> Signature:
    try:
        own = ask(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if _stat.S_ISDIR(own.st_mode):
        return (own.st_mode, own.st_uid, own.st_gid)
    return _all_of(own)


def _all_of(own: posix.stat_result) -> tuple[int, ...]:
    return (own.st_mode, own.st_uid, own.st_gid, own.st_ino, own.st_size, own.st_mtime_ns, own.st_ctime_ns)


def listing(path: str) -> Signature:
    """What changes whenever a name appears in a directory, goes or stands for another file; None: there is none."""
    try:
        return _all_of(posix.stat(path))
    except OSError:
        return None


def _read(path: str) -> dict[str, Any] | None:
    try:
        with open(posix.open(path, _READ), "rb") as file:
            own = posix.fstat(file.fileno()).st_uid == posix.geteuid()  # in an image's directory it may be anybody's
            whole = marshal.loads(file.read()) if own else None  # noqa: S302  # written by this very user
    except (OSError, ValueError, EOFError, TypeError):
        return None
    fits = isinstance(whole, dict) and whole.get("format") == FORMAT and whole.get("python") == sys.version
    return whole if fits else None


def _same(root: str, asked: Mapping[str, Signature], look: Callable[[str], Signature]) -> bool:
    try:
        return all(look(root + path) == before for path, before in asked.items())
    except OSError:
        return False


def _same_groups(groups: Mapping[str, bool]) -> bool:
    return all(group_exists(name) == before for name, before in groups.items())


def _same_units(root: str, units: Mapping[tuple[str, ...], Answer]) -> bool:
    if not units:
        return True
    from ..._host.systemd.bus import SOCKET, units_in_memory

    return all(units_in_memory(patterns, socket=root + SOCKET) == before for patterns, before in units.items())


def _same_commands(commands: Mapping[tuple[str, ...], tuple[int, str]]) -> bool:
    if not commands:
        return True
    from ..._host import process

    for argv, before in commands.items():
        try:
            done = process.run(argv, timeout=_COMMAND_TIMEOUT_S)
        except OSError:
            return False
        if done.timed_out or (done.code, done.out) != before:
            return False
    return True
