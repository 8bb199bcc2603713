# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one question that systemd is asked over its own socket: its answer understood, anything else no answer.

The lab asks real ones of several releases; here something speaks as they did, and in ways in which they did not.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.systemd.bus import units_in_memory

PATH = "/org/freedesktop/systemd1/unit/a_2etimer"
GREETING = b"OK 9f669d6c0a16423e822bd9214b9a307a\r\n"
RETURN, ERROR, SIGNAL = 2, 3, 4


class Words:
    """What D-Bus writes, in either byte order."""

    def __init__(self, order: str) -> None:
        self.order = order

    def number(self, number: int) -> bytes:
        return number.to_bytes(4, "little" if self.order == "l" else "big")

    def text(self, text: str) -> bytes:
        return self.number(len(text)) + text.encode() + b"\0"

    def message(self, kind: int, body: bytes) -> bytes:
        fields = b"\5\1u\0" + self.number(1) + b"\7\1s\0" + self.text("org.freedesktop.systemd1")
        head = self.order.encode() + bytes((kind, 1, 1)) + self.number(len(body)) + self.number(7)
        return padded(head + self.number(len(fields)) + fields, 8) + body

    def units(self, *names: str) -> bytes:
        whole = b""
        for name in names:
            whole = padded(whole, 8)
            for word in (name, f"What {name} does", "loaded", "active", "waiting", "", PATH):
                whole = padded(whole, 4) + self.text(word)
            for word in ("", "/"):
                whole = padded(whole, 4) + (self.number(0) if not word else b"")
                whole = padded(whole, 4) + self.text(word)
        return padded(self.number(len(whole)), 8) + whole

    def names(self, *names: str) -> bytes:
        whole = b""
        for name in names:
            whole = padded(whole, 4) + self.text(name)
        return b"\2as\0" + self.number(len(whole)) + whole

    def truth(self, *, told: bool) -> bytes:
        return b"\1b\0\0" + self.number(int(told))

    def talk(self) -> list[bytes]:
        """What is sent for each time that the other side has written: the greeting, the list, the properties."""
        listed = self.message(RETURN, self.units("b.timer", "a.timer"))
        told = [self.names("b.timer", "c.timer"), self.truth(told=True), self.names("a.timer"), self.truth(told=False)]
        return [GREETING, listed, b"".join(self.message(RETURN, body) for body in told)]


def padded(data: bytes, size: int) -> bytes:
    return data + b"\0" * (-len(data) % size)


HELD = (
    ("a.timer", ("a.timer",), "loaded", "active", False),
    ("b.timer", ("b.timer", "c.timer"), "loaded", "active", True),
)
LITTLE = Words("l")


@contextmanager
def systemd(place: Path, talk: list[bytes], *, piece: int = 65536) -> Iterator[str]:
    """Something that listens at a socket, writes one part of ``talk`` whenever it is written to, and hangs up."""
    path = str(place / "private")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()

        def serve() -> None:
            connection, _address = listening.accept()
            with connection:
                for part in talk:
                    connection.recv(65536)
                    for start in range(0, len(part), piece):
                        connection.sendall(part[start : start + piece])

        server = threading.Thread(target=serve)
        server.start()
        yield path
        server.join()


@pytest.mark.parametrize("piece", [65536, 7])
@pytest.mark.parametrize("order", ["l", "B"])
def test_its_answer_is_understood(tmp_path: Path, order: str, piece: int) -> None:
    with systemd(tmp_path, Words(order).talk(), piece=piece) as path:
        assert units_in_memory(["*"], socket=path) == HELD


def test_nothing_in_memory_is_an_answer(tmp_path: Path) -> None:
    with systemd(tmp_path, [GREETING, LITTLE.message(RETURN, LITTLE.units())]) as path:
        assert units_in_memory(["*"], socket=path) == ()


def test_signals_are_passed_over(tmp_path: Path) -> None:
    greeting, listed, told = LITTLE.talk()
    news = LITTLE.message(SIGNAL, LITTLE.text("new.service"))
    with systemd(tmp_path, [greeting, news + listed, news + told]) as path:
        assert units_in_memory(["*"], socket=path) == HELD


@pytest.mark.parametrize(
    "talk",
    [
        [],
        [b"REJECTED EXTERNAL\r\n"],
        [GREETING],
        [GREETING, LITTLE.message(ERROR, LITTLE.text("no"))],
        [GREETING, LITTLE.talk()[1][:-9]],
        [GREETING, LITTLE.message(RETURN, LITTLE.number(400) + b"\0" * 8)],
        [GREETING, LITTLE.message(RETURN, LITTLE.number(400))],
        [GREETING, b"HTTP/1.1 400 Bad Request\r\n\r\n"],
        [*LITTLE.talk()[:2], LITTLE.message(ERROR, b"")],
        [*LITTLE.talk()[:2], LITTLE.message(RETURN, LITTLE.truth(told=True)) * 4],
    ],
    ids=("hangs up", "refuses the user", "says no more", "an error", "half a message", "too long a list", "half a list",
         "another protocol", "a unit that is gone", "another type"),
)  # fmt: skip
def test_anything_else_is_no_answer(tmp_path: Path, talk: list[bytes]) -> None:
    with systemd(tmp_path, talk) as path:
        assert units_in_memory(["*"], socket=path) is None


def test_without_a_socket_there_is_no_answer(tmp_path: Path) -> None:
    assert units_in_memory(["*"], socket=str(tmp_path / "private")) is None
    assert units_in_memory(["*"], socket=f"/{'long' * 50}") is None
    (tmp_path / "private").write_bytes(b"")
    assert units_in_memory(["*"], socket=str(tmp_path / "private")) is None


def test_it_says_who_asks_and_what(tmp_path: Path) -> None:
    heard: list[bytes] = []
    path = str(tmp_path / "private")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()

        def serve() -> None:
            connection, _address = listening.accept()
            with connection:
                heard.append(connection.recv(65536))
                connection.sendall(GREETING)
                heard.append(connection.recv(65536))

        server = threading.Thread(target=serve)
        server.start()
        assert units_in_memory(["a[.]timer", "b"], socket=path) is None
        server.join()
    assert heard[0] == f"\0AUTH EXTERNAL {str(os.geteuid()).encode().hex()}\r\nBEGIN\r\n".encode()
    words = LITTLE.number(0) + LITTLE.number(22) + padded(LITTLE.text("a[.]timer"), 4) + LITTLE.text("b")
    assert heard[1].endswith(words)
    assert heard[1][4:8] == LITTLE.number(len(words))
