# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of metrics in the guide, and what was written of them: each is held against the other."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Callable

from ansible_collections.epp.autoupdate.plugins.module_utils import _core

GUIDES = Path(_core.__file__).parents[3] / "docs/docsite/rst"
PREFIX = "epp_autoupdate_"
OF_SERVER = f"{PREFIX}server_"
_ROW = re.compile(rf"^   \* - ``({PREFIX}\w+)``\n     - (.+)\n     - (.+)\n     - (.+)$", re.MULTILINE)
_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")

Metric = tuple[str, frozenset[str], str]
"""Type and unit, labels, what it tells."""

UNITS: dict[str, Callable[[float], bool]] = {
    "gauge, 0 or 1": lambda value: value in (0, 1),
    "gauge, always 1": lambda value: value == 1,
    "gauge, Unix seconds": lambda value: abs(value - time.time()) < 400 * 86400,
    "gauge, seconds": lambda value: 3600 <= value < 400 * 86400,
    "gauge, a ratio": lambda value: 0 <= value <= 1,
    "gauge, a count": lambda value: value in range(1000),
    "gauge, a serial": lambda value: value == int(value) > 0,
    "counter, a count": lambda value: value in range(1000),
}


def documented() -> dict[str, Metric]:
    """The tables of the guide."""
    rows = _ROW.findall((GUIDES / "metrics.rst").read_text(encoding="utf-8"))
    return {name: (unit, frozenset(re.findall(r"``(\w+)``", labels)), text) for name, unit, labels, text in rows}


class Written:
    """All metrics that were ever written."""

    def __init__(self) -> None:
        self.types: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.labels: dict[str, set[frozenset[str]]] = {}
        self.values: dict[str, set[float]] = {}

    def take(self, text: str) -> None:
        for line in text.splitlines():
            if line.startswith("# "):
                _hash, kind, name, rest = line.split(" ", 3)
                (self.types if kind == "TYPE" else self.texts)[name] = rest
                continue
            name, labels, value = _SAMPLE.fullmatch(line).groups()  # type: ignore[union-attr]
            names = re.findall(r'(\w+)="', labels or "")
            assert name in self.types
            self.labels.setdefault(name, set()).add(frozenset(names))
            self.values.setdefault(name, set()).add(float(value))

    def compare(self, known: dict[str, Metric]) -> None:
        """Fail where what was written is not what is documented, in either direction."""
        assert set(self.types) == set(self.texts) == set(self.values) == set(known)
        assert self.texts == {name: text for name, (_unit, _labels, text) in known.items()}
        assert self.labels == {name: {labels} for name, (_unit, labels, _text) in known.items()}
        for name, (unit, _labels, _text) in known.items():
            assert (name, self.types[name]) == (name, unit.partition(",")[0])
            assert (name, [value for value in self.values[name] if not UNITS[unit](value)]) == (name, [])
            assert (name, name.endswith("_timestamp_seconds")) == (name, unit == "gauge, Unix seconds")
            assert (name, name.endswith("_total")) == (name, unit.startswith("counter"))
