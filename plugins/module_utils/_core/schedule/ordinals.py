# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ordinals of one update source: dense, the lowest free one first, and kept for life (SPEC S5)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

MOST_ORDINAL = 2**53 - 1
"""The highest one that every JSON reader keeps exactly."""


def give(held: Collection[int], claimed: Mapping[str, int], wanting: Iterable[str]) -> dict[str, int]:
    """The ordinals of endpoints that have none yet, in their order.

    ``held`` are those that others keep. ``claimed`` are ordinals that somebody chose, by endpoint; who has such a
    choice gets it (``conflicts`` tells first whether it can), all others the lowest that is free then.
    """
    free = _lowest_free({*held, *claimed.values()})
    return {name: claimed[name] if name in claimed else next(free) for name in wanting}


def conflicts(held: Mapping[int, str], claimed: Mapping[str, int]) -> dict[str, str]:
    """Who can't have the ordinal that was chosen, and who has it: by name, in the order of the choices."""
    owners = dict(held)
    found = {}
    for name, ordinal in claimed.items():
        owner = owners.setdefault(ordinal, name)
        if owner != name:
            found[name] = owner
    return found


def _lowest_free(taken: Collection[int]) -> Iterator[int]:
    ordinal = 0
    while True:
        if ordinal not in taken:
            yield ordinal
        ordinal += 1
