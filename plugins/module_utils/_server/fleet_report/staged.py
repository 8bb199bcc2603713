# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Staged rollouts in the table of endpoints: the ring of each, and what became of it with what its ring tries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._core.rings.engines import Track
from ..rollout.standing import Standing
from .columns import Column, Missing
from .facts import EndpointFacts

_OTHER = Missing("it has another product")
_NO_ENGINE = Missing("it upgrades no packages of this stream")
_NOTHING = Missing("its ring tries no version")


def columns(facts: Sequence[EndpointFacts], staged: Sequence[Standing]) -> Iterator[Column]:
    """Two columns for each product that has rings, and for each stream of packages; a row for each endpoint."""
    for standing in staged:
        other = _OTHER if Track.of(standing.product) is None else _NO_ENGINE
        rings, words = standing.rings_of(), standing.words_of()
        ring = Column(f"ring:{standing.product}", f"ring of {standing.product}")
        outcome = Column(f"rollout:{standing.product}", f"rollout of {standing.product}")
        for one in facts:
            ring.add(rings.get(one.name, other))
            outcome.add(words.get(one.name, _NOTHING if one.name in rings else other))
        yield from (ring, outcome)
