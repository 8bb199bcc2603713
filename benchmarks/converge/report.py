# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Figures as a table and as JSON."""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from importlib import metadata
from typing import Any

from measure import Cost

PACKAGES = ("ansible-core", "mitogen", "pyinfra")


@dataclass
class Series:
    """All runs of one contender at one thing to do; ``gap`` says why there are none (or no more)."""

    title: str
    costs: list[Cost] = field(default_factory=list)
    gap: str = ""

    def median(self, what: str) -> float:
        return statistics.median(getattr(cost, what) for cost in self.costs)

    def to_dict(self) -> dict[str, Any]:
        medians = {what: round(self.median(what), 3) for what in Cost.__annotations__} if self.costs else {}
        return {"title": self.title, "median": medians, "runs": [asdict(cost) for cost in self.costs], "gap": self.gap}


@dataclass
class Section:
    """One thing to do (no-op, first converge) on one number of endpoints."""

    endpoints: int
    what: str
    series: dict[str, Series]
    remark: str = ""

    def table(self) -> str:
        """A Markdown table; the ratios are those of medians."""
        rows = [
            f"**{self.endpoints} endpoints, {self.what}**",
            "",
            "| contender | runs | wall s | x floor | x ours | controller CPU s | x floor | x ours | endpoint CPU s |",
            "| --- | --: | --: | --: | --: | --: | --: | --: | --: |",
            *(self._row(series) for series in self.series.values()),
        ]
        return "\n".join(rows) + self._notes()

    def to_dict(self) -> dict[str, Any]:
        series = {name: series.to_dict() for name, series in self.series.items()}
        return {"endpoints": self.endpoints, "what": self.what, "remark": self.remark, "contenders": series}

    def _row(self, series: Series) -> str:
        if not series.costs:
            return f"| {series.title} | 0 | did not work | | | | | | |"
        cells = [series.title, str(len(series.costs))]
        for what in ("wall", "controller"):
            ratios = [self._ratio(series, what, "floor"), self._ratio(series, what, "ours")]
            cells += [f"{series.median(what):.2f}", *ratios]
        cells.append(f"{series.median('endpoints'):.2f}")
        return f"| {' | '.join(cells)} |"

    def _ratio(self, series: Series, what: str, other: str) -> str:
        base = self.series.get(other)
        return f"{series.median(what) / base.median(what):.2f}" if base and base.costs else ""

    def _notes(self) -> str:
        """What to know before the figures are believed."""
        gaps = [f"{series.title} is missing: {series.gap}" for series in self.series.values() if series.gap]
        capacity = os.cpu_count() or 1
        disturbed = [
            series.title
            for series in self.series.values()
            if any(cost.other > 0.25 * capacity * cost.wall for cost in series.costs)
        ]
        noise = [f"Other work took more than a quarter of this machine during: {', '.join(disturbed)}"] * bool(
            disturbed
        )
        return "".join(f"\n\n{line}" for line in (self.remark, *gaps, *noise) if line)


def circumstances() -> dict[str, Any]:
    """Where and with what the figures were made."""
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "processors": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
