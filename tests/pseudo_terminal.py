# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A program at a pseudo-terminal of so many columns: what it writes there, byte by byte, and what is then on screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_DECIDES = frozenset(("CI", "NO_COLOR", "COLUMNS", "LINES", "TERM", "ANSIBLE_NOCOLOR", "ANSIBLE_FORCE_COLOR"))
_SEQUENCE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Session:
    """What a program did: exit status, all that reached the terminal, and its standard output where that was a pipe."""

    status: int
    written: str
    piped: str = ""

    @property
    def lines(self) -> list[str]:
        """The lines that stand on the screen at the end: what was erased or written over is gone, and so are colors."""
        found = []
        for line in self.written.replace("\r\n", "\n").split("\n"):
            screen = ""
            for part in line.split("\r"):
                erases = part.startswith("\x1b[K")
                plain = _SEQUENCE.sub("", part)
                screen = plain if erases else plain + screen[len(plain) :]
            found.append(screen)
        return found[:-1] if not found[-1] else found


def at_terminal(
    argv: Sequence[str | Path],
    *,
    columns: int = 80,
    environment: Mapping[str, str] | None = None,
    piped: bool = False,
    seconds: float = 120,
) -> Session:
    """Run a program at a terminal, ``piped`` with its standard output elsewhere; raises TimeoutError after ``seconds``.

    What decides about terminals is not taken from the environment of the tests.
    """
    own = {name: value for name, value in os.environ.items() if name not in _DECIDES}
    own.update({"TERM": "xterm", "PYTHONIOENCODING": "utf-8", **(environment or {})})
    main, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    output = subprocess.PIPE if piped else inner
    with subprocess.Popen(argv, stdin=inner, stdout=output, stderr=inner, env=own, start_new_session=True) as process:
        os.close(inner)
        written, deadline = b"", time.monotonic() + seconds
        while chunk := _read(main, deadline):
            written += chunk
        os.close(main)
        told = process.stdout.read() if process.stdout is not None else b""
        if time.monotonic() >= deadline:
            process.kill()
            raise TimeoutError(f"{argv} takes more than {seconds:g} s: {written!r}")
    return Session(process.returncode, written.decode(), told.decode())


def _read(descriptor: int, deadline: float) -> bytes:
    """What has come next; nothing once everybody who had the terminal is gone, or at the deadline."""
    if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
        return b""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""
