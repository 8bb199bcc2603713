# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether what has arrived under an endpoint's name is its report, and why not (R4)."""

from __future__ import annotations

from enum import Enum
from typing import Union

from ..._core.metadata.envelope import Malformed, TooLarge, unpack
from ..._core.reports.report import MAX_SIZE, NAMESPACE, InvalidReport, Report
from ..._core.untrusted_text import shown
from ..._core.values import field, frozen
from ..._host.ssh_signatures import BadSignature, UnknownKey
from .signatures import OtherPurpose, Verify


class Refusal(str, Enum):
    """Why a report is not believed."""

    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    UNREGISTERED = "unregistered"
    NO_PINNED_KEY = "no_pinned_key"
    WRONG_KEY = "wrong_key"
    BAD_SIGNATURE = "bad_signature"
    WRONG_PURPOSE = "wrong_purpose"
    OTHER_ENDPOINT = "other_endpoint"
    REPLAYED = "replayed"


@frozen
class Arrival:
    """What lay under a name: at most one byte more than a report may have, or why it could not be read.

    ``again``: whoever read it last was ended before it was removed, so that it may be on record already.
    """

    name: str
    content: bytes = field(default=b"", repr=False)
    fault: str = ""
    again: bool = False


@frozen
class Known:
    """What is on record of a registered endpoint.

    ``host_key`` is its pinned key, empty without one; ``sequence`` that of its last report by this key, or 0.
    ``products`` are those with which it is registered; empty where nobody has said which.
    """

    host_key: str
    sequence: int = 0
    products: tuple[str, ...] = ()


@frozen
class Good:
    """A report to be taken, and the document that was signed."""

    report: Report
    document: str = field(repr=False)


@frozen
class Refused:
    """A report that is not believed; ``detail`` is for people, and safe to be shown."""

    code: Refusal
    detail: str


@frozen
class Waiting:
    """A report whose endpoint still has no pinned key, as when it was judged before."""


Verdict = Union[Good, Refused, Waiting, None]
"""None: it is on record already."""


class _Unbelieved(ValueError):
    """A step of the verdict refuses."""

    def __init__(self, code: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def verdict(arrival: Arrival, known: Known | None, verify: Verify) -> Verdict:
    """Judge what has arrived; ``known`` is None for a name that is not registered."""
    try:
        document = _verified(arrival, _trusted(arrival, known), verify)
        return _report(arrival, known, document)
    except _Unbelieved as refused:
        if arrival.again and refused.code is Refusal.NO_PINNED_KEY:
            return Waiting()
        return Refused(refused.code, shown(str(refused)))


def _trusted(arrival: Arrival, known: Known | None) -> str:
    """The key of who may have sent it."""
    if len(arrival.content) > MAX_SIZE:
        raise _Unbelieved(Refusal.TOO_LARGE, f"it has more than {MAX_SIZE} bytes")
    if arrival.fault:
        raise _Unbelieved(Refusal.MALFORMED, arrival.fault)
    if known is None:
        raise _Unbelieved(Refusal.UNREGISTERED, f"no endpoint is registered as {shown(arrival.name)}")
    if not known.host_key:
        raise _Unbelieved(
            Refusal.NO_PINNED_KEY, f"pin its host key: epp-server endpoints pin {arrival.name}, or converge it"
        )
    return known.host_key


def _verified(arrival: Arrival, key: str, verify: Verify) -> bytes:
    """The document, which this key has signed."""
    try:
        envelope = unpack(arrival.content, limit=MAX_SIZE)
    except (Malformed, TooLarge) as error:
        raise _Unbelieved(Refusal.MALFORMED, str(error)) from None
    if envelope.namespace != NAMESPACE:
        raise _Unbelieved(Refusal.WRONG_PURPOSE, "it is signed for something else than a report")
    try:
        verify(envelope.document, envelope.signature, key)
    except UnknownKey as error:
        raise _Unbelieved(Refusal.WRONG_KEY, str(error)) from None
    except OtherPurpose as error:
        raise _Unbelieved(Refusal.WRONG_PURPOSE, str(error)) from None
    except BadSignature as error:
        raise _Unbelieved(Refusal.BAD_SIGNATURE, str(error)) from None
    return envelope.document


def _report(arrival: Arrival, known: Known | None, document: bytes) -> Verdict:
    """What the endpoint itself has signed."""
    try:
        report, text = Report.from_bytes(document), document.decode("utf-8")
    except (InvalidReport, UnicodeDecodeError) as error:
        raise _Unbelieved(Refusal.MALFORMED, str(error)) from None
    if report.endpoint != arrival.name:
        raise _Unbelieved(Refusal.OTHER_ENDPOINT, f"it is the report of {report.endpoint}")
    last = known.sequence if known else 0
    if report.sequence > last:
        return Good(report, text)
    if arrival.again and report.sequence == last:
        return None
    raise _Unbelieved(Refusal.REPLAYED, f"its number is {report.sequence}, and {last} was taken already")
