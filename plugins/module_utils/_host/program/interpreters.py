# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which Python starts our programs on a host."""

from __future__ import annotations

import os
import posixpath
import re
import sys

from ..._core.values import frozen
from ..host import Host
from ..paths import SYSTEM_PYTHON
from .zipapp import bytecode_tag

_MOST_LINKS = 8
_OLDEST_MINOR = 9
"""Of Python 3: what the programs are written for."""
_VERSIONED = re.compile(r"python3\.(\d+)")


@frozen
class Interpreter:
    """The Python that will run a program: its path, and the tag of the byte code that it understands."""

    path: str
    tag: str


def interpreter_of(host: Host, *, libraries: bool = False) -> Interpreter:
    """The Python for a program; ``libraries``: one that needs what is installed for the Python that runs this.

    That is the system's own, by the name that outlives upgrades, wherever it is new enough. The one that Ansible uses
    may be called by its version, which an upgrade takes away, or lie in somebody's home, which no unit sees.
    An image runs later, and elsewhere: the control node's Python need not be there, and need not be of its version.
    A sandbox has none of its own.
    """
    running = Interpreter(sys.executable, bytecode_tag())
    if not host.exists(SYSTEM_PYTHON):
        return running
    tag = _tag_of(host, SYSTEM_PYTHON)
    if not host.live:
        return Interpreter(SYSTEM_PYTHON, tag or running.tag)
    if os.path.realpath(sys.executable) == os.path.realpath(host.real(SYSTEM_PYTHON)):
        own_libraries = sys.prefix != sys.base_prefix
        return running if libraries and own_libraries else Interpreter(SYSTEM_PYTHON, running.tag)
    return running if libraries or not _new_enough(tag) else Interpreter(SYSTEM_PYTHON, tag)


def _new_enough(tag: str) -> bool:
    minor = tag.partition("cpython-3")[2]
    return minor.isdigit() and int(minor) >= _OLDEST_MINOR


def _tag_of(host: Host, path: str) -> str:
    """What a host's ``python3`` is, by the file that it links to (``python3.13``); nothing of an image is run."""
    for _step in range(_MOST_LINKS):
        name = _VERSIONED.fullmatch(posixpath.basename(path))
        if name:
            return f"cpython-3{name[1]}"
        target = host.target(path)
        if target is None:
            break
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return ""
