# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""QEMU's monitor: questions and commands about the machine as a whole, one connection each."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any


def ask(monitor: Path, command: str) -> Any:
    """What QEMU returns for a command without arguments; AssertionError when it refuses it."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(monitor))
        with connection.makefile("rw", encoding="utf-8") as stream:
            stream.readline()  # its greeting
            _answer(stream, "qmp_capabilities")
            return _answer(stream, command)


def _answer(stream: Any, command: str) -> Any:
    stream.write(json.dumps({"execute": command}) + "\n")
    stream.flush()
    while True:
        answer = json.loads(stream.readline())  # events come in between
        assert "error" not in answer, f"{command}: {answer}"
        if "return" in answer:
            return answer["return"]
