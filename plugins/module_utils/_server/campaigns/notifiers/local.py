# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints that are directories of this very host: the address is the directory."""

from __future__ import annotations

import os

from ...._core.rollout.command import UpdateCommand
from ...._core.rollout.delivery import SendResult
from ...._core.values import frozen
from ...._host.host import Host
from .base import Response, Target, parse_response

AGENT = "usr/local/bin/epp-agent"


@frozen
class LocalNotifier:
    """Runs the agent of a sandbox endpoint. One whose directory has no agent is off."""

    host: Host

    def notify(self, target: Target, command: UpdateCommand, *, timeout: float) -> Response:
        if not os.path.isabs(target.address):
            return Response.without_answer(SendResult.NOT_REACHED, "no address is known")
        agent = os.path.join(target.address, AGENT)
        try:
            done = self.host.run([agent, "--root", target.address, "notice"], timeout=timeout, stdin=command.to_line())
        except OSError as error:
            return Response.without_answer(SendResult.NOT_REACHED, f"{agent}: {error.strerror}")
        return parse_response(command, out=done.out, err=done.err, code=None if done.cut else done.code)
