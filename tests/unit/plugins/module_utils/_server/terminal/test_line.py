# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is a terminal, and when the line of progress is drawn, redrawn and taken away."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
from collections.abc import Iterator
from functools import partial
from typing import IO

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._server.terminal.capabilities import (
    Terminal,
    progress_terminal,
    terminal_of,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._server.terminal.line import ERASED, ProgressLine
from ansible_collections.epp.autoupdate.plugins.module_utils._server.terminal.painting import RED, Span, painted
from ansible_collections.epp.autoupdate.plugins.module_utils._server.terminal.progress import Progress

XTERM = {"TERM": "xterm"}


@pytest.fixture
def stream() -> Iterator[IO[str]]:
    """The inner end of a pseudo-terminal of 100 columns."""
    main, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    with open(inner, "w", encoding="utf-8") as opened:
        yield opened
    os.close(main)


@pytest.mark.parametrize(
    ("environment", "terminal", "progress"),
    [
        (XTERM, Terminal(100, colors=True), True),
        ({**XTERM, "NO_COLOR": "1"}, Terminal(100), True),
        ({**XTERM, "NO_COLOR": ""}, Terminal(100, colors=True), True),
        ({**XTERM, "CI": "true"}, Terminal(100, colors=True), False),
        ({**XTERM, "CI": ""}, Terminal(100, colors=True), True),
        ({"TERM": "dumb"}, Terminal(100, rewrites=False), False),
        ({}, Terminal(100, rewrites=False), False),
        ({"TERM": "linux"}, Terminal(100, colors=True, blocks=False), True),
    ],
)
def test_the_environment_decides_what_a_terminal_can(
    stream: IO[str], environment: dict[str, str], terminal: Terminal, *, progress: bool
) -> None:
    assert terminal_of(stream, environment) == terminal
    assert (progress_terminal(stream, environment) == terminal) is progress


def test_an_encoding_without_blocks_gets_ascii(stream: IO[str]) -> None:
    with open(os.dup(stream.fileno()), "w", encoding="latin-1") as other:
        assert terminal_of(other, XTERM) == Terminal(100, colors=True, blocks=False)


def test_a_terminal_that_does_not_know_its_width_has_80_columns(stream: IO[str]) -> None:
    fcntl.ioctl(stream, termios.TIOCSWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
    assert terminal_of(stream, XTERM) == Terminal(80, colors=True)


def test_pipes_and_what_is_closed_are_no_terminals(stream: IO[str]) -> None:
    reader, writer = os.pipe()
    with open(reader, encoding="utf-8"), open(writer, "w", encoding="utf-8") as pipe:
        assert terminal_of(pipe, XTERM) is None
    stream.close()
    for gone in (stream, None):
        assert terminal_of(gone, XTERM) is None


def test_what_others_wrote_cannot_act_on_a_screen_whatever_the_colors_are() -> None:
    line = (Span("a\x1b[2Jb", RED), Span("\u202ecd"))
    assert painted(line, Terminal(80, colors=True)) == "\x1b[31ma\\x1b[2Jb\x1b[0m\\u202ecd"
    assert painted(line, Terminal(80)) == "a\\x1b[2Jb\\u202ecd"
    assert painted(line, Terminal(3, colors=True)) == "\x1b[31ma\\x\x1b[0m"


class Screen:
    """A stream that keeps each text that is written."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.gone = False

    def write(self, text: str) -> None:
        if self.gone:
            raise OSError(5, "Input/output error")
        self.texts.append(text)

    def flush(self) -> None:
        pass


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def counted(done: int, label: str = "notify") -> Progress:
    return Progress(label, done, 200, {"updated": done})


def test_it_is_drawn_ten_times_a_second_at_most_and_computed_no_more_often() -> None:
    screen, clock, asked = Screen(), Clock(), []
    line = ProgressLine(screen, Terminal, clock)

    def compute() -> Progress:
        asked.append(clock.now)
        return counted(len(asked))

    for _time in range(1000):
        line.show(compute)
        clock.now += 0.01
    assert 90 <= len(asked) <= 101
    assert len(screen.texts) == len(asked)
    assert screen.texts[0] == f"{ERASED}notify 1/200 0%  1 updated  [\u258f         ]"
    assert "/s  ends in 11s  [" in screen.texts[-1]
    line.erase()
    line.erase()
    assert screen.texts[-1] == ERASED
    assert screen.texts[-2] != ERASED


def test_a_new_label_has_a_rate_of_its_own() -> None:
    screen, clock = Screen(), Clock()
    line = ProgressLine(screen, Terminal, clock)
    for label in ("fetch", "notify"):
        line.show(partial(counted, 10, label))
        assert "/s" not in screen.texts[-1]
        clock.now += 10
        line.show(partial(counted, 20, label))
        assert "1.0/s" in screen.texts[-1]
        clock.now += 10


def test_where_nobody_sees_it_nothing_is_computed() -> None:
    screen = Screen()
    line = ProgressLine(screen, lambda: None)
    assert line.watch is None
    line.show(lambda: pytest.fail("nobody would see it"))
    line.erase()
    assert screen.texts == []


def test_a_terminal_that_goes_away_stops_nothing() -> None:
    screen, clock = Screen(), Clock()
    line = ProgressLine(screen, Terminal, clock)
    line.show(lambda: counted(1))
    screen.gone = True
    line.show(lambda: counted(2), at_once=True)
    line.erase()
    assert len(screen.texts) == 1
