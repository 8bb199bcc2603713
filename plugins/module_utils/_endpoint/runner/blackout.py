# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a blackout (G7) refuses: the last word before an update starts, whatever its trigger."""

from __future__ import annotations

from typing import Callable

from ..._core.policy.enums import BlackoutException
from ..._core.results import Outcome, Result
from ..._core.schedule.slots import even_slot, hashed_ordinal, product_shift
from ..endpoint import Endpoint
from ..holds import holds_of
from ..state.store import RunRecord

AFTER_S = 3600
"""Over how many seconds after a blackout those endpoints are spread that came back during it (E2, N3)."""


def refusal(endpoint: Endpoint, exception: BlackoutException | None = None) -> Outcome | None:
    """The ending of a run that a blackout refuses now, None where it may start; ``until`` is the blackout's end.

    A run that goes back from a held version, or brings an expedited one, is known by the signed catalog, and passes
    where policy lets it.
    Where the zone of a blackout is not known (any more), nobody can tell whether it is over: nothing starts.
    """
    schedule = endpoint.document.policy.schedule
    if not schedule.blackouts or exception in schedule.blackout_exceptions:
        return None
    timetable = endpoint.timetable()
    if timetable is None or timetable.blackouts is None:
        return Outcome(Result.SKIPPED, f"it is not known when blackouts are: {endpoint.lost_timetable()}")
    over = timetable.blackouts.at(endpoint.host.now())
    if over is None or any(_IS_DUE[one](endpoint) for one in schedule.blackout_exceptions if one in _IS_DUE):
        return None
    return refused_by(over.name, over.end)


def _goes_back(endpoint: Endpoint) -> bool:
    """Whether a version is installed that is held and has to be replaced (G5)."""
    holds = holds_of(endpoint, endpoint.store.read()).that_restore()
    try:
        return bool(holds) and endpoint.product.held(holds) is not None
    except OSError:
        return False


def _is_expedited(endpoint: Endpoint) -> bool:
    if not endpoint.document.channel:
        return False
    from ..trust.published_holds import is_expedited

    return is_expedited(endpoint.host, endpoint.document)


_IS_DUE: dict[BlackoutException, Callable[[Endpoint], bool]] = {
    BlackoutException.ROLLBACK: _goes_back,
    BlackoutException.EXPEDITE: _is_expedited,
}


def refused_by(name: str, end: int) -> Outcome:
    """The ending of a run that the blackout of this name, or these names, refuses."""
    return Outcome(Result.SKIPPED, f"blackout {name}", until=end)


def is_told(last: RunRecord | None, outcome: Outcome) -> bool:
    """Whether the last record of a trigger says the same: a blackout is told once, not at every waking in it."""
    return last is not None and (last.result, last.why, last.until) == (
        outcome.result.value,
        outcome.why,
        outcome.until,
    )


def turn_after(endpoint: Endpoint, last: RunRecord | None, now: float) -> float | None:
    """When an endpoint whose reconnect a blackout refused has its turn after it; None where it is free to start."""
    if last is None or last.until is None or last.result != Result.SKIPPED.value:
        return None
    document = endpoint.document
    number = hashed_ordinal(document.endpoint) if document.ordinal is None else document.ordinal
    turn = last.until + (even_slot(number, AFTER_S) + product_shift(document.place, AFTER_S)) % AFTER_S
    return turn if last.until <= now < turn else None
