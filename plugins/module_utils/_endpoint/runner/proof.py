# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One update that is proven before it counts: the probe behind it, the way back where it fails (G3, G5)."""

from __future__ import annotations

import syslog
from collections.abc import Sequence
from typing import Callable

from ..._core.holds import Hold, Holds
from ..._core.probes import ProbeOutcome
from ..._core.results import Component, Outcome, ReasonKind, Result
from ..._core.untrusted_text import shown
from ..._core.values import frozen, replace
from ..endpoint import Endpoint
from ..holds import holds_of, not_offered
from ..products.base import Restored
from ..state.store import ProbeRecord, Rejection, State
from ..status.status import save_and_publish
from .report import changed_components

_TOLD = 3
_Transform = Callable[[State], State]


def proven_update(endpoint: Endpoint, state: State, before: Sequence[Component]) -> Outcome:
    """Update, and take back what its probe refuses; ``before`` is what is installed. Raises OSError.

    What is held and installed is replaced first, by what was kept of earlier versions.
    """
    holds = holds_of(endpoint, state)
    return _Proof(endpoint, holds, tuple(before), _unproven(state, before)).outcome()


def _unproven(state: State, before: Sequence[Component]) -> bool:
    """Whether what is installed has not passed a probe: a run was cut off, or could not go back."""
    failed = state.probe is not None and not state.probe.ok and state.probe.versions == _versions(before)
    return state.unproven or failed


@frozen
class _Proof:
    """One update. ``unproven``: what was installed before it is to be probed, whether it changes anything or not."""

    endpoint: Endpoint
    holds: Holds
    before: tuple[Component, ...]
    unproven: bool

    def outcome(self) -> Outcome:
        product = self.endpoint.product
        # A cut-off run may have left an engine that its new version has killed.
        alive = product.alive() or (self.unproven and bool(product.idle()))
        if not self.unproven:
            self._keep()
        bad = product.held(self.holds.that_restore())
        back = product.restore(self.holds, alive=alive) if bad is not None else None
        start = product.components() if back is not None else self.before
        outcome = product.update(self.endpoint.document.limits.update, self.holds)
        after = product.components()
        came = [one.name for one in after] if self.unproven else changed_components(start, after)
        strange = not_offered(self.endpoint, came, after)
        holds = Holds((*self.holds.entries, *strange.entries))
        still = product.held(holds.that_restore())
        if still is not None:
            return self._held_after_all(still, holds, outcome, alive, stays_doubtful=bool(strange))
        if changed_components(start, after) or self.unproven:
            outcome = self._probed(outcome, start, after, alive)
        return outcome if bad is None or back is None else _replaced(bad, outcome, back)

    def _held_after_all(
        self, found: tuple[str, Hold], holds: Holds, outcome: Outcome, alive: bool, *, stays_doubtful: bool
    ) -> Outcome:
        """A held version is installed after the update: it came although it was held, or nothing else is to be had.

        ``stays_doubtful``: where it stays, the next run looks at it again, whatever that one brings.
        """
        what, hold = found
        tried = self.endpoint.product.restore(holds, alive=alive)
        if stays_doubtful:
            self._save(lambda state: replace(state, unproven=not tried.done))
        return hold.outcome(what, tried.why if tried.done or not outcome.why else f"{tried.why}; {outcome.why}")

    def _probed(self, outcome: Outcome, start: Sequence[Component], after: Sequence[Component], alive: bool) -> Outcome:
        probe, product = self.endpoint.document.probe, self.endpoint.product
        if not probe.enabled:
            self._keep()
            return outcome
        self._save(lambda state: replace(state, unproven=True))
        probed = product.probe(probe, alive=alive)
        if probed is not None and not probed.passed:
            return self._refused(probed, start, after, alive)
        self._save(lambda state: replace(state, unproven=False, probe=self._record(probed, after) or state.probe))
        self._keep()
        if probed is None or not probed.remarks:
            return outcome
        return replace(outcome, why="; ".join(filter(None, (outcome.why, probed.why))))

    def _refused(
        self, probed: ProbeOutcome, start: Sequence[Component], after: Sequence[Component], alive: bool
    ) -> Outcome:
        """Go back to the set before; what is not installed any more then is what the probe has refused."""
        new = changed_components(start, after)
        now, why = self.endpoint.host.now(), shown(probed.why)
        told = {name: version for name, version in _versions(after).items() if name in new}
        refused = tuple(Hold(version, name, by_probe=True) for name, version in told.items())
        back = self.endpoint.product.restore(Holds((*self.holds.entries, *refused)), alive=alive)
        gone = changed_components(self.endpoint.product.components(), after) if back.done else ()
        rejected = {name: Rejection(one, now, why) for name, one in _versions(after).items() if name in gone}
        record = self._record(probed, after)
        self._save(lambda state: replace(state, unproven=False, probe=record, rejected={**state.rejected, **rejected}))
        what = _list([f"{name} {version}" for name, version in told.items()]) or "what is installed"
        self.endpoint.host.log(syslog.LOG_ERR, f"the probe of {what} failed: {why}")
        return Outcome(Result.FAILED, f"the probe of {what} failed: {probed.why}; {back.why}", kind=ReasonKind.PROBE)

    def _record(self, probed: ProbeOutcome | None, after: Sequence[Component]) -> ProbeRecord | None:
        if probed is None:
            return None
        return ProbeRecord(probed.passed, shown(probed.why), self.endpoint.host.now(), _versions(after))

    def _keep(self) -> None:
        """Keep what is installed for a way back; where that can't be, the update goes on without."""
        try:
            self.endpoint.product.keep()
        except OSError as error:
            self.endpoint.host.log(syslog.LOG_WARNING, f"the installed version can't be kept: {error}")

    def _save(self, transform: _Transform) -> None:
        try:
            save_and_publish(self.endpoint, transform)
        except OSError as error:
            self.endpoint.host.log(syslog.LOG_ERR, f"the state can't be written: {error}")


def _replaced(bad: tuple[str, Hold], outcome: Outcome, back: Restored) -> Outcome:
    """The outcome of a run that began with a held version, which is gone."""
    if outcome.result is Result.FAILED or (outcome.result is Result.UPDATED and back.done):
        return outcome
    what, hold = bad
    return hold.outcome(what, back.why if back.done else "another version is in its place")


def _versions(components: Sequence[Component]) -> dict[str, str]:
    return {component.name: component.version for component in components}


def _list(words: Sequence[str]) -> str:
    more = f" and {len(words) - _TOLD} more" if len(words) > _TOLD else ""
    return ", ".join(words[:_TOLD]) + more
