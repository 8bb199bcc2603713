# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The notice entry for the update server's account: the line goes to root, the answer comes back.

Root's side is the very same entry (``epp-agent notice``), started by systemd for each connection to a socket that only
this account may open, or by sudo. Nothing but the line goes in; what comes out is bounded.
"""

from __future__ import annotations

import json
import os
import socket

from ..._core.results import Result
from ..._core.rollout.command import REPORT, InvalidCommand, parse_command
from ..._host.output import complain, write_document
from .. import paths
from ..notify_access import sudoers
from ..runner.user_actions import Denied
from . import exit_codes

_LONGEST = 4 * 1024 * 1024
_CHUNK = 65536


def through_sudo() -> None:
    """Become sudo, with our own standard input and output; raises OSError where it can't be started."""
    argv = sudoers.command()
    os.execvp(argv[0], argv)  # noqa: S606  # no shell


def has_socket() -> bool:
    """Whether systemd listens for notices here."""
    return os.path.exists(paths.NOTICE_SOCKET)


def through_socket(line: bytes) -> int:
    """Hand the line over and print the answer; returns the exit status of the entry itself.

    Raises Denied for whoever is not the update server's account, and OSError.
    """
    try:
        parse_command(line)
    except InvalidCommand as error:
        complain("epp-agent", error)
        return exit_codes.USAGE
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        try:
            door.connect(paths.NOTICE_SOCKET)
        except PermissionError:
            raise Denied("denied: the notice entry is the update server's alone, and no privilege grants it") from None
        door.sendall(line)
        door.shutdown(socket.SHUT_WR)
        answer = _answer(door)
    return _tell(answer)


def _answer(door: socket.socket) -> bytes:
    answer = b""
    while len(answer) <= _LONGEST:
        came = door.recv(_CHUNK)
        if not came:
            return answer
        answer += came
    raise OSError(f"the answer is longer than {_LONGEST} bytes")


def _tell(answer: bytes) -> int:
    try:
        told = json.loads(answer)
        result = told["result"]
    except (ValueError, KeyError, TypeError):
        complain("epp-agent", "the notice was not carried out; the journal tells why (journalctl -u 'epp-notice@*')")
        return exit_codes.FAILED
    write_document(told, sort_keys=True)
    return exit_codes.DONE if result in (REPORT, *(one.value for one in Result)) else exit_codes.FAILED
