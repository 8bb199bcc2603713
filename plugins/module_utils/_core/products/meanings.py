# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an exit code or a line of output means, and what result that makes beside the versions (R1).

Versions decide between ``updated`` and everything else. A meaning only tells why nothing has changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum

from ..results import Outcome, Result
from ..untrusted_text import LONGEST_SENTENCE
from ..values import frozen


class Meaning(str, Enum):
    """The words of definitions for how a command ended."""

    OK = "ok"
    CURRENT = "current"
    UPDATED = "updated"
    BUSY = "busy"
    COOLING_DOWN = "cooling_down"
    UNREACHABLE = "unreachable"
    HELD = "held"
    LICENSE_EXPIRED = "license_expired"
    NEEDS_RESTART = "needs_restart"
    FAILED = "failed"
    FOUND = "found"
    """Of a scan: it has run well and found something."""

    @property
    def good(self) -> bool:
        """Whether the command has done what it is for, so that the next one may follow."""
        return self in (Meaning.OK, Meaning.CURRENT, Meaning.UPDATED)


WORDS: Mapping[Meaning, str] = {
    Meaning.OK: "it ran well",
    Meaning.CURRENT: "there is nothing new",
    Meaning.UPDATED: "it has brought something new",
    Meaning.BUSY: "an update of the product's own is running",
    Meaning.COOLING_DOWN: "the source wants to be left alone for a while",
    Meaning.UNREACHABLE: "the source was not reached",
    Meaning.HELD: "the product's own console does not allow it",
    Meaning.LICENSE_EXPIRED: "the product's license has expired",
    Meaning.NEEDS_RESTART: "the product has to be restarted first",
    Meaning.FAILED: "it failed",
    Meaning.FOUND: "it has found something",
}
"""What a meaning says where the definition has no words of its own."""
_UNCHANGED: Mapping[Meaning, Result] = {
    Meaning.OK: Result.CURRENT,
    Meaning.CURRENT: Result.CURRENT,
    Meaning.UPDATED: Result.CURRENT,
    Meaning.BUSY: Result.SKIPPED,
    Meaning.COOLING_DOWN: Result.COOLING_DOWN,
    Meaning.UNREACHABLE: Result.UNREACHABLE,
    Meaning.HELD: Result.HELD,
    Meaning.LICENSE_EXPIRED: Result.FAILED,
    Meaning.NEEDS_RESTART: Result.FAILED,
    Meaning.FAILED: Result.FAILED,
}
_NO_CHANGE = "the product reported an update, but no version changed"


@frozen
class Rule:
    """What an exit code or a pattern means. ``wait`` is the length of a cool-down in seconds, where that is known."""

    means: Meaning
    why: str = ""
    wait: int | None = None


@frozen
class OutputRule:
    """What a line of the output means, in any case or only with some exit codes.

    Its groups ``seconds``, ``minutes`` and ``hours`` tell how long a cool-down is, ``until`` when it ends.
    """

    pattern: re.Pattern[str]
    rule: Rule
    exit_codes: tuple[int, ...] = ()
    time_format: str = ""


@frozen
class Ending:
    """How a command ended: what that means, why in words, and the end of a cool-down (Unix seconds)."""

    means: Meaning
    why: str = ""
    until: int | None = None


def outcome(ending: Ending, *, changed: bool) -> Outcome:
    """The outcome of an update whose commands ended like this, and that changed a version or did not."""
    why = ending.why[:LONGEST_SENTENCE]
    if changed:
        return Outcome(Result.UPDATED, "" if ending.means.good else f"the versions changed, but {why}")
    result = _UNCHANGED[ending.means]
    if ending.means is Meaning.UPDATED:
        return Outcome(result, why or _NO_CHANGE)
    until = ending.until if result is Result.COOLING_DOWN else None
    return Outcome(result, "" if ending.means in (Meaning.OK, Meaning.CURRENT) else why, until)


def worst(endings: Sequence[Ending]) -> Ending:
    """The first ending that is not good; else one that says something; else that all went well."""
    bad = next((one for one in endings if not one.means.good), None)
    if bad is not None:
        return bad
    telling = (one for word in (Meaning.UPDATED, Meaning.CURRENT) for one in endings if one.means is word)
    return next(telling, Ending(Meaning.OK))
