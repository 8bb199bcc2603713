# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far something is, as one line: done of all, results so far, rate, expected end."""

from __future__ import annotations

from collections.abc import Mapping

from ..._core.values import frozen
from .charts import Glyphs, gauge

_BAR = 10
_SOONEST_S = 1.0
"""A rate of less time than this says nothing."""
_LONGEST_S = 99 * 86400


@frozen
class Progress:
    """``done`` of ``total``, and how many have each result, in the order in which they are told.

    ``label`` is one for all of it, ``step`` what is being done now, if that is worth a word.
    """

    label: str
    done: int
    total: int
    results: Mapping[str, int]
    step: str = ""


def progress_text(progress: Progress, *, elapsed: float, columns: int, using: Glyphs, before: int = 0) -> str:
    """The line for a terminal of so many columns, of which it leaves the last one free.

    What does not fit is left out, the least important first. There is no rate before something is done; ``before`` is
    how many were done when the clock of ``elapsed`` (seconds) started.
    """
    done, total, room = progress.done, progress.total, columns - 1
    share = f" {done * 100 // total}%" if total else ""
    parts = {"label": f"{progress.label} {done}/{total}{share}"}
    rate = (done - before) / elapsed if elapsed >= _SOONEST_S else 0.0
    filled = gauge(done, of=total, columns=_BAR, using=using)
    results = ", ".join(f"{count} {word}" for word, count in progress.results.items() if count)
    known = {"results": results, "step": progress.step, "end": _end(total - done, rate), "rate": _rate(rate)}
    known["bar"] = f"[{filled:<{_BAR}}]"
    for name, text in known.items():
        told = {**parts, name: text}
        if text and _length(told) <= room:
            parts = told
    return "  ".join(parts[name] for name in _PLACES if name in parts)[: max(0, room)]


_PLACES = ("label", "step", "results", "rate", "end", "bar")


def _length(parts: Mapping[str, str]) -> int:
    return sum(map(len, parts.values())) + 2 * (len(parts) - 1)


def _rate(a_second: float) -> str:
    """One or more in the largest unit that is needed: ``12/s``, ``3.4/min``, ``5/h``."""
    for unit, seconds in (("s", 1), ("min", 60), ("h", 3600)):
        count = a_second * seconds
        if count >= 1:
            return f"{count:.0f}/{unit}" if count >= 10 else f"{count:.1f}/{unit}"
    return ""


def _end(left: int, rate: float) -> str:
    """The time that is left at this rate, in its two largest units; nothing where nobody knows."""
    if rate <= 0 or left <= 0 or left / rate > _LONGEST_S:
        return ""
    return f"ends in {span(left / rate)}"


def span(seconds: float) -> str:
    """A time to come, rounded up to what still means something: ``45s``, ``3m20s``, ``2h05m``, ``1d04h``."""
    whole = int(seconds) + (seconds > int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    minutes = -(-whole // 60)
    return f"{minutes // 60}h{minutes % 60:02}m" if minutes < 1440 else f"{minutes // 1440}d{minutes % 1440 // 60:02}h"
