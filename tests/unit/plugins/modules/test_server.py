# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ``server`` on a host: idempotent, honest in check mode, complete in its refusals."""

from __future__ import annotations

from ansible_collections.epp.autoupdate.plugins.modules import server

from .conftest import Modules

OPTIONS = {"web": {"url": "http://updates.example.com"}, "fetch": {"every": "30m", "offset": None}}


def test_check_then_real_then_quiet(modules: Modules) -> None:
    modules.root.mkdir()
    foretold = modules.run(server, check=True, diff=True, **OPTIONS)
    assert list(modules.root.iterdir()) == []
    done = modules.run(server, diff=True, **OPTIONS)
    assert all(foretold[key] == done[key] for key in ("changed", "changes", "drift"))
    assert [part["after_header"] for part in foretold["diff"] if "after_header" in part] == [
        part["after_header"] for part in done["diff"] if "after_header" in part
    ]
    assert done["enrollment"]["url"] == "http://updates.example.com"
    again = modules.run(server, **OPTIONS)
    assert (again["changed"], again["changes"], again["drift"]) == (False, [], [])
    assert again["enrollment"] == done["enrollment"]
    assert "diff" not in again


def test_all_errors_are_told_at_once(modules: Modules) -> None:
    result = modules.run(server, web={}, fetch={"every": "1s"}, notify={"max_in_flight": 0})
    assert result["failed"] is True
    assert {line.partition(":")[0] for line in result["msg"].splitlines()} == {
        "web.url",
        "fetch.every",
        "notify.max_in_flight",
    }
    assert not modules.root.exists()


def test_absent_needs_no_settings(modules: Modules) -> None:
    modules.run(server, **OPTIONS)
    assert modules.run(server, state="absent")["changed"] is True
    assert modules.run(server, state="absent")["changed"] is False
    assert not (modules.root / "etc/epp-autoupdate").exists()
