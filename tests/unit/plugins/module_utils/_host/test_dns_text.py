# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A text record, asked of a real server on loopback."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.dns_text import name_servers, text_record
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost

NAME = "current.cvd.clamav.net"
TEXT = "0.103.12:62:27800:1700000000:1:90:49192:336"
Answering = Callable[[bytes], bytes]


def record(kind: int, content: bytes, *, name: bytes = b"\xc0\x0c") -> bytes:
    return name + struct.pack("!2HIH", kind, 1, 60, len(content)) + content


def answer(question: bytes, *records: bytes) -> bytes:
    return question[:2] + struct.pack("!5H", 0x8180, 1, len(records), 0, 0) + question[12:] + b"".join(records)


TXT = record(16, bytes([len(TEXT)]) + TEXT.encode())
ALIAS = record(5, b"\x05other\x00")


class NameServer:
    def __init__(self) -> None:
        self.answers: Answering = lambda question: answer(question, TXT)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            question, peer = self._socket.recvfrom(4096)
            if question == b"end":
                return
            self._socket.sendto(self.answers(question), peer)

    def stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"end", ("127.0.0.1", self.port))
        self._thread.join(20)
        self._socket.close()


@pytest.fixture
def server() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.stop()


def asked(server: NameServer) -> str:
    return text_record(NAME, ("127.0.0.1",), timeout=5, port=server.port)


@pytest.mark.parametrize("records", [(TXT,), (ALIAS, TXT), (record(1, bytes(4), name=b"\x01a\x00"), TXT)])
def test_the_text_is_found_among_other_records(server: NameServer, records: tuple[bytes, ...]) -> None:
    server.answers = lambda question: answer(question, *records)
    assert asked(server) == TEXT


@pytest.mark.parametrize(
    "spoil",
    [
        lambda question: b"",
        lambda question: question[:5],
        answer,
        lambda question: answer(question, ALIAS),
        lambda question: answer(question, TXT)[: len(question) + 5],
        lambda question: bytes([question[0] ^ 1]) + answer(question, TXT)[1:],
        lambda question: answer(question, TXT).replace(b"clamav", b"malvac"),
        lambda question: answer(question, b"\xc0"),
        lambda question: answer(question, b"\x3f"),
    ],
)
def test_what_is_no_answer_is_none(server: NameServer, spoil: Answering) -> None:
    server.answers = spoil
    assert asked(server) == ""


def test_the_next_server_is_asked_where_nobody_answers(server: NameServer) -> None:
    assert text_record(NAME, ("192.0.2.1", "127.0.0.1"), timeout=8, port=server.port) == TEXT
    assert text_record(NAME, (), timeout=5) == ""


def test_name_servers_are_those_of_the_host(tmp_path: Path) -> None:
    host = LocalHost(str(tmp_path))
    assert name_servers(host) == ()
    host.write(
        "/etc/resolv.conf",
        b"# nameserver 9.9.9.9\nsearch x\nnameserver 192.0.2.7\nnameserver 2001:db8::1\nnameserver x\n",
    )
    assert name_servers(host) == ("192.0.2.7", "2001:db8::1")
