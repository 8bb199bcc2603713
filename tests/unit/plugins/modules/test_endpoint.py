# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ``endpoint`` on a host: idempotent, honest in check mode, complete in its refusals."""

from __future__ import annotations

import json

from ansible_collections.epp.autoupdate.plugins.modules import endpoint

from .conftest import Modules


def test_the_second_run_changes_nothing(modules: Modules) -> None:
    first = modules.enroll()
    assert first["changed"] is True
    assert {"path": "/usr/local/bin/epp-agent", "action": "create"} in first["changes"]
    second = modules.enroll()
    assert (second["changed"], second["changes"]) == (False, [])


def test_check_mode_writes_nothing(modules: Modules) -> None:
    modules.root.mkdir()
    foretold = modules.run(endpoint, check=True, diff=True, **modules.options)
    assert list(modules.root.iterdir()) == []
    assert foretold["changes"] == modules.enroll()["changes"]
    assert foretold["diff"]


def test_a_difference_is_returned_only_when_it_is_asked_for(modules: Modules) -> None:
    assert "diff" not in modules.enroll()


def test_what_is_null_is_not_given(modules: Modules) -> None:
    modules.enroll(policy={"schedule": {"start": None}, "events": None}, domain=None)
    document = json.loads((modules.root / "etc/epp-autoupdate/endpoint.json").read_text())
    assert document["policy"]["schedule"]["start"] == "12:00"
    assert document["domain"] == ""


def test_all_errors_are_told_at_once(modules: Modules) -> None:
    result = modules.enroll(ordinal=-1, policy={"schedule": {"start": "25:00"}}, user_group="A B")
    assert result["failed"] is True
    assert [line.partition(":")[0] for line in result["msg"].splitlines()] == [
        "ordinal",
        "user_group",
        "policy.schedule.start",
    ]
    assert not modules.root.exists()


def test_a_host_that_can_not_be_written_is_a_plain_failure(modules: Modules) -> None:
    modules.root.write_text("in the way")
    result = modules.enroll()
    assert result["failed"] is True
    assert "exception" not in result
    assert str(modules.root) in result["msg"]


def test_absent_needs_no_document(modules: Modules) -> None:
    modules.enroll()
    assert modules.run(endpoint, state="absent")["changed"] is True
    assert modules.run(endpoint, state="absent")["changed"] is False
    assert not (modules.root / "etc/epp-autoupdate").exists()
