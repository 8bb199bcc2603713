# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples in the guide to message brokers, by which the lab sets them up: files, and commands after them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from textwrap import dedent

from lab_ansible import REPOSITORY

GUIDE = REPOSITORY / "docs" / "docsite" / "rst" / "message_broker.rst"
_FILE = re.compile(r"^``(/[^`]+)``[^\n]*::\n\n((?:    [^\n]*\n|\n)+)", re.MULTILINE)
_COMMANDS = re.compile(r"^\.\. code-block:: console\n\n((?:    [^\n]*\n|\n)+)", re.MULTILINE)
_ID = re.compile(r"(?<![A-Z])ID(?![A-Z])")


@dataclass(frozen=True)
class Example:
    """A section of the guide. A paragraph of it that has ``ID`` is there once for each endpoint."""

    files: Mapping[str, str]
    commands: str

    @classmethod
    def of(cls, broker: str) -> Example:
        text = GUIDE.read_text(encoding="utf-8")
        section = re.split(rf"^{broker}\n\^+\n", text, flags=re.MULTILINE)[1]
        section = re.split(r"^[^\n]+\n[-^]{3,}\n", section, flags=re.MULTILINE)[0]
        files = {path: dedent(content) for path, content in _FILE.findall(section)}
        (commands,) = _COMMANDS.findall(section)
        return cls(files, re.sub(r"^# ", "", dedent(commands), flags=re.MULTILINE))


@dataclass(frozen=True)
class Values:
    """What stands in the example's places: the server's password, and each endpoint's. ``widen`` changes the paragraph
    of a user of the lab's own."""

    server: str
    endpoints: Mapping[str, str]
    product: str
    ring: str
    widen: Callable[[str, str], str]

    def filled(self, text: str) -> str:
        """The text with all its paragraphs, and no empty lines."""
        paragraphs = [one for one in re.split(r"\n\s*\n", text.strip("\n")) if one.strip()]
        return "".join(f"{line}\n" for one in paragraphs for line in self._lines(one))

    def _lines(self, paragraph: str) -> list[str]:
        common = paragraph.replace("PRODUCT", self.product).replace("RING", self.ring)
        if not _ID.search(common):
            return common.replace("PASSWORD", self.server).splitlines()
        made = []
        for name, password in self.endpoints.items():
            own = self.widen(name, _ID.sub(name, common))
            made += own.replace("PASSWORD", password).splitlines()
        return made
