# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One question to the host's name servers, for a text (RFC 1035): the standard library asks them for addresses only."""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
import time
from collections.abc import Sequence

from .host import Host

RESOLVERS = "/etc/resolv.conf"
PORT = 53
_TXT, _INTERNET = 16, 1
_RECURSION_DESIRED = 0x0100
_LARGEST = 4096
_TIMEOUT_S = 3.0
_MOST = 3
"""As many name servers as the C library asks."""


def name_servers(host: Host) -> tuple[str, ...]:
    """The addresses in the host's ``resolv.conf``."""
    lines = (host.read(RESOLVERS) or b"").decode("utf-8", "replace").splitlines()
    words = [line.split() for line in lines]
    named = [found[1] for found in words if len(found) > 1 and found[0] == "nameserver"]
    return tuple(filter(_is_address, named))[:_MOST]


def text_record(name: str, servers: Sequence[str], *, timeout: float, port: int = PORT) -> str:
    """The text that the name servers know under a name; empty where none answers with one in ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    for server in servers:
        limit = min(_TIMEOUT_S, deadline - time.monotonic())
        if limit <= 0:
            break
        text = _ask(server, port, name, limit)
        if text:
            return text
    return ""


def _ask(server: str, port: int, name: str, limit: float) -> str:
    question = os.urandom(2) + struct.pack("!5H", _RECURSION_DESIRED, 1, 0, 0, 0) + _question(name)
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.settimeout(limit)
            asking.connect((server, port))  # so that nobody else's answer is taken
            asking.send(question)
            return _text_in(asking.recv(_LARGEST), question)
    except (OSError, IndexError, struct.error):
        return ""


def _question(name: str) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split("."))
    return labels + b"\0" + struct.pack("!2H", _TXT, _INTERNET)


def _text_in(answer: bytes, question: bytes) -> str:
    """The first text in an answer to this question; raises IndexError or struct.error for what is none."""
    _flags, _questions, answers = struct.unpack_from("!3H", answer, 2)
    if answer[:2] != question[:2] or answer[12 : len(question)] != question[12:]:
        return ""
    place = len(question)
    for _number in range(answers):
        place = _behind_name(answer, place)
        kind, _group, _life, length = struct.unpack_from("!2HIH", answer, place)
        place += 10
        if kind == _TXT:
            size = answer[place]
            return answer[place + 1 : place + 1 + min(size, length - 1)].decode("ascii", "replace")
        place += length
    return ""


def _behind_name(answer: bytes, place: int) -> int:
    """Where a name ends: after its labels, or after a reference to another name."""
    while answer[place]:
        if answer[place] >= 0xC0:
            return place + 2
        place += answer[place] + 1
    return place + 1


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
