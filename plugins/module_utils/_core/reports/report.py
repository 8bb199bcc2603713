# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of an endpoint: what it says of itself to its update server, as one signed document (R4)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from ..canonical import canonical_json
from ..timestamps import iso, unix
from ..untrusted_text import LONGEST_WORD, shown
from ..validation.foreign import UNFIT, Reader, each, flag, known, moment, number, optional, part, sentence, word
from ..values import frozen

FORMAT = 1
KIND = "report"
NAMESPACE = "epp-report"
"""What the signature over a report is made for."""
MAX_SIZE = 64 * 1024
"""Bytes of a report with its signature."""
_ROOM = 4 * 1024
"""Bytes that are kept free for the signature."""
_LARGEST_SEQUENCE = 2**53
_MAX_COMPONENTS = 1_000
_MAX_SENTENCES = 20
_MAX_PRODUCTS = 15
"""Beside the first."""


class Occasion(str, Enum):
    """Why an endpoint reports."""

    RUN = "run"
    ADOPTION = "adoption"
    REFUSAL = "refusal"
    SWITCH = "switch"
    ROAMING = "roaming"
    CONVERGE = "converge"
    DAILY = "daily"
    REQUEST = "request"


class InvalidReport(ValueError):
    """A document is no report; the message says why."""


@frozen
class Report:
    """One report. ``sequence`` only rises with each report of an endpoint; ``at`` is Unix seconds by its own clock.

    ``status`` holds those keys of the endpoint's status (R2) that ``STATUS`` names. ``drift`` are the differences that
    a converge would mend, in words, the first of ``drift_count``; None where nobody has looked.
    """

    endpoint: str
    sequence: int
    at: int
    occasion: Occasion
    agent: str
    status: Mapping[str, Any]
    drift: tuple[str, ...] | None = None
    drift_count: int = 0

    @classmethod
    def of_status(cls, status: Mapping[str, Any], **more: Any) -> Report:
        """The report that tells a status, whole or composed of what fits."""
        return cls(status=known(status, STATUS), **more)

    @classmethod
    def from_bytes(cls, content: bytes) -> Report:
        """Read what ``to_bytes`` wrote, as data of another machine; raises InvalidReport."""
        try:
            raw = json.loads(content)
        except (ValueError, RecursionError):
            raise InvalidReport("it is not JSON") from None
        if not isinstance(raw, dict) or (raw.get("format"), raw.get("kind")) != (FORMAT, KIND):
            raise InvalidReport(f"it is no {KIND} of format {FORMAT}")
        values = known(raw, _READERS)
        missing = [key for key in _READERS if key not in values]
        if missing:
            raise InvalidReport(f"{', '.join(missing)}: missing, or not of the type that it must have")
        drift = values["drift"]
        return cls(
            endpoint=values["endpoint"],
            sequence=values["sequence"],
            at=unix(values["at"]),
            occasion=values["occasion"],
            agent=values["agent"],
            status=values["status"],
            drift=None if drift is None else tuple(drift.get("first", ())),
            drift_count=0 if drift is None else drift.get("count", 0),
        )

    def to_bytes(self) -> bytes:
        """The canonical document, which is what is signed.

        Where it would be too large the components are left out, which ``status.truncated`` tells.
        """
        whole = self._content(self.status)
        return whole if len(whole) <= MAX_SIZE - _ROOM else self._content(_without_components(self.status))

    def _content(self, status: Mapping[str, Any]) -> bytes:
        first = None if self.drift is None else {"first": list(self.drift), "count": self.drift_count}
        content = {
            "format": FORMAT,
            "kind": KIND,
            "endpoint": self.endpoint,
            "sequence": self.sequence,
            "at": iso(self.at),
            "occasion": self.occasion.value,
            "agent": self.agent,
            "status": dict(status),
            "drift": first,
        }
        return canonical_json(content)


def _without_components(status: Mapping[str, Any]) -> dict[str, Any]:
    sections = [_without_components(one) for one in status.get("products", ())]
    if sections:
        status = {**status, "products": sections}
    last = {trigger: {**run, "changed": []} for trigger, run in status.get("last", {}).items()}
    probe = {"probe": {**status["probe"], "versions": {}}} if "probe" in status else {}
    return {**status, **probe, "components": [], "last": last, "truncated": True}


