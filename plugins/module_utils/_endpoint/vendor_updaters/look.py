# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the command lines of a host are read: its scripts are at hand, each file read once and only in part."""

from __future__ import annotations

import re

from ..._core.system_files.command_lines import Reading
from ..._core.system_files.vendor_updaters import Program
from ..._host.host import Host
from ..._host.packaged import PackagedFiles

LIMIT = 64 * 1024
"""Bytes read of one script or table; what is longer is taken for something else."""
_MOST = 500
_SHELL = re.compile(r"#![ \t]*(?:\S*/env[ \t]+)?\S*?(?:ba|da|a|k|mk|z)?sh(?:[ \t][^\n]*)?\n|#![ \t]*\S*/openrc-run")
_LOCAL = (b"/usr/local/", b"/opt/", b"/srv/", b"/root/", b"/home/")
_PLACES = (*_LOCAL, b"/etc/", b"/var/", b"/usr/share/")
"""Where scripts lie that may start an updater without its name being told where they are started. Scripts of packages
speak of the latter places all the time, and start each other by them seldom."""


class Look:
    """One look at a host, for the programs that are its updaters; ``takeover`` is whether all that starts them goes."""

    def __init__(self, host: Host, programs: tuple[Program, ...], *, takeover: bool) -> None:
        self.host = host
        self.programs = programs
        self.takeover = takeover
        self.packaged = PackagedFiles(host).has
        self.reading = Reading(programs, self._script)
        self._names = tuple(program.name.encode() for program in programs)
        self._scripts: dict[str, str | None] = {}

    def words(self, place: str, why: str = "") -> str:
        """That something at this place starts the updater, in words; ``why`` is why it can't be switched off."""
        names = " or ".join(program.name for program in self.programs)
        return f"{place} starts {names}" + (f", and is left as it is: {why}" if why else "")

    def promising(self, content: bytes, places: tuple[bytes, ...] = _PLACES) -> bool:
        """Whether it is worth while to understand this text."""
        return any(name in content for name in self._names) or any(place in content for place in places)

    def text(self, path: str, places: tuple[bytes, ...] = _PLACES) -> str | None:
        """A file that is worth while, each byte a character; None for any other, and for one that is too long."""
        content = self.host.peek(path, LIMIT + 1)
        if content is None or len(content) > LIMIT or not self.promising(content, places):
            return None
        return content.decode("latin-1")

    def shell_script(self, path: str) -> str | None:
        """The same for a script that a shell runs."""
        text = self.text(path, _LOCAL)
        return text if text is not None and _SHELL.match(text) else None

    def _script(self, path: str) -> str | None:
        if path not in self._scripts:
            self._scripts[path] = self.shell_script(path) if len(self._scripts) < _MOST else None
        return self._scripts[path]
