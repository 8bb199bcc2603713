# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: which Python starts our programs on a host."""

from __future__ import annotations

import posixpath
import re
import sys

from .._core.values import value
from .._host.host import Host
from .._host.zipped import bytecode_tag

SYSTEM_PYTHON = "/usr/bin/python3"
_MOST_LINKS = 8
_VERSIONED = re.compile(r"python3\.(\d+)")


@value
class Interpreter:
    """The Python that will run a program: its path, and the tag of the byte code that it understands."""

    path: str
    tag: str


def interpreter_of(host: Host) -> Interpreter:
    """The Python for a program: the one that runs this, or an image's own, where it has one.

    An image runs later, and elsewhere: the control node's Python need not be there, and need not be of its version.
    A sandbox has none of its own.
    """
    if host.live or not host.exists(SYSTEM_PYTHON):
        return Interpreter(sys.executable, bytecode_tag())
    return Interpreter(SYSTEM_PYTHON, _tag_of(host, SYSTEM_PYTHON) or bytecode_tag())


def _tag_of(host: Host, path: str) -> str:
    """What an image's ``python3`` is, by the file that it links to (``python3.13``); nothing of the image is run."""
    for _step in range(_MOST_LINKS):
        name = _VERSIONED.fullmatch(posixpath.basename(path))
        if name:
            return f"cpython-3{name[1]}"
        target = host.target(path)
        if target is None:
            break
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return ""