def _component(raw: object) -> object:
    if not isinstance(raw, dict):
        return UNFIT
    found = known(raw, _COMPONENT)
    if "name" not in found or "version" not in found:
        return UNFIT
    found.setdefault("built", None)
    return found


def _notice(raw: object) -> object:
    """The answer to an order that came over a message broker."""
    found = known(raw, _NOTICE) if isinstance(raw, dict) else {}
    return found if "campaign" in found and "result" in found else UNFIT


def _runs(raw: object) -> object:
    """The last run of each trigger; triggers of a later agent are kept as words."""
    if not isinstance(raw, dict):
        return UNFIT
    few = list(raw.items())[:_MAX_SENTENCES]
    return {shown(key, LONGEST_WORD): known(run, _RUN) for key, run in few if isinstance(run, dict)}


def _versions_by_name(raw: object) -> object:
    """A mapping of names to versions."""
    if not isinstance(raw, dict):
        return UNFIT
    few = list(raw.items())[:_MAX_COMPONENTS]
    return {shown(key, LONGEST_WORD): word(one) for key, one in few if isinstance(one, str)}


def _occasion(raw: object) -> object:
    return _OCCASIONS.get(raw, UNFIT) if isinstance(raw, str) else UNFIT


def _sequence(raw: object) -> object:
    fits = isinstance(raw, int) and not isinstance(raw, bool) and 0 < raw <= _LARGEST_SEQUENCE
    return raw if fits else UNFIT


_OCCASIONS = {one.value: one for one in Occasion}
_COMPONENT: Mapping[str, Reader] = {"name": word, "version": word, "built": optional(moment), "kind": word}
_OUTCOME: Mapping[str, Reader] = {"result": word, "kind": word, "reason": sentence}
_RUN: Mapping[str, Reader] = {
    **_OUTCOME,
    "started": moment,
    "finished": moment,
    "until": optional(moment),
    "changed": each(word, _MAX_COMPONENTS),
    "joined": optional(word),
}
_NOTICE: Mapping[str, Reader] = {"campaign": word, "version": word, **_RUN}
_CONFIGURATION: Mapping[str, Reader] = {
    "result": optional(word),
    "reason": sentence,
    **dict.fromkeys(("asked", "adopted", "expires"), optional(moment)),
    **dict.fromkeys(("tree_serial", "shard_serial"), optional(number)),
}
_PROBE: Mapping[str, Reader] = {
    "product": word,
    "versions": _versions_by_name,
    "ok": flag,
    "reason": sentence,
    "at": moment,
}
_SCAN: Mapping[str, Reader] = {
    "ok": flag,
    "reason": sentence,
    **dict.fromkeys(("started", "finished"), moment),
    "found": number,
}
_BLACKOUT: Mapping[str, Reader] = {
    "name": sentence,
    **dict.fromkeys(("start", "end"), moment),
    "swallowed": each(word, _MAX_SENTENCES),
}
_OF_PRODUCT: Mapping[str, Reader] = {
    "product": word,
    "scheduled_update": flag,
    "components": each(_component, _MAX_COMPONENTS),
    "running": optional(part({"trigger": word, "since": moment})),
    "last": _runs,
    "next_run": optional(moment),
    "schedule_fault": optional(sentence),
    "blackout": optional(part(_BLACKOUT)),
    "selftest": part({"at": optional(moment), "errors": each(sentence, _MAX_SENTENCES)}),
    "probe": part(_PROBE),
    "scan": part({"due": flag, "last": optional(part(_SCAN))}),
    "truncated": flag,
}
STATUS: Mapping[str, Reader] = {
    **_OF_PRODUCT,
    "domain": word,
    "scheduler": word,
    "configuration": optional(part(_CONFIGURATION)),
    "switch": optional(flag),
    "roaming": flag,
    "engine": part({**_RUN, "version": word, "tried": moment, "outcome": part(_OUTCOME)}),
    "engine_stream": word,
    "notices": each(_notice, _MAX_SENTENCES),
    "products": each(part(_OF_PRODUCT), _MAX_PRODUCTS),
}
"""The keys of a status that a report has, and how each is read. ``products`` are the sections of further products: that
of the first one is the status itself (D2)."""
_READERS: Mapping[str, Reader] = {
    "endpoint": word,
    "sequence": _sequence,
    "at": moment,
    "occasion": _occasion,
    "agent": word,
    "status": part(STATUS),
    "drift": optional(part({"first": each(sentence, _MAX_SENTENCES), "count": number})),
}
