# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Metrics in Prometheus' text format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Union

from .untrusted_text import LONGEST_WORD, shown
from .values import frozen

PREFIX = "epp_autoupdate_"
Value = Union[int, float]
Sample = tuple[Mapping[str, str], Value]


@frozen
class Metric:
    """One metric: its name without the prefix, one sentence without a full stop, and a value for each set of labels.

    ``kind`` is ``gauge`` or ``counter``. Metrics without any sample are left out.
    """

    name: str
    text: str
    samples: tuple[Sample, ...]
    kind: str = "gauge"


def single(name: str, text: str, value: Value | None, **labels: str) -> Metric:
    """A metric of one sample; without a value it has none."""
    return Metric(name, text, () if value is None else ((labels, value),))


def exposition(metrics: Iterable[Metric]) -> str:
    """The whole text.

    Label values are data of other machines: they are bounded and escaped. Of samples whose labels are equal then,
    in any order, the last one is told: a reader would refuse the whole text because of two.
    """
    return "".join(f"{line}\n" for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    if not metric.samples:
        return
    yield f"# HELP {PREFIX}{metric.name} {metric.text}."
    yield f"# TYPE {PREFIX}{metric.name} {metric.kind}"
    told_by: dict[str, tuple[str, Value]] = {}
    for labels, value in metric.samples:
        told_by[_labels(dict(sorted(labels.items())))] = _labels(labels), value
    for told, value in told_by.values():
        yield f"{PREFIX}{metric.name}{told} {value!r}"


def _labels(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(text: str) -> str:
    return shown(text, LONGEST_WORD).replace("\\", "\\\\").replace('"', '\\"')
