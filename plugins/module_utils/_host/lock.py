# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Locks between the processes of one host, released by the kernel when their holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .filesystem.safe_paths import open_parent
from .host import Host

_RETRY_S = 0.1
_LONGEST_WAIT_S = 60.0


class Busy(RuntimeError):
    """Another process that holds a lock does not come to an end."""


@contextmanager
def locked(host: Host, path: str, *, wait: float) -> Iterator[bool]:
    """Hold the lock at ``path``, waiting for it at most ``wait`` seconds; yields whether it was obtained."""
    directory = os.path.dirname(path)
    if not host.exists(directory):  # one that is there keeps its mode
        host.mkdir(directory, mode=0o755)
    with open_parent(host.real(path)) as opened:
        descriptor = opened.lockable(os.path.basename(path))
    try:
        yield _obtain(descriptor, time.monotonic() + wait)
    finally:
        os.close(descriptor)


@contextmanager
def exclusively(host: Host, path: str, what: str, *, wait: float = _LONGEST_WAIT_S) -> Iterator[None]:
    """Hold the lock at ``path``; raises Busy where another ``what`` does not let it go within ``wait`` seconds."""
    with locked(host, path, wait=wait) as held:
        if not held:
            raise Busy(f"another {what} on this host still runs after {wait:.0f} s")
        yield


def _obtain(descriptor: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_RETRY_S)
        else:
            return True
