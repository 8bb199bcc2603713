# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was found to start an updater, as values."""

from __future__ import annotations

from ..._core.resources.resources import Resource
from ..._core.system_files.vendor_updaters import Starters
from ..._core.values import field, frozen, replace


@frozen
class Found:
    """What a host's files should hold so that nothing starts the updater, and what must not run.

    ``notes`` tell for paths of ``entries`` what has to be remembered. ``theirs`` are those names in ``notes`` and
    ``starters`` that an administrator wrote. ``told`` is what starts the updater and goes on doing so, in words.
    """

    entries: tuple[Resource, ...] = ()
    notes: dict[str, str] = field(default_factory=dict)
    starters: Starters = Starters()
    theirs: tuple[str, ...] = ()
    told: tuple[str, ...] = ()

    def with_more(self, other: Found) -> Found:
        """Both together."""
        one, two = self.starters, other.starters
        return Found(
            entries=(*self.entries, *other.entries),
            notes={**self.notes, **other.notes},
            starters=Starters(
                units=(*one.units, *two.units),
                scripts=(*one.scripts, *two.scripts),
                lasting=(*one.lasting, *two.lasting),
            ),
            theirs=(*self.theirs, *other.theirs),
            told=(*self.told, *other.told),
        )

    def of_administrators(self, words: tuple[str, ...], *, takeover: bool) -> Found:
        """What an administrator wrote is switched off with a take-over alone; otherwise it is told."""
        if not takeover:
            return Found(told=words)
        return replace(self, theirs=(*self.notes, *self.starters.units, *self.starters.scripts))
