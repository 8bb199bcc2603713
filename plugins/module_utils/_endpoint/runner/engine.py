# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run that upgrades the packages of the product's engine: when it may start, under which locks, what it leaves.

It has its own window, and neither joins an update of the product nor is joined by one.
"""

from __future__ import annotations

import syslog
from typing import Callable

from ..._core.policy.enums import BlackoutException
from ..._core.results import ENGINE, Outcome, ReasonKind, Result, Trigger
from ..._core.timestamps import iso
from ..._core.untrusted_text import shown
from ..._core.values import frozen, replace
from ..._host.lock import Busy, locked
from .. import paths
from ..endpoint import Endpoint
from ..engine import is_staged, is_wanted, stream, unsupported, windows
from ..holds import holds_of
from ..state.store import RunRecord, State
from ..status.status import save_and_publish
from ..time_limits import JOIN_MARGIN_S, longest_update
from .admission import skip_reason
from .blackout import refusal
from .packages import PackageUpdate, RingOffer
from .turns import turn

_LEVELS = {Result.FAILED: syslog.LOG_ERR, Result.UNREACHABLE: syslog.LOG_WARNING}
_RETRIED = (Result.UNREACHABLE, Result.SKIPPED)
"""What is tried again at the next waking in the same window."""


@frozen
class EngineReport:
    """One run as its caller sees it; ``recorded`` is False where nobody will want to know. ``known`` is the installed
    version, unless somebody else has brought it past what the ring may install."""

    record: RunRecord
    before: str = ""
    after: str = ""
    known: str = ""
    recorded: bool = True

    def sentence(self) -> str:
        """One line for the journal and the terminal."""
        parts = [f"engine packages: {self.record.result}"]
        if self.before != self.after:
            parts.append(f"{ENGINE} {self.before or 'absent'} to {self.after or 'absent'}")
        return "; ".join(filter(None, (*parts, self.record.why)))


def run(endpoint: Endpoint, *, due: bool, despite_window: bool = False) -> EngineReport:
    """Upgrade the engine's packages if that may be now; every ending is in the report.

    ``due``: woken by the host's scheduler, which happens once an hour; else started by hand.
    """
    started = endpoint.host.now()
    refused = _not_now(endpoint, due=due, despite_window=despite_window)
    if refused is not None:
        return _unrecorded(endpoint, started, refused)
    with locked(endpoint.host, paths.ENGINE_LOCK, wait=0) as held:
        if not held:
            return _unrecorded(endpoint, started, Outcome(Result.SKIPPED, "another run of it is under way"))
        return _locked_run(endpoint, started)


def check(endpoint: Endpoint) -> Outcome:
    """What a run would do now, by the lists of the package sources as they are; nothing is written."""
    update = _update_of(endpoint, endpoint.store.read())
    if update is None:
        return _not_wanted(endpoint) or Outcome(Result.SKIPPED)
    found = update.chosen(refresh=False)
    if isinstance(found, Outcome):
        return found
    return Outcome(Result.UPDATED, f"would upgrade {ENGINE} {update.version()} to {found.version}")


def _not_wanted(endpoint: Endpoint) -> Outcome | None:
    if not is_wanted(endpoint):
        return Outcome(Result.SKIPPED, "components.engine_packages is off, or this product has no such engine")
    why = unsupported(endpoint)
    return Outcome(Result.SKIPPED, why) if why else None


def _not_now(endpoint: Endpoint, *, due: bool, despite_window: bool) -> Outcome | None:
    """Why nothing starts now."""
    state = endpoint.store.read()
    off = skip_reason(Trigger.SCHEDULE, endpoint.document.policy, state) if due else None
    if off is not None:
        return Outcome(Result.SKIPPED, off)
    granted = None if due else BlackoutException.UPDATE_NOW
    if _goes_back(endpoint, state):
        return refusal(endpoint, BlackoutException.ROLLBACK) and refusal(endpoint, granted)
    return (
        _not_wanted(endpoint)
        or (None if despite_window else _outside(endpoint, state, due=due))
        or refusal(endpoint, granted)
    )


def _goes_back(endpoint: Endpoint, state: State) -> bool:
    """Whether a version is installed that the update server has taken back, and an earlier one is kept (G5): that
    waits for no window."""
    update = _update_of(endpoint, state) if is_staged(endpoint) else None
    try:
        return update is not None and update.goes_back()
    except OSError:
        return False


def _outside(endpoint: Endpoint, state: State, *, due: bool) -> Outcome | None:
    """Why its windows forbid it: none is open, or the open one has had its run."""
    known, now = windows(endpoint), endpoint.host.now()
    if known is None:
        return Outcome(Result.SKIPPED, "components.engine_windows: a time zone is not known here any more (tzdata)")
    span = known.at(now)
    if span is None:
        following = known.after(now)
        when = f"; the next one opens at {iso(following.start)}" if following else ""
        return Outcome(Result.SKIPPED, f"outside components.engine_windows{when}")
    if due and state.engine_window == iso(span.start):
        return Outcome(Result.SKIPPED, "this window has had its run")
    return None


def _locked_run(endpoint: Endpoint, started: float) -> EngineReport:
    update = _update_of(endpoint, endpoint.store.read())
    if update is None:
        return _unrecorded(endpoint, started, Outcome(Result.SKIPPED, "the product has no such engine"))
    before = after = _told(update.version)
    outcome = Outcome(Result.FAILED, "the run was stopped")
    try:
        outcome = _outcome(endpoint, update)
    except OSError as error:
        outcome = Outcome(Result.FAILED, str(error))
    finally:
        after = _told(update.version)
        if after != before:
            _switch_off_updaters(endpoint)
        strange = after == before and _is_strange(update, endpoint.store.read(), after)
        report = _report(endpoint, started, outcome, before=before, after=after)
        report = _record(endpoint, report if strange else replace(report, known=after))
    return report


def _outcome(endpoint: Endpoint, update: PackageUpdate) -> Outcome:
    """What is installed is made good first; then choose and fetch beside other updates, and install while none runs."""
    version = update.version()
    bad = update.holds.that_restore().of(ENGINE, version)
    if bad is not None:
        return _alone(endpoint, lambda: bad.outcome(f"{ENGINE} {version}", update.restored(update.holds).why))
    proven = Outcome(Result.CURRENT)
    if endpoint.store.read().engine_unproven and version:  # a run was cut off, or could not go back
        proven = _alone(endpoint, lambda: update.probed(Outcome(Result.CURRENT), alive=update.engine.alive()))
    if update.version() != version:
        return proven
    found = update.chosen()
    if isinstance(found, Outcome):
        return _of_somebody_else(endpoint, update, found) if proven.result is Result.CURRENT else proven
    now = endpoint.host.now()
    begun = {"engine_tried": found.version, "engine_tried_at": now, "engine_outcome": None}
    save_and_publish(endpoint, lambda state: replace(state, **begun))
    return update.fetched(found) or _alone(endpoint, lambda: update.installed(found))


def _of_somebody_else(endpoint: Endpoint, update: PackageUpdate, found: Outcome) -> Outcome:
    """How a run ends that installs nothing. A version that another package manager, or a person, has brought past the
    ring stays, for whoever has the host may do that; but each run tells it."""
    version = update.version()
    if not _is_strange(update, endpoint.store.read(), version) or found.result not in (Result.CURRENT, Result.HELD):
        return found
    strange = update.ring.refusal(f"{ENGINE} {version} was installed by somebody else, and")
    return replace(strange, why="; ".join(filter(None, (strange.why, found.why))), until=found.until)


def _is_strange(update: PackageUpdate, state: State, version: str) -> bool:
    """Whether this version came by other ways than this, past what the ring may install."""
    return version not in ("", state.engine_known) and state.engine_known != "" and not update.ring.permits(version)


def _alone(endpoint: Endpoint, work: Callable[[], Outcome]) -> Outcome:
    """Do this while no update of the product runs."""
    limit = longest_update(endpoint.document) + JOIN_MARGIN_S
    with locked(endpoint.host, endpoint.at(paths.UPDATE_LOCK), wait=limit) as held:
        if not held:
            return Outcome(Result.SKIPPED, f"another update still runs after {limit} s")
        with turn(endpoint) as ending:
            return work() if ending is None else ending


def _update_of(endpoint: Endpoint, state: State) -> PackageUpdate | None:
    packaged = endpoint.product.packaged() if is_wanted(endpoint) and not unsupported(endpoint) else None
    if packaged is None:
        return None
    holds = holds_of(endpoint, state)
    return PackageUpdate(endpoint, packaged, holds, _ring_offer(endpoint))


def _ring_offer(endpoint: Endpoint) -> RingOffer:
    """By the catalog that ``holds_of`` has just asked for."""
    if not is_staged(endpoint):
        return RingOffer()
    from ..trust.published_holds import allowed_engines

    return RingOffer(*allowed_engines(endpoint.host, endpoint.document, stream(endpoint.host)))


def _switch_off_updaters(endpoint: Endpoint) -> None:
    """New packages switch their own services on again; a converge finds these, and switches them off (D3)."""
    from ..converge.converge import converge
    from ..installed import installed_document

    host = endpoint.host
    try:
        document = installed_document(host)
        if document is not None:
            converge(document, host, agent=None, check=False)
    except (OSError, LookupError, ValueError, Busy) as error:
        host.log(syslog.LOG_ERR, f"what the new packages have switched on could not be switched off: {error}")


def _told(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except OSError:
        return ""


def _unrecorded(endpoint: Endpoint, started: float, outcome: Outcome) -> EngineReport:
    return replace(_report(endpoint, started, outcome), recorded=False)


def _report(endpoint: Endpoint, started: float, outcome: Outcome, *, before: str = "", after: str = "") -> EngineReport:
    """The report; versions decide between ``updated`` and ``current`` (R1)."""
    changed = before != after
    if outcome.result is Result.UPDATED and not changed:
        outcome = replace(outcome, result=Result.CURRENT)
    record = RunRecord(
        result=outcome.result.value,
        why=shown(outcome.why),
        started=started,
        finished=endpoint.host.now(),
        until=outcome.until,
        changed=(ENGINE,) if changed else (),
        kind=outcome.kind.value if outcome.kind is not ReasonKind.NONE else "",
    )
    return EngineReport(record, before, after)


def _record(endpoint: Endpoint, report: EngineReport) -> EngineReport:
    """Write the report into the state, the status and the journal; a window whose run has ended has no other one."""
    record, known = report.record, windows(endpoint)
    result = Result(record.result)
    span = None if known is None or result in _RETRIED else known.at(record.started)
    news = {} if span is None else {"engine_window": iso(span.start)}
    news.update({"engine_known": report.known} if report.known else {})
    try:
        save_and_publish(endpoint, lambda state: replace(_with_outcome(state, record), engine=record, **news))
    except OSError as error:
        endpoint.host.log(syslog.LOG_ERR, f"the state can't be written: {error}")
    endpoint.host.log(_LEVELS.get(result, syslog.LOG_INFO), report.sentence())
    return report


def _with_outcome(state: State, record: RunRecord) -> State:
    """The state with how the trial of a version has ended. The failure of a run after one that was cut off is it, too:
    that run has looked at what the other one has left."""
    of_this_run = state.engine_tried_at >= record.started or record.result == Result.FAILED.value
    if not state.engine_tried or state.engine_outcome is not None or not of_this_run:
        return state
    return replace(state, engine_outcome=record)
