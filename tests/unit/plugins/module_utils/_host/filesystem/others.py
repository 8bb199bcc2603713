# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An unprivileged user beside root, what that user plants, and what must be as before afterwards."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable

import pytest

USER = 61183
"""Of no account: as node_exporter's or ClamAV's is on a host that has them."""

_HERE, _EXCHANGE = -100, 2
"""``AT_FDCWD`` and ``RENAME_EXCHANGE`` of renameat2(2)."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root meets what belongs to others")


@contextmanager
def machine() -> Iterator[Path]:
    """A directory of root's in which every user may go about."""
    memory = "/dev/shm"  # thousands of durable writes are quick there
    base = Path(tempfile.mkdtemp(prefix="epp-others-", dir=memory if os.path.isdir(memory) else None))
    base.chmod(0o755)
    try:
        yield base
    finally:
        shutil.rmtree(base)


def _child(work: Callable[[], Any]) -> int:
    """Start what the other user does; returns the process."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)
        work()
    except BaseException:  # noqa: BLE001  whatever it is, this process must not go on as a test run
        os._exit(1)
    os._exit(0)


def by_the_other(work: Callable[[], Any]) -> None:
    """Let the other user do something, and wait for it."""
    assert os.waitpid(_child(work), 0)[1] == 0


@contextmanager
def beside(work: Callable[[], Any]) -> Iterator[None]:
    """Let the other user do something again and again, beside the block."""

    def again() -> None:
        while True:
            work()

    pid = _child(again)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        assert os.WIFSIGNALED(os.waitpid(pid, 0)[1]), "the other user gave up"


def swap(one: Path, other: Path) -> None:
    """Exchange two entries in one step, so that there is something at each place all the time."""
    arguments = (_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE)
    if ctypes.CDLL(None, use_errno=True).renameat2(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one))


def plant(kind: str, place: Path, victim: Path) -> None:
    """Put something of a kind in a place; what is there is set aside."""
    if os.path.lexists(place):
        place.rename(place.with_name(f"{place.name}.mine"))
    if kind == "link":
        place.symlink_to(victim)
    elif kind == "fifo":
        os.mkfifo(place)
    elif kind == "socket":
        os.chdir(place.parent)  # a socket's path must be short
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(place.name)
    elif kind == "directory":
        place.mkdir()
        (place / "full").write_bytes(b"")
    elif kind == "file":
        place.write_bytes(b"planted")


def state(victim: Path) -> dict[str, tuple[Any, ...]]:
    """What root's own files are like, to the last attribute that a write would change."""
    found = {}
    for path in [victim, *sorted(victim.rglob("*"))]:
        told = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (told.st_mode, told.st_uid, told.st_gid, told.st_ino, told.st_ctime_ns, content)
    return found


def make_victim(base: Path, *names: str) -> Path:
    """A private directory of root's, with files and directories of these names in it."""
    victim = base / "victim"
    victim.mkdir(mode=0o700)
    (victim / "private").mkdir(mode=0o700)
    (victim / "private" / "key").write_bytes(b"secret")
    for name in names:
        (victim / name).write_bytes(b"secret")
        (victim / name).chmod(0o600)
    return victim
