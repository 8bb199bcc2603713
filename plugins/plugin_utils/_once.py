# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the hosts of a run have to find out or to do once, whichever of them comes first.

A strategy that goes task by task runs a task with ``run_once`` for one host. Others run it for every host, each in a
process of its own and in any order. So the first of them does the work for all, and leaves a record for the others:
a file in the directory that Ansible makes for each run, with a lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible import constants


class Record:
    """What a task has left so far; ``content`` is empty before anybody has left something."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        size = os.fstat(descriptor).st_size
        self.content: dict[str, Any] = json.loads(os.pread(descriptor, size, 0)) if size else {}

    def leave(self, content: dict[str, Any]) -> None:
        """Replace the record."""
        self.content = content
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(content).encode(), 0)


@contextmanager
def record_of(task: Any, about: str = "") -> Iterator[Record]:
    """The record of a task in this run, for one process at a time; ``about`` tells several of one task apart."""
    name = hashlib.sha256(f"{task._uuid} {about}".encode()).hexdigest()
    path = os.path.join(constants.DEFAULT_LOCAL_TMP, f"epp-autoupdate-{name[:32]}.json")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield Record(descriptor)
    finally:
        os.close(descriptor)
