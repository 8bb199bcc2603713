# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd holds in memory, asked over the socket that systemctl uses, without a program.

A converge that has nothing to do asks systemd this one question. A process that asks it costs more than all else that
such a converge does, and has systemd tell every property of each unit. So this speaks the part of D-Bus that it takes
(https://dbus.freedesktop.org/doc/dbus-specification.html), and imports next to nothing. Whatever is otherwise than
expected is no answer, and the caller has a program ask.
"""

from __future__ import annotations

import _socket  # what the module socket adds to it, with enum and selectors, would be a third of a start
import posix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Optional

    Held = tuple[str, tuple[str, ...], str, str, bool]
    Answer = Optional[tuple[Held, ...]]

SOCKET = "/run/systemd/private"
"""Root's own way to systemd, without a bus daemon in between."""
_TIMEOUT_S = 30.0
_SYSTEMD = "org.freedesktop.systemd1"
_PATH, _INTERFACE, _MEMBER, _DESTINATION, _SIGNATURE = 1, 2, 3, 6, 8
_CALL, _RETURN, _SIGNAL = 1, 2, 4
_HEAD = 16
_UNIT_WORDS = 6
"""Of a listed unit: its name, description, load state, state, substate, and whom it follows."""


def units_in_memory(patterns: Sequence[str], *, socket: str = SOCKET) -> Answer:
    """The units that systemd holds in memory and whose own name one of the patterns stands for, by name.

    Of each: its name, all its names, LoadState, ActiveState, and NeedDaemonReload. None: systemd did not answer.
    """
    try:
        with _Connection(socket) as systemd:
            words = _texts(()) + _texts(patterns)
            manager = "/org/freedesktop/systemd1"
            systemd.call(manager, f"{_SYSTEMD}.Manager", "ListUnitsByPatterns", "asas", words)
            listed = _listed(systemd.answer())
            for path, _name, _load, _active in listed:
                for wanted in ("Names", "NeedDaemonReload"):
                    asked = _aligned(_text(f"{_SYSTEMD}.Unit"), 4) + _text(wanted)
                    systemd.call(path, "org.freedesktop.DBus.Properties", "Get", "ss", asked)
            return tuple(sorted(_held(systemd, *unit) for unit in listed))
    except (OSError, ValueError, IndexError):
        return None


def _listed(answer: _Reader) -> list[tuple[str, str, str, str]]:
    end = answer.number() + answer.align(8)
    found = []
    while answer.at < end:
        answer.align(8)
        name, _description, load, active, _substate, _followed = (answer.text() for _word in range(_UNIT_WORDS))
        found.append((answer.text(), name, load, active))
        answer.number(), answer.text(), answer.text()  # its job
    return found


def _held(systemd: _Connection, _path: str, name: str, load: str, active: str) -> Held:
    names, stale = systemd.answer().variant("as"), systemd.answer().variant("b")
    end = names.number() + names.at
    told = []
    while names.at < end:
        told.append(names.text())
    return (name, tuple(sorted(told)), load, active, bool(stale.number()))


class _Connection:
    """One conversation with systemd. Its answers come in the order of the calls."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        self._received = b""
        self._waiting = b""
        self._calls = 0

    def __enter__(self) -> _Connection:
        try:
            self._socket.settimeout(_TIMEOUT_S)
            self._socket.connect(self._path)
            self._greet()
        except BaseException:
            self._socket.close()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._socket.close()

    def _greet(self) -> None:
        """Say who asks. A call that came together with it might not be looked at before the next one comes."""
        who = str(posix.geteuid()).encode().hex()
        self._socket.sendall(f"\0AUTH EXTERNAL {who}\r\nBEGIN\r\n".encode())
        while b"\r\n" not in self._received:
            self._receive()
        greeting, _end, self._received = self._received.partition(b"\r\n")
        if not greeting.startswith(b"OK "):
            raise ValueError("systemd does not know this user")

    def call(self, path: str, interface: str, member: str, signature: str, body: bytes) -> None:
        """Call a method; what is called is sent when an answer is waited for, all at once."""
        self._calls += 1
        fields = b""
        for code, kind, text in (
            (_PATH, b"o", path),
            (_INTERFACE, b"s", interface),
            (_MEMBER, b"s", member),
            (_DESTINATION, b"s", _SYSTEMD),
        ):
            fields = _aligned(fields, 8) + bytes((code, 1)) + kind + b"\0" + _text(text)
        told = bytes((len(signature),)) + signature.encode() + b"\0"
        fields = _aligned(fields, 8) + bytes((_SIGNATURE, 1)) + b"g\0" + told
        head = b"l" + bytes((_CALL, 0, 1)) + b"".join(map(_number, (len(body), self._calls, len(fields))))
        self._waiting += _aligned(head + fields, 8) + body

    def answer(self) -> _Reader:
        """The body of the next answer; raises ValueError for one that is an error."""
        if self._waiting:
            self._socket.sendall(self._waiting)
            self._waiting = b""
        kind, body = self._message()
        while kind == _SIGNAL:
            kind, body = self._message()
        if kind != _RETURN:
            raise ValueError("systemd refuses the question")
        return body

    def _message(self) -> tuple[int, _Reader]:
        head = _Reader(self._next(_HEAD))
        kind, head.at = head.data[1], 4
        length, _serial, fields = head.number(), head.number(), head.number()
        rest = self._next(-(-fields // 8) * 8 + length)
        return kind, _Reader(rest[len(rest) - length :], order=head.order)

    def _next(self, length: int) -> bytes:
        while len(self._received) < length:
            self._receive()
        taken, self._received = self._received[:length], self._received[length:]
        return taken

    def _receive(self) -> None:
        more = self._socket.recv(65536)
        if not more:
            raise ValueError("systemd has hung up")
        self._received += more


class _Reader:
    """Reads one value after the other; the byte order is told by the first byte of a message."""

    def __init__(self, data: bytes, *, order: str = "") -> None:
        self.data = data
        self.at = 0
        self.order = order or ("little" if data[:1] == b"l" else "big")

    def align(self, size: int) -> int:
        self.at = -(-self.at // size) * size
        return self.at

    def number(self) -> int:
        start = self.align(4)
        self.at += 4
        if self.at > len(self.data):
            raise ValueError("the message ends too early")
        return int.from_bytes(self.data[start : self.at], "little" if self.order == "little" else "big")

    def text(self) -> str:
        """A string or an object's path."""
        length = self.number()
        start, self.at = self.at, self.at + length + 1
        return self.data[start : self.at - 1].decode()

    def variant(self, signature: str) -> _Reader:
        """This very reader behind the type of what comes; raises ValueError for another type."""
        expected = bytes((len(signature),)) + signature.encode() + b"\0"
        if not self.data.startswith(expected):
            raise ValueError("a property has another type")
        self.at = len(expected)
        return self


def _number(number: int) -> bytes:
    return number.to_bytes(4, "little")


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _number(len(encoded)) + encoded + b"\0"


def _texts(texts: Iterable[str]) -> bytes:
    """An array of strings."""
    whole = b""
    for text in texts:
        whole = _aligned(whole, 4) + _text(text)
    return _number(len(whole)) + whole


def _aligned(data: bytes, size: int) -> bytes:
    return data + b"\0" * (-len(data) % size)
