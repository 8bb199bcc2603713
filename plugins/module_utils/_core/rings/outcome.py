# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of one endpoint of a ring to which a version was offered (G2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from ..durations import format_duration
from ..values import asdict, field, frozen


class MemberOutcome(str, Enum):
    """How far one endpoint is with a version."""

    PENDING = "pending"
    HEALTHY = "healthy"
    """It has reported the version, updated and with a probe that passed."""
    FAILED = "failed"
    GONE = "gone"
    """It left the ring, was removed, or is roaming, before it finished: it does not count any more."""


@frozen
class Evidence:
    """What the server knows of one endpoint, as reported. Instants are Unix seconds by the server's clock.

    ``heard`` is when it was last heard of. ``has`` says whether it has what its channel is offered, and ``told`` when
    it said so. ``failed`` is when its newest run ended with a failure (None: that was none). ``probed`` is when a probe
    of this version failed. ``away``: it is not in the ring any more, or roaming.
    """

    heard: float | None = None
    has: bool = False
    told: float | None = None
    failed: float | None = None
    probed: float | None = None
    reason: str = ""
    away: bool = False


def outcome_of(known: Evidence, *, since: float, now: float, silence: float) -> tuple[MemberOutcome, str]:
    """The outcome of an endpoint whose ring was offered the version at ``since``; a failure with one sentence."""
    if known.probed is not None and known.probed >= since:
        return MemberOutcome.FAILED, f"probe: {known.reason}" if known.reason else "probe"
    if known.failed is not None and known.failed >= since:
        return MemberOutcome.FAILED, known.reason or "the update failed"
    if known.away:
        return MemberOutcome.GONE, ""
    heard = since if known.heard is None else max(known.heard, since)
    has = known.has and known.told is not None and known.told >= since
    if now - heard > silence:
        why = "lost after the update" if has else "not heard of"
        return MemberOutcome.FAILED, f"{why} for more than {format_duration(int(silence))}"
    return (MemberOutcome.HEALTHY if has else MemberOutcome.PENDING), ""


@frozen
class Tally:
    """How many of a ring's members are where. ``members`` are all endpoints of the ring now; ``eligible`` those that
    counted when the version was offered and still do. ``reason`` is the most frequent one of failures.

    ``doubted``: nobody but one odd endpoint may have the version. ``emptied``: the ring has had members, and no more.
    """

    members: int = 0
    eligible: int = 0
    healthy: int = 0
    failed: int = 0
    reason: str = ""
    reasons: Mapping[str, int] = field(default_factory=dict, repr=False)
    doubted: bool = field(default=False, repr=False)
    emptied: bool = field(default=False, repr=False)

    @property
    def passes_at_once(self) -> bool:
        """Whether there is nobody to wait for."""
        return self.members == 0 and not self.emptied

    @property
    def finished(self) -> int:
        return self.healthy + self.failed

    @property
    def pending(self) -> int:
        return self.eligible - self.finished

    def to_dict(self) -> dict[str, Any]:
        counts = {name: one for name, one in asdict(self).items() if name not in ("doubted", "emptied")}
        return {**counts, "reasons": dict(self.reasons), "pending": self.pending}


def tally(outcomes: Iterable[tuple[MemberOutcome, str]], *, members: int) -> Tally:
    """The count of outcomes."""
    counts: Counter[MemberOutcome] = Counter()
    reasons: Counter[str] = Counter()
    for outcome, reason in outcomes:
        counts[outcome] += 1
        if outcome is MemberOutcome.FAILED:
            reasons[reason] += 1
    eligible = sum(counts.values()) - counts[MemberOutcome.GONE]
    first = sorted(reasons, key=lambda words: (-reasons[words], words))
    return Tally(
        members=members,
        eligible=eligible,
        healthy=counts[MemberOutcome.HEALTHY],
        failed=counts[MemberOutcome.FAILED],
        reason=first[0] if first else "",
        reasons={words: reasons[words] for words in first[:5]},
    )
