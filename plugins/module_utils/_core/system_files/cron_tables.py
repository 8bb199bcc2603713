# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An updater's lines in cron's tables and scripts, switched off so that they can be given back.

A line that only updates becomes a comment. Where a line or a script does more, only the command that updates is
disarmed: put behind ``:``, the shell's command that does nothing and succeeds. Texts are those of the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum

from .command_lines import Reading, Starts

OFF = "#epp-autoupdate: off# "
DISARMED = ": epp-autoupdate-off "
_LONGEST_LINE = 4096
_WHEN = r"[ \t]*-?(?:@\w+|(?:\S+[ \t]+){4}\S+)[ \t]+"
_SETTING = re.compile(r"[ \t]*(?:#|[A-Za-z_]\w*[ \t]*=|$)")
_PERCENT = re.compile(r"(?<!\\)%")


class Layout(Enum):
    """What stands before a table's commands, as a pattern."""

    SYSTEM = _WHEN + r"\S+[ \t]+"
    USER = _WHEN
    ANACRON = r"[ \t]*\S+[ \t]+\d+[ \t]+\S+[ \t]+"


def table_without_updaters(text: str, layout: Layout, reading: Reading) -> str:
    """A table in which nothing starts the updater any more."""
    head = re.compile(layout.value)
    return "".join(_line_off(line, head, reading) for line in text.splitlines(keepends=True))


def script_without_updaters(text: str, reading: Reading) -> str:
    """A shell script in which nothing starts the updater any more; its other commands stay."""
    return disarmed(text, reading.places(text))


def disarmed(text: str, places: Iterable[int]) -> str:
    """The text with the commands at these places disarmed."""
    for place in sorted(set(places), reverse=True):
        text = text[:place] + DISARMED + text[place:]
    return text


def given_back(text: str) -> str:
    """The text as it was before anything in it was switched off."""
    return re.sub(f"^{re.escape(OFF)}", "", text, flags=re.MULTILINE).replace(DISARMED, "")


def _line_off(line: str, head: re.Pattern[str], reading: Reading) -> str:
    found = None if len(line) > _LONGEST_LINE or _SETTING.match(line) else head.match(line)
    if found is None:
        return line
    command = _PERCENT.split(line[found.end() :].rstrip("\r\n"), maxsplit=1)[0]
    starts = reading.shell(command)
    if starts is Starts.UPDATER:
        return OFF + line
    return disarmed(line, (found.end() + place for place in reading.places(command))) if starts.updater else line
