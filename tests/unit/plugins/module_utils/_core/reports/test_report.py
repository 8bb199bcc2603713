# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report is what an agent wrote, or nothing; whatever comes, it is bounded data (R4, R5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import (
    MAX_SIZE,
    InvalidReport,
    Occasion,
    Report,
)
from hypothesis import given
from hypothesis import strategies as st

STATUS: dict[str, Any] = {
    "product": "clamav",
    "domain": "emea/finance",
    "scheduler": "systemd",
    "configuration": {
        "result": "adopted",
        "reason": "",
        "asked": "2026-11-29T12:00:00Z",
        "adopted": "2026-11-29T12:00:00Z",
        "expires": "2026-12-13T12:00:00Z",
        "tree_serial": 1795998702,
        "shard_serial": 1795998703,
    },
    "switch": None,
    "roaming": False,
    "scheduled_update": True,
    "components": [{"name": "daily", "version": "27002", "built": "2026-11-29T08:00:00Z"}],
    "running": None,
    "last": {
        "schedule": {
            "result": "updated",
            "reason": "",
            "started": "2026-11-29T12:00:00Z",
            "finished": "2026-11-29T12:00:03Z",
            "until": None,
            "changed": ["daily"],
            "joined": None,
        }
    },
    "next_run": "2026-11-30T12:00:00Z",
    "schedule_fault": None,
    "selftest": {"at": "2026-11-29T11:00:00Z", "errors": []},
    "scan": {"due": False, "last": None},
}


def report(**more: Any) -> Report:
    values: dict[str, Any] = {"endpoint": "n1", "sequence": 7, "at": 1795348800, "occasion": Occasion.RUN}
    return Report.of_status(STATUS, **{**values, "agent": "1.0.0", **more})


@pytest.mark.parametrize("drift", [{}, {"drift": ()}, {"drift": ("file /etc/x: content",), "drift_count": 3}])
def test_what_is_written_is_read_again(drift: dict[str, Any]) -> None:
    one = report(**drift)
    assert Report.from_bytes(one.to_bytes()) == one
    assert one.status == STATUS


def test_what_a_server_has_no_use_for_is_not_sent() -> None:
    one = Report.of_status({**STATUS, "policy": {"sources": {}}, "user_group": "x"}, **_own(report()))
    assert one.status == STATUS


def test_many_components_are_left_out_where_they_do_not_fit() -> None:
    many = [{"name": f"rules/{'x' * 150}-{n}", "version": "1", "built": None} for n in range(900)]
    small = Report.of_status({**STATUS, "components": many}, **_own(report())).to_bytes()
    assert len(small) < MAX_SIZE
    told = Report.from_bytes(small).status
    assert (told["truncated"], told["components"], told["product"]) == (True, [], "clamav")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "no report of format 1"),
        ({"kind": "tree"}, "no report of format 1"),
        ({"sequence": True}, "sequence: missing"),
        ({"sequence": 2**60}, "sequence: missing"),
        ({"sequence": 0, "at": "yesterday"}, "sequence, at: missing"),
        ({"occasion": "whim"}, "occasion: missing"),
        ({"status": []}, "status: missing"),
        ({"endpoint": None}, "endpoint: missing"),
    ],
)
def test_what_is_no_report_is_refused_with_the_reason(change: dict[str, Any], words: str) -> None:
    raw = {**json.loads(report().to_bytes()), **change}
    with pytest.raises(InvalidReport, match=words):
        Report.from_bytes(json.dumps(raw).encode())


@pytest.mark.parametrize("content", [b"", b"[", b"\xff", b"[]", b"null", b"[" * 100_000])
def test_what_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidReport):
        Report.from_bytes(content)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(sorted(STATUS)), plain), plain)
def test_whatever_a_status_holds_it_is_read_or_left_out(status: dict[str, Any], drift: Any) -> None:
    raw = {**json.loads(report().to_bytes()), "status": status, "drift": drift}
    try:
        found = Report.from_bytes(json.dumps(raw).encode())
    except InvalidReport:
        return
    assert Report.from_bytes(found.to_bytes()) == found


def _own(one: Report) -> dict[str, Any]:
    return {"endpoint": one.endpoint, "sequence": one.sequence, "at": one.at} | {
        "occasion": one.occasion,
        "agent": one.agent,
    }
