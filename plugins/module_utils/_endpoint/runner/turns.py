# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turns: of an endpoint's products one is updated at a time, unless its document says that they may go together (D2).

Updates of two products need the same memory, disk and, with signatures of third parties, the same directory; and a turn
costs minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..._core.results import Outcome, Result
from ..._host.lock import locked
from .. import paths
from ..endpoint import Endpoint
from ..time_limits import longest_turn


@contextmanager
def turn(endpoint: Endpoint) -> Iterator[Outcome | None]:
    """Wait until no update of another product runs, and hold that off; yields the ending of a run that had no turn."""
    if not endpoint.beside:
        yield None
        return
    limit = longest_turn(endpoint.beside)
    with locked(endpoint.host, paths.TURN_LOCK, wait=limit) as held:
        yield None if held else Outcome(Result.FAILED, f"updates of other products still run after {limit} s")
