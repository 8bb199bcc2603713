# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever happens in whatever order: no ring is offered what the one before has not passed, or what is stopped."""

from __future__ import annotations

from contextlib import suppress

from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings import by_hand
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.by_hand import NotPossible, Word
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.decide import Decision, decide, is_idle
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.outcome import Tally
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rings.state import (
    RolloutState,
    aligned,
    forgotten,
    published,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.rollout import RolloutSettings
from hypothesis import given
from hypothesis import strategies as st

RINGS = ("a", "b", "c")
SETTINGS = RolloutSettings.from_dict(
    {
        "files": {
            "rings": [{"name": "a", "percent": 1}, {"name": "b", "percent": 9}, {"name": "c"}],
            "bake_time": "2h",
            "deadline": "1d",
            "failure_threshold": "20%",
            "minimum_finished": 3,
        }
    }
).products["files"]
TALLY = st.builds(
    lambda members, off, healthy, failed: Tally(
        members=members,
        eligible=max(0, members - off),
        healthy=min(healthy, max(0, members - off)),
        failed=min(failed, max(0, members - off - min(healthy, max(0, members - off)))),
    ),
    *(st.integers(0, 12) for _field in range(4)),
)
STEP = st.one_of(
    st.just("publish"),
    st.tuples(st.integers(0, 90_000), st.tuples(TALLY, TALLY, TALLY), st.booleans()),
    st.tuples(st.sampled_from(["resume", "abort", "hold", "release", "expedite"]), st.integers(1, 6)),
)


class Course:
    """A rollout with all that was ever decided about it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.count = 0
        self.state = aligned(RolloutState(), SETTINGS)
        self.offered: dict[str, set[str]] = {name: set() for name in RINGS}
        self.passed: dict[str, set[str]] = {name: set() for name in RINGS}

    def take(self, decision: Decision) -> None:
        for event in decision.events:
            if event.kind.value == "expedited":
                for name in event.evidence["rings"]:
                    self.offered[name].add(event.version)
            elif event.kind.value == "offered":
                before = dict(zip(RINGS[1:], RINGS)).get(event.ring)
                assert before is None or event.version in self.passed[before]
                self.offered[event.ring].add(event.version)
            elif event.kind.value == "passed":
                assert event.version in self.offered[event.ring]
                self.passed[event.ring].add(event.version)
        self.state = forgotten(decision.state)

    def publish(self) -> None:
        self.count += 1
        first = not self.state.versions
        self.state = published(self.state, str(self.count))
        for name in RINGS if first else ():
            self.offered[name].add(str(self.count))
            self.passed[name].add(str(self.count))

    def order(self, action: str, version: str) -> None:
        word = Word("why", "somebody", self.now)
        made = getattr(by_hand, action)
        more = ({},) if action in ("abort", "hold") else ()
        with suppress(NotPossible):
            self.take(made(self.state, version, word, *more))

    def check(self) -> None:
        for name in RINGS:
            version = self.state.offered(name)
            assert version == "" or version in self.offered[name]
            assert version not in self.state.stops
            assert self.state.versions == () or version != "" or self.state.stops


@given(st.lists(STEP, max_size=40))
def test_no_ring_is_ever_offered_what_it_should_not_have(steps: list[object]) -> None:
    course = Course()
    for step in steps:
        if step == "publish":
            course.publish()
        elif isinstance(step, tuple) and isinstance(step[0], str):
            course.order(step[0], str(step[1]))
        elif isinstance(step, tuple):
            seconds, counts, promoting = step
            course.now += seconds
            tallies = dict(zip(RINGS, counts))
            idle = is_idle(SETTINGS, course.state)
            decision = decide(SETTINGS, course.state, tallies, course.now, promoting=promoting)
            assert not (idle and decision.events)
            course.take(decision)
        course.check()
