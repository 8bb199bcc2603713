# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What apt-get prints in the C locale, read."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..._core.untrusted_text import LONGEST_WORD, shown
from ..._core.values import frozen
from ..._host.host import Completed

_STEP = re.compile(r"(Inst|Remv) (\S+?)(?::\S+)? (?:\[(\S+)\] ?)?(?:\((\S+) )?.*")
_FAILED_TO_FETCH = re.compile(r"[EW]: Failed to fetch (\S+)")
"""What apt-get gives up; a line ``Err:`` is tried in another form, or again."""
_BUSY = ("Could not get lock", "Unable to acquire the dpkg frontend lock", "Unable to lock")


@frozen
class Step:
    """One package in a plan: the version ``before``, empty for a new one, and ``after``, empty for one that goes."""

    name: str
    before: str
    after: str


@frozen
class Plan:
    """What apt-get would do; ``refusal`` is why it refuses."""

    steps: tuple[Step, ...] = ()
    refusal: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """The upgrades as apt-get takes them."""
        return tuple(f"{one.name}={one.after}" for one in self.steps)

    def version(self, core: str) -> str:
        """The version that the engine itself would have; of the first package where that one stays as it is."""
        after = [(one.name, one.after) for one in self.steps]
        return next((version for name, version in after if name.startswith(core)), after[0][1] if after else "")

    def beside(self, names: Iterable[str]) -> tuple[str, ...]:
        """What it would do beyond upgrades of these packages, in words."""
        known = set(names)
        verbs = {True: "install", False: "remove"}
        return tuple(
            f"{'upgrade' if one.before and one.after else verbs[bool(one.after)]} {one.name}"
            for one in self.steps
            if one.name not in known or not (one.before and one.after)
        )


def plan_of(done: Completed) -> Plan:
    """The plan in the output of a simulation."""
    if done.code != 0 or done.cut:
        return Plan(refusal=last_word(done))
    found = filter(None, map(_STEP.fullmatch, done.out.splitlines()))
    return Plan(tuple(Step(m[2], m[3] or "", (m[4] or "") if m[1] == "Inst" else "") for m in found))


def unreached(done: Completed) -> tuple[str, ...]:
    """The URLs that could not be fetched, each once."""
    found = (match[1] for line in f"{done.out}\n{done.err}".splitlines() if (match := _FAILED_TO_FETCH.match(line)))
    return tuple(dict.fromkeys(shown(url, LONGEST_WORD) for url in found))


def is_busy(done: Completed) -> bool:
    """Whether another package manager was at work."""
    return any(words in done.err for words in _BUSY)


def last_word(done: Completed) -> str:
    """How it ended, with the last error that it told."""
    errors = [line.strip() for line in done.err.splitlines() if line.startswith(("E: ", "dpkg: error"))]
    said = errors or [line.strip() for line in done.err.splitlines() if line.strip()]
    return f"apt-get {done.ended}" + (f": {shown(said[-1])}" if said else "")
