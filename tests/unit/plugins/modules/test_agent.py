# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules that ask the installed agent."""

from __future__ import annotations

from typing import Any

from ansible_collections.epp.autoupdate.plugins.modules import endpoint_info, update_now

from .conftest import Modules


def test_an_update_that_changes_a_component_is_a_change(modules: Modules) -> None:
    modules.enroll()
    (modules.work / "offered").write_text("2\n")
    result = modules.run(update_now, diff=True)
    assert (result["changed"], result["result"]) == (True, "updated")
    assert [component["version"] for component in result["before"]] == ["1"]
    assert [component["version"] for component in result["after"]] == ["2"]
    assert result["diff"]["before"] != result["diff"]["after"]
    again = modules.run(update_now)
    assert (again["changed"], again["result"]) == (False, "current")


def test_check_mode_starts_nothing(modules: Modules) -> None:
    modules.enroll()
    (modules.work / "offered").write_text("2\n")
    result = modules.run(update_now, check=True)
    assert (result["changed"], result["result"]) == (False, "skipped")
    assert result["before"] == result["after"]
    assert (modules.work / "installed").read_text() == "1\n"


def test_an_update_that_fails_is_a_failure_with_both_versions(modules: Modules) -> None:
    modules.enroll()
    (modules.work / "offered").unlink()
    result = modules.run(update_now)
    assert (result["failed"], result["changed"], result["result"]) == (True, False, "failed")
    assert result["before"] == result["after"] != []
    assert result["msg"] == result["reason"] != ""


def test_a_host_without_an_agent_is_told_what_to_do(modules: Modules) -> None:
    for module in (update_now, endpoint_info):
        result = modules.run(module)
        assert result["failed"] is True
        assert "run epp.autoupdate.endpoint" in result["msg"]


def test_an_agent_that_makes_no_sense_is_a_plain_failure(modules: Modules) -> None:
    modules.enroll()
    (modules.root / "usr/local/bin/epp-agent").write_text("#!/bin/sh\necho oops >&2\nexit 1\n")
    assert modules.run(endpoint_info)["msg"] == "oops"


def test_a_timeout_ends_the_update(modules: Modules) -> None:
    modules.enroll()
    (modules.root / "usr/local/bin/epp-agent").write_text("#!/bin/sh\nsleep 30\n")
    assert "did not come to an end within 1 s" in modules.run(update_now, timeout="1s")["msg"]
    assert 'timeout: "soon" is not a duration' in modules.run(update_now, timeout="soon")["msg"]


def test_the_status_is_the_agents(modules: Modules) -> None:
    modules.enroll(domain="emea")
    modules.run(update_now)
    result = modules.run(endpoint_info)
    assert result["changed"] is False
    assert result["status"]["endpoint"] == "n1"
    assert result["status"]["domain"] == "emea"
    assert result["status"]["last"]["manual"]["result"] == "current"
    assert modules.run(endpoint_info, check=True)["status"]["last"] == result["status"]["last"]


def several(modules: Modules) -> dict[str, Any]:
    """Options of an endpoint with two more products, of which each has a version in a file."""
    (modules.work / "offered").write_text("1\n")
    for name in ("ids", "spam"):
        (modules.work / name).write_text("1\n")
    definitions = {
        name: {
            "format": 1,
            "title": name,
            "components": {
                "rules": {"command": ["/bin/cat", str(modules.work / name)], "pattern": "(?P<version>[0-9]+)"}
            },
            "update": [{"command": ["/bin/cp", str(modules.work / "offered"), str(modules.work / name)]}],
        }
        for name in ("ids", "spam")
    }
    return {"products": ["command", "ids", "spam"], "product_definitions": definitions}


def test_check_mode_of_several_products_has_the_form_of_the_run_that_follows(modules: Modules) -> None:
    modules.enroll(**several(modules))
    (modules.work / "offered").write_text("2\n")
    would, ran, again = (modules.run(update_now, check=check, diff=True) for check in (True, False, True))
    assert set(would) == set(ran)
    assert [set(one) for one in would["products"]] == [set(one) for one in ran["products"]]
    assert [one["product"] for one in would["products"]] == ["command", "ids", "spam"]
    assert (would["product"], would["changed"], would["result"]) == ("command", False, "skipped")
    assert would["diff"]["before"] == would["diff"]["after"] == ran["diff"]["before"]
    assert ran["diff"] == {
        "before": "command command 1\nids rules 1\nspam rules 1\n",
        "after": "command command 2\nids rules 2\nspam rules 2\n",
    }
    assert [one["before"] for one in again["products"]] == [one["after"] for one in ran["products"]]


def test_one_of_several_products_is_told_as_the_only_one(modules: Modules) -> None:
    modules.enroll(**several(modules))
    would, ran = (modules.run(update_now, check=check, diff=True, product="ids") for check in (True, False))
    assert set(would) == set(ran)
    assert "products" not in ran
    assert would["before"] == ran["before"] == [{"name": "rules", "version": "1"}]


def test_a_product_that_is_not_there_is_refused_in_check_mode_too(modules: Modules) -> None:
    modules.enroll(**several(modules))
    for check in (True, False):
        told = modules.run(update_now, check=check, product="clamav")
        assert told["failed"] is True
        assert told["msg"] == "this endpoint has no product clamav (it has command, ids, spam)"
    modules.enroll()
    told = modules.run(update_now, check=True, product="clamav")
    assert told["msg"] == "this endpoint has no product clamav (it has command)"
