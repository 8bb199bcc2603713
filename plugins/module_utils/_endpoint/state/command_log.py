# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which notices of the update server this endpoint has taken, and what it answered (N4).

The id of a campaign is written down before its update begins, the answer when it has ended. So whoever sends a notice
again, because the connection or the server itself broke, learns what became of it, and starts nothing.
"""

from __future__ import annotations

import json
from typing import Any

from ..._core.rollout.command import UpdateCommand
from ..._core.values import asdict, frozen, replace
from ..._host.host import Host
from .. import paths

FORMAT = 1
_KEPT = 50


@frozen
class HandledCommand:
    """A notice that was taken: when (Unix seconds), after how many runs, and the answer once there is one."""

    campaign: str
    version: str
    at: float
    runs: int
    answer: dict[str, Any] | None = None


class CommandLog:
    """The notices of one host; to be used under ``paths.NOTICE_LOCK``."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def find(self, order: UpdateCommand) -> HandledCommand | None:
        """The notice of the same campaign, None when this is the first time."""
        return next((taken for taken in self._read() if taken.campaign == order.campaign), None)

    def taken(self) -> list[HandledCommand]:
        """All of them, the oldest first."""
        return self._read()

    def begin(self, order: UpdateCommand, *, at: float, runs: int) -> HandledCommand:
        """Write down that this notice is now being carried out."""
        taken = HandledCommand(order.campaign, order.version, at, runs)
        self._write([*self._read(), taken])
        return taken

    def finish(self, taken: HandledCommand, answer: dict[str, Any]) -> None:
        """Write down the answer."""
        others = [one for one in self._read() if one.campaign != taken.campaign]
        self._write([*others, replace(taken, answer=answer)])

    def withdraw(self, taken: HandledCommand) -> None:
        """Forget a notice of which nothing came and that will come again: after a blackout (G7)."""
        self._write([one for one in self._read() if one.campaign != taken.campaign])

    def _read(self) -> list[HandledCommand]:
        try:
            return [
                HandledCommand(**one) for one in json.loads(self._host.read(paths.NOTICES) or b"{}").get("notices", ())
            ]
        except (ValueError, TypeError, AttributeError):
            self._host.log(4, f"{paths.NOTICES} can't be understood; a notice may be carried out a second time")
            return []

    def _write(self, notices: list[HandledCommand]) -> None:
        content = {"format": FORMAT, "notices": [asdict(one) for one in notices[-_KEPT:]]}
        self._host.write(paths.NOTICES, json.dumps(content, sort_keys=True).encode(), mode=0o600)
