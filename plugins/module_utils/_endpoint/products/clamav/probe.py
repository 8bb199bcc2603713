# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe of ClamAV: through clamd where it runs, else by one run of clamscan (G3)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ...._core.probes import ProbeOutcome
from ...._core.settings.trust import ProbeSettings
from ...paths import RUNTIME_DIRECTORY
from ..probe_command import probe_by_command
from . import engine
from .clamd import Clamd
from .samples import Sample, samples

if TYPE_CHECKING:
    from .product import ClamAV

_PLACE = RUNTIME_DIRECTORY + "/probe"
"""Where samples lie while clamscan reads them: in memory, and for root alone."""
_LINE = re.compile(r".*/([0-9]+): (.*)")
_NOTHING = "neither clamd nor clamscan is here to probe the databases with"


def probe(product: ClamAV, settings: ProbeSettings, *, alive: bool) -> ProbeOutcome | None:
    """Whether the installed databases work; ``alive``: clamd answered before they came.

    Samples of the update server are asked for before the time of the probe begins.
    """
    published = None if product.published is None else product.published.current()
    deadline = time.monotonic() + settings.timeout
    clamd = engine.configured(product) if alive or engine.starting(product, deadline) else None
    components = product.components()
    if clamd is not None:
        missing = engine.missing(product, components, deadline)
        if missing:
            return ProbeOutcome.of([missing])
        outcome = _by_clamd(product, clamd, samples(product, settings, components, published), deadline)
    else:
        outcome = _by_clamscan(product, samples(product, settings, components, published), deadline)
    if not outcome.passed or not settings.command:
        return outcome
    own = probe_by_command(product.host, settings, deadline - time.monotonic()) or ProbeOutcome()
    return ProbeOutcome(own.failures, outcome.remarks)


def _by_clamd(product: ClamAV, clamd: Clamd, wanted: Iterator[Sample | str], deadline: float) -> ProbeOutcome:
    failures: list[str] = []
    remarks: list[str] = []
    for one in wanted:
        if isinstance(one, str):
            remarks.append(one)
            continue
        answer = clamd.finding(one.content, deadline) if time.monotonic() < deadline else ""
        if not answer:
            late = time.monotonic() >= deadline
            why = "took too long" if late else "ended" if not clamd.listens() else "gave no answer"
            told = engine.end(product, waits=not late) or f"clamd {why}"
            return ProbeOutcome.of([*failures, f"{told} when it scanned {one.name}"], remarks)
        (failures if one.decides else remarks).extend(_wrong(one, answer))
    return ProbeOutcome.of(failures, remarks)


def _by_clamscan(product: ClamAV, wanted: Iterator[Sample | str], deadline: float) -> ProbeOutcome:
    host = product.host
    remarks: list[str] = []
    chosen: list[Sample] = []
    try:
        for one in wanted:
            if isinstance(one, str):
                remarks.append(one)
                continue
            host.write(f"{_PLACE}/{len(chosen)}", one.content, mode=0o600)
            chosen.append(one)
        answers, broken = _clamscan(product, len(chosen), deadline - time.monotonic()) if chosen else ({}, "")
    except FileNotFoundError:
        return ProbeOutcome.of((), [*remarks, _NOTHING])
    finally:
        host.remove(_PLACE)
    if broken:
        return ProbeOutcome.of([broken], remarks)
    failures: list[str] = []
    for number, one in enumerate(chosen):
        (failures if one.decides else remarks).extend(_wrong(one, answers.get(number, "nothing was said of it")))
    return ProbeOutcome.of(failures, remarks)


def _clamscan(product: ClamAV, count: int, timeout: float) -> tuple[Mapping[int, str], str]:
    """What clamscan says of each sample by its number, and what went wrong as a whole."""
    host = product.host
    place = host.real(_PLACE)
    argv = ["clamscan", f"--database={product.directory()}", "--no-summary", "--stdout"]
    done = host.run([*argv, *(f"{place}/{number}" for number in range(count))], timeout=max(0.0, timeout))
    found = filter(None, map(_LINE.fullmatch, done.out.splitlines()))
    answers = {int(match[1]): match[2] for match in found}
    if done.cut or (not answers and count):
        said = (done.err.strip() or done.out.strip()).splitlines()
        return answers, f"clamscan {done.ended}" + (f": {said[-1].strip()}" if said and not done.cut else "")
    return answers, ""


def _wrong(sample: Sample, answer: str) -> Sequence[str]:
    """What is wrong with what a scanner says of a sample; a clean one that it could not scan was not called malign."""
    if answer == "OK":
        return [f"{sample.name} was not found"] if sample.malign else []
    if answer.endswith(" FOUND"):
        return [] if sample.malign else [f"{sample.name} is clean, and was called {answer[: -len(' FOUND')]}"]
    return [f"{sample.name} could not be scanned: {answer}"] if sample.malign else []
