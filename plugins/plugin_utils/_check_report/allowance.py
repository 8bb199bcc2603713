# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may be unreachable in a run that is clean all the same: a laptop fleet always has some."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

_NUMBER = re.compile(r"([0-9]{1,9})(%?)")


class UnknownName(ValueError):
    """An entry is neither a number nor a percentage, and no host or group of the inventory has this name."""


@dataclass(frozen=True)
class Allowance:
    """Hosts and groups that may be unreachable altogether, and how many of all others."""

    count: int = 0
    percent: int = 0
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Allowance:
        """Read entries such as ``5``, ``10%`` or ``laptops``; of two numbers the greater one holds."""
        count = percent = 0
        names: dict[str, None] = {}
        for entry in map(str.strip, map(str, entries)):
            number = _NUMBER.fullmatch(entry)
            if number is None:
                names.update(dict.fromkeys([entry] if entry else []))
            elif number[2]:
                percent = max(percent, int(number[1]))
            else:
                count = max(count, int(number[1]))
        return cls(count, percent, tuple(names))

    def check(self, known: Collection[str]) -> None:
        """Refuse names that nobody has: a typo would else excuse nobody, or the wrong ones. Raises UnknownName."""
        unknown = [name for name in self.names if name not in known]
        if unknown:
            allowed = "a number, a percentage such as 10%, or a group or host of the inventory"
            raise UnknownName(f"allowed_unreachable: {', '.join(unknown)}: not {allowed}")

    def excused(
        self, unreachable: Collection[str], total: int, groups: Mapping[str, Collection[str]]
    ) -> frozenset[str]:
        """Those of the unreachable hosts that do not count: of those without a name here, all of them or none."""
        named = {host for name in self.names for host in groups.get(name, (name,))}
        others = [host for host in unreachable if host not in named]
        few = len(others) <= max(self.count, total * self.percent // 100)
        return frozenset(host for host in unreachable if host in named or few)
