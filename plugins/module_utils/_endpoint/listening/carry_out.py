# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An order is carried out by the entry of notices, as one that came by SSH: its journal begins a campaign once (N4)."""

from __future__ import annotations

import json
import socket
from typing import Any

from ..._core.rollout.command import UpdateCommand
from .. import paths
from ..endpoint import Endpoint
from ..time_limits import JOIN_MARGIN_S, longest_update

_LONGEST = 4 * 1024 * 1024
_CHUNK = 65536


def carry_out(endpoint: Endpoint, command: UpdateCommand) -> dict[str, Any] | None:
    """Hand the command to the entry and wait for its answer; None where none came, so that nothing is known of it."""
    line, limit = command.to_line(), 2.0 * (longest_update(endpoint.document) + JOIN_MARGIN_S)
    try:
        told = _by_socket(line, limit) if endpoint.host.live else _by_agent(endpoint, line, limit)
        answer = json.loads(told)
    except (OSError, ValueError) as error:
        endpoint.host.log(4, f"the order of campaign {command.campaign} could not be carried out yet: {error}")
        return None
    return answer if isinstance(answer, dict) and isinstance(answer.get("result"), str) else None


def _by_socket(line: bytes, limit: float) -> bytes:
    answer = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.settimeout(limit)
        door.connect(paths.NOTICE_SOCKET)
        door.sendall(line)
        door.shutdown(socket.SHUT_WR)
        while len(answer) <= _LONGEST:
            came = door.recv(_CHUNK)
            if not came:
                break
            answer += came
    return answer


def _by_agent(endpoint: Endpoint, line: bytes, limit: float) -> bytes:
    """On a directory that stands for a host, where no socket listens."""
    host = endpoint.host
    done = host.run([host.real(paths.AGENT), "--root", host.root, "notice"], timeout=limit, stdin=line)
    return done.out.encode()
