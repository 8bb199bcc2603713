# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An updater's lines in cron's tables and scripts, switched off so that they can be given back.

A line that only updates becomes a comment. Where a line or a script does more, only the command that updates is
disarmed: put behind ``:``, the shell's command that does nothing and succeeds. Where that command does more, too, its
argument that makes it update is put there, in a substitution that leaves nothing. Texts are those of the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum

from ..values import frozen
from .command_lines import Place, Reading, Starts

OFF = "#epp-autoupdate: off# "
DISARMED = ": epp-autoupdate-off "
_ARGUMENT = f"$({DISARMED}%s)"
_ARGUMENT_OFF = re.compile(rf"\$\({DISARMED}(-[\w-]+)\)")
_BEHIND = re.compile(r"[\s;&|)'\"]|$")
_LONGEST_LINE = 4096
_WHEN = r"[ \t]*-?(?:@\w+|(?:\S+[ \t]+){4}\S+)[ \t]+"
_SETTING = re.compile(r"[ \t]*(?:#|[A-Za-z_]\w*[ \t]*=|$)")
_PERCENT = re.compile(r"(?<!\\)%")


class Layout(Enum):
    """What stands before a table's commands, as a pattern."""

    SYSTEM = _WHEN + r"\S+[ \t]+"
    USER = _WHEN
    ANACRON = r"[ \t]*\S+[ \t]+\d+[ \t]+\S+[ \t]+"


@frozen
class Line:
    """A line of a table that starts the updater, counted from one, and the same line without it."""

    number: int
    text: str
    without: str

    @property
    def stays(self) -> bool:
        """Whether it can't be switched off: what it starts does other things, too, and lies elsewhere."""
        return self.without == self.text


def lines_that_update(text: str, layout: Layout, reading: Reading) -> Iterator[Line]:
    """The lines of a table that start the updater."""
    head = re.compile(layout.value)
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        without = _line_off(line, head, reading)
        if without is not None:
            yield Line(number, line, without)


def table_without_updaters(text: str, layout: Layout, reading: Reading) -> str:
    """A table in which nothing starts the updater any more, as far as that can be."""
    lines = text.splitlines(keepends=True)
    for line in lines_that_update(text, layout, reading):
        lines[line.number - 1] = line.without
    return "".join(lines)


def script_without_updaters(text: str, reading: Reading) -> str:
    """A shell script in which nothing starts the updater any more; its other commands stay."""
    return disarmed(text, reading.places(text))


def disarmed(text: str, places: Iterable[Place], *, argument: str = _ARGUMENT) -> str:
    """The text with the commands and arguments at these places disarmed; an argument becomes ``argument``."""
    for place in sorted(set(places), key=lambda one: one if isinstance(one, int) else one.start, reverse=True):
        if isinstance(place, int):
            text = text[:place] + DISARMED + text[place:]
        elif _stands_alone(text, place):
            told = text[place.start : place.stop]
            text = text[: place.start] + (argument and argument % told) + text[place.stop :]
    return text


def given_back(text: str) -> str:
    """The text as it was before anything in it was switched off."""
    text = _ARGUMENT_OFF.sub(r"\1", re.sub(f"^{re.escape(OFF)}", "", text, flags=re.MULTILINE))
    return text.replace(DISARMED, "")


def _stands_alone(text: str, place: range) -> bool:
    """Whether an argument is a whole word, without quotes."""
    whole = re.fullmatch(r"-[\w-]+", text[place.start : place.stop]) is not None
    return whole and text[place.start - 1].isspace() and _BEHIND.match(text, place.stop) is not None


def _line_off(line: str, head: re.Pattern[str], reading: Reading) -> str | None:
    """The line without the updater; None where it does not start it."""
    found = None if len(line) > _LONGEST_LINE or _SETTING.match(line) else head.match(line)
    if found is None:
        return None
    command = _PERCENT.split(line[found.end() :].rstrip("\r\n"), maxsplit=1)[0]
    starts = reading.shell(command)
    if starts is Starts.UPDATER:
        return OFF + line
    if not starts.updater:
        return None
    return line[: found.end()] + disarmed(line[found.end() :], reading.places(command))
