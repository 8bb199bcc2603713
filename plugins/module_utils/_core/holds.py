# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The versions that an endpoint must not use, and why (G5)."""

from __future__ import annotations

from collections.abc import Iterable

from .results import Component, Outcome, ReasonKind, Result
from .values import frozen


@frozen
class Hold:
    """One version that is held: of a ``component``; without one of a release as a whole, or else of any component.

    With ``restores``, an endpoint that has the version goes back to the last good one; without, it keeps it.
    ``by_probe`` is one that this endpoint's own probe has refused, which the ``reason`` tells.
    """

    version: str
    component: str = ""
    reason: str = ""
    restores: bool = True
    by_probe: bool = False

    def applies(self, component: str, version: str) -> bool:
        return self.version == version and self.component in ("", component)

    def words(self, what: str) -> str:
        """A sentence about ``what``, a component and its version."""
        verb = "failed its probe here" if self.by_probe else "is held"
        return f"{what} {verb}: {self.reason}" if self.reason else f"{what} {verb}"

    def outcome(self, what: str, then: str = "") -> Outcome:
        """The result of an update that this hold has kept back; ``then`` is what follows in the sentence."""
        words = self.words(what) + (f"; {then}" if then else "")
        return Outcome(Result.FAILED, words, kind=ReasonKind.PROBE) if self.by_probe else Outcome(Result.HELD, words)


@frozen
class Holds:
    """All that an endpoint must not use."""

    entries: tuple[Hold, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.entries)

    def of(self, component: str, version: str) -> Hold | None:
        """The hold of a version of a component, for products whose components are published one by one."""
        return next((hold for hold in self.entries if hold.applies(component, version)), None)

    def concern(self, component: str) -> bool:
        """Whether any version of this component is held."""
        return any(hold.component in ("", component) for hold in self.entries)

    def among(self, components: Iterable[Component]) -> tuple[str, Hold] | None:
        """The first of these components that has a held version, in words, and its hold."""
        found = ((f"{one.name} {one.version}", self.of(one.name, one.version)) for one in components)
        return next(((what, hold) for what, hold in found if hold is not None), None)

    def that_restore(self) -> Holds:
        """Those alone on whose account an installed version is replaced."""
        return Holds(tuple(hold for hold in self.entries if hold.restores))


NO_HOLDS = Holds()
