# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints that are directories of this very host: the address is the directory."""

from __future__ import annotations

import os

from ...._core.rollout.delivery import SendResult
from ...._core.values import frozen
from ...._host.host import Host
from .base import OUTPUT_LIMIT, LineNotifier, Printed, Target, Undelivered

AGENT = "usr/local/bin/epp-agent"


@frozen
class LocalNotifier(LineNotifier):
    """Runs the agent of a sandbox endpoint. One whose directory has no agent is off."""

    host: Host

    def exchange(self, target: Target, line: bytes, *, timeout: float, limit: int = OUTPUT_LIMIT) -> Printed:
        if not os.path.isabs(target.address):
            raise Undelivered(SendResult.NOT_REACHED, "no address is known")
        agent = os.path.join(target.address, AGENT)
        try:
            argv = [agent, "--root", target.address, "notice"]
            done = self.host.run(argv, timeout=timeout, stdin=line, keep=limit)
        except OSError as error:
            raise Undelivered(SendResult.NOT_REACHED, f"{agent}: {error.strerror}") from error
        return Printed(done.out, done.err, None if done.cut else done.code)
