# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For which products of an endpoint something is switched off: with the last of these it is given back (D2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ..._core.system_files.vendor_updaters import Program
from ..._host.host import Host
from . import find


def owners(host: Host, products: Iterable[tuple[str, tuple[Program, ...]]], *, takeover: bool) -> dict[str, str]:
    """The names of the products, with spaces between, for each path and unit that starts an updater of theirs."""
    found: dict[str, list[str]] = {}
    for name, programs in products:
        one = find(host, programs, takeover=takeover)
        for key in dict.fromkeys((*one.notes, *one.starters.lasting)):
            found.setdefault(key, []).append(name)
    return {key: " ".join(names) for key, names in found.items()}


def without_owner(notes: Mapping[str, str], owned: Mapping[str, str], products: Collection[str]) -> dict[str, str]:
    """The notes of what was switched off for products of which none is left; who owns a note may not be known."""
    return {key: one for key, one in notes.items() if key in owned and not set(owned[key].split()) & set(products)}
