# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rollout of one product on this host: what its rings try, what is decided about it, and what follows from that."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timezone, tzinfo

from ..._core.rings.decide import Decision, Event, EventKind, decide, is_idle, may_promote
from ..._core.rings.state import Phase, RolloutState, aligned, forgotten, published
from ..._core.rollout.outdated import Offer
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.settings.retries import RetryPolicy
from ..._core.settings.rollout import ProductRollout
from ..._core.values import frozen, replace
from ..._host.host import Host
from ..._host.timezone import zone_of
from ..campaigns.start import RingMembers, ring_key, start_ring_campaign
from ..campaigns.store import CampaignStore
from ..channels import store
from ..channels.base import Channels
from ..channels.staged import Offers, fill_channels, new_components, select_channels
from ..database.database import transaction
from ..settings import notify_settings
from .members import Fleet, RingFleet, Trial, freeze, tallies, thaw


@frozen
class ProductJob:
    """One product; to be used under the lock of rollouts."""

    host: Host
    connection: sqlite3.Connection
    product: ProductKind
    rollout: ProductRollout

    @property
    def name(self) -> str:
        """What the rollout is on record by, and what people call it."""
        return self.product.value

    def fleet(self) -> RingFleet:
        """The endpoints that it is about."""
        return self._fleet()

    def _fleet(self) -> Fleet:
        return Fleet.of(self.connection, self.product, self.rollout)

    @property
    def channels(self) -> Channels:
        return select_channels(self.host, self.product)

    def state(self) -> RolloutState:
        """The state on record, with the rings of the settings."""
        return aligned(store.read_state(self.connection, self.product.value) or RolloutState(), self.rollout)

    def offers(self, state: RolloutState) -> Offers:
        return Offers(state, self.rollout, store.contents(self.connection, self.product.value))

    def decide(self) -> tuple[Event, ...]:
        """Take in the newest version, count, and decide: one transaction."""
        newest, now = self.channels.newest(), self.host.now()
        promoting = may_promote(self.rollout.promotion, now, self.zone())
        with transaction(self.connection):
            state, events = self.state(), []
            if newest is not None and newest.version not in state.versions:
                store.keep_version(self.connection, self.product.value, newest.version, newest.text, now)
                state = published(state, newest.version)
                events.append(Event(EventKind.PUBLISHED, newest.version))
            decision = Decision(state)
            if not is_idle(self.rollout, state):
                fleet = self._fleet()
                counted = tallies(self.connection, fleet, state, self.trials(state), now)
                decision = decide(self.rollout, state, counted, now, promoting=promoting)
            whole = replace(decision, events=(*events, *decision.events))
            self.record(whole, now)
        return whole.events

    def record(self, decision: Decision, now: float) -> None:
        """Keep a decision, in the caller's transaction."""
        name = self.name
        before, after = store.read_state(self.connection, name) or RolloutState(), forgotten(decision.state)
        if after != before:
            store.write_state(self.connection, name, after)
        others = _other_trials(before, after)
        thaw(self.connection, name, others)
        store.add_events(self.connection, name, decision.events, now)
        begun = [trial for ring, trial in self.trials(after).items() if ring in others] if others else []
        if begun:
            freeze(self.connection, self.fleet(), begun, now)

    def trials(self, state: RolloutState) -> dict[str, Trial]:
        """What each ring tries, of those that try something."""
        offers, channels, found = self.offers(state), self.channels, {}
        for ring in self.rollout.rings:
            mine = state.rings[ring.name]
            if state.phase(ring.name) is not Phase.BAKING or mine.candidate not in offers.contents:
                continue
            items = channels.items(ring.name, offers.contents[mine.candidate])
            good = offers.contents.get(mine.good[0], "") if mine.good else ""
            before = channels.published(good) if good else None
            had = {(item.name, item.version) for item in (before.items if before else ())}
            new = {item.name: item.version for item in items if (item.name, item.version) not in had}
            offer = Offer(self.product, mine.candidate, items)
            found[ring.name] = Trial(ring.name, offer, new, mine.since, ring.thresholds.silence)
        return found

    def new_components(self, version: str) -> dict[str, str]:
        """The component versions that are new in a version: by these endpoints can tell that they have it."""
        return new_components(self.channels, self.offers(self.state()), version)

    def fill(self) -> None:
        """Let each channel have what its ring is offered."""
        fill_channels(self.channels, self.offers(self.state()))

    def notify(self) -> Iterator[str]:
        """Withdraw the notices of what is stopped, and begin the campaigns of what rings try; their ids.

        Who has what is held is notified, too, so that it goes back at once (G5).
        """
        state, now, campaigns = self.state(), self.host.now(), CampaignStore(self.connection)
        limits = notify_settings(self.host).limits
        if self.rollout.dry_run:
            return
        for version, stop in state.stops.items():
            why = f"version {version} is {stop.kind.value}: {stop.reason}"
            campaigns.stop(self.product.value, version, why, now)
        news = {name: (trial.offer, trial.since) for name, trial in self.trials(state).items()} or self._first(state)
        fleet = self._fleet() if news else None
        for name, (offer, since) in news.items() if fleet else ():
            ring = RingMembers(name, since, fleet.rings[name] if fleet else ())
            begun = start_ring_campaign(self.connection, offer, ring, now=now, limits=limits)
            yield from [begun] if begun else []
        yield from self._back(state, limits)

    def _back(self, state: RolloutState, limits: RetryPolicy) -> Iterator[str]:
        """Begin the campaigns of the rings that go back from what is held, each once; their ids."""
        offers = self.offers(state)
        for stop in (one for one in state.stops.values() if one.restore):
            for name in state.rings:
                content = offers.contents.get(state.offered(name))
                if content is None or state.phase(name) is not Phase.IDLE:
                    continue
                offer = Offer(self.product, state.offered(name), self.channels.items(name, content))
                if ring_key(self.connection, offer, name, stop.since) is None:
                    continue
                fleet = self._fleet()
                ring = RingMembers(name, stop.since, fleet.holders(name, stop.components), chosen=True)
                begun = start_ring_campaign(self.connection, offer, ring, now=self.host.now(), limits=limits)
                yield from [begun] if begun else []

    def _first(self, state: RolloutState) -> dict[str, tuple[Offer, float]]:
        """The first version ever, which all rings are offered at once; nothing where there is another one."""
        if len(state.versions) != 1:
            return {}
        version, content = state.newest, self.offers(state).contents.get(state.newest)
        if content is None:
            return {}
        offers = {name: Offer(self.product, version, self.channels.items(name, content)) for name in state.rings}
        return {name: (offer, 0.0) for name, offer in offers.items()}

    def clean(self) -> None:
        """Remove the content of versions that no ring needs any more."""
        name, used = self.product.value, set(self.state().versions)
        kept = store.contents(self.connection, name)
        dropped = [version for version in kept if version not in used]
        self.channels.clean([kept[one] for one in kept if one in used], [kept[one] for one in dropped])
        with transaction(self.connection):
            store.drop_versions(self.connection, name, dropped)

    def zone(self) -> tzinfo:
        """The clock of its hours of promotion."""
        try:
            return zone_of(self.host, self.rollout.promotion.timezone)
        except KeyError:
            return timezone.utc


def _other_trials(before: RolloutState, after: RolloutState) -> list[str]:
    """The rings that try something else than before, or the same anew."""
    trial = {name: (ring.candidate, ring.since) for name, ring in before.rings.items()}
    return [name for name, ring in after.rings.items() if trial.get(name) != (ring.candidate, ring.since)]
