# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is believed of a report, and the one code of each reason why not (R4)."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import pack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import MAX_SIZE, NAMESPACE
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.signatures import select_verify
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.verdict import (
    Arrival,
    Good,
    Known,
    Refusal,
    Refused,
    verdict,
)

from .conftest import HostKey, document

Keys = dict[str, HostKey]
CASES: dict[str, tuple[Callable[[Keys], dict[str, Any]], Refusal]] = {
    "more bytes than allowed": (lambda _keys: {"content": b"x" * (MAX_SIZE + 1)}, Refusal.TOO_LARGE),
    "no file": (lambda _keys: {"fault": "it is a directory"}, Refusal.MALFORMED),
    "nothing": (lambda _keys: {"content": b""}, Refusal.MALFORMED),
    "no envelope": (lambda _keys: {"content": b"{}\n{}"}, Refusal.MALFORMED),
    "unsigned": (lambda _keys: {"content": pack(document(), "", NAMESPACE)}, Refusal.BAD_SIGNATURE),
    "not registered": (
        lambda keys: {"known": None, "content": keys["ed25519"].packed(document())},
        Refusal.UNREGISTERED,
    ),
    "no pinned key": (
        lambda keys: {"pinned": "", "content": keys["ed25519"].packed(document())},
        Refusal.NO_PINNED_KEY,
    ),
    "another key": (lambda keys: {"content": keys["other"].packed(document())}, Refusal.WRONG_KEY),
    "another kind of key": (lambda keys: {"content": keys["rsa"].packed(document())}, Refusal.WRONG_KEY),
    "changed after it was signed": (
        lambda keys: {"content": pack(document(sequence=9), keys["ed25519"].sign(document()), NAMESPACE)},
        Refusal.BAD_SIGNATURE,
    ),
    "signed for something else": (
        lambda keys: {"content": pack(document(), keys["ed25519"].sign(document(), "file"), NAMESPACE)},
        Refusal.WRONG_PURPOSE,
    ),
    "packed for something else": (
        lambda keys: {"content": pack(document(), keys["ed25519"].sign(document(), "file"), "file")},
        Refusal.WRONG_PURPOSE,
    ),
    "signed, but no report": (lambda keys: {"content": keys["ed25519"].packed(b"{}")}, Refusal.MALFORMED),
    "signed, but not UTF-8": (
        lambda keys: {"content": keys["ed25519"].packed(document().decode().encode("utf-16"))},
        Refusal.MALFORMED,
    ),
    "of another endpoint": (lambda keys: {"content": keys["ed25519"].packed(document("n2"))}, Refusal.OTHER_ENDPOINT),
    "the number of the last one": (
        lambda keys: {"last": 1, "content": keys["ed25519"].packed(document())},
        Refusal.REPLAYED,
    ),
    "a lower number": (lambda keys: {"last": 5, "content": keys["ed25519"].packed(document())}, Refusal.REPLAYED),
}


def judged(keys: Keys, *, pinned: str | None = None, last: int = 0, **found: Any) -> Any:
    registered = Known(keys["ed25519"].public if pinned is None else pinned, last)
    known = found.pop("known", registered)
    return verdict(Arrival(**{"name": "n1", **found}), known, select_verify(LocalHost()))


@pytest.mark.parametrize("case", CASES)
def test_each_reason_has_its_code(keys: Keys, case: str) -> None:
    make, code = CASES[case]
    refused = judged(keys, **make(keys))
    assert isinstance(refused, Refused)
    assert (refused.code, bool(refused.detail)) == (code, True)


def test_every_code_has_a_case() -> None:
    assert {code for _make, code in CASES.values()} == set(Refusal)


def test_a_report_by_the_pinned_key_with_a_higher_number_is_good(keys: Keys) -> None:
    found = judged(keys, last=6, content=keys["ed25519"].packed(document(sequence=7)))
    assert isinstance(found, Good)
    assert (found.report.endpoint, found.report.sequence) == ("n1", 7)
    assert found.document.encode() == document(sequence=7)


def test_only_what_was_read_before_may_be_on_record_already(keys: Keys) -> None:
    packed = keys["ed25519"].packed(document(sequence=7))
    assert judged(keys, last=7, content=packed, again=True) is None
    assert judged(keys, last=8, content=packed, again=True).code is Refusal.REPLAYED


def test_no_name_and_no_content_acts_on_a_screen(keys: Keys) -> None:
    """R5"""
    for found in (
        judged(keys, name="n\x1b[2J\n\u202e", known=None),
        judged(keys, content=keys["ed25519"].packed(document("n\x1b[2J\u202e"))),
        judged(keys, fault="\x07" * 10_000),
    ):
        assert found.detail.isprintable()
        assert len(found.detail) <= 500
