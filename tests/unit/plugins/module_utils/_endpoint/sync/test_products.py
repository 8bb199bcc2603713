# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several products on an endpoint of an update server: what its tree sets for all and for single ones (D2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.shard import Membership
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.sync_result import SyncResult
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import Occasion, Report
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.managed import brought, refuse_tree_keys
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import (
    InvalidDocument,
    ValidationErrors,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.adopted import converge_adopted
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.endpoint import Endpoint
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.reporting import reporter

from ..converge.test_products import entries
from .conftest import Managed


def products(managed: Managed, *names: str) -> list[dict[str, Any]]:
    """Entries as a converge brings them: the tree has their policies."""
    return [{key: one for key, one in entry.items() if key != "policy"} for entry in entries(managed.sandbox, *names)]


@pytest.fixture
def several(managed: Managed) -> Managed:
    """An endpoint with three products, of which the tree sets something for two."""
    managed.publisher.root = {
        "schedule": {"start": "02:00", "window": "1h"},
        "events": {"update_on_reconnect": True},
        "products": {
            "ids": {"schedule": {"start": "05:00"}},
            "command": {"schedule": {"window": "2h"}},
            "later": {"schedule": {"start": "07:00"}},
        },
    }
    managed.publisher.publish()
    managed.converge(products=products(managed, "ids", "spam"))
    assert managed.sync().result in (SyncResult.ADOPTED, SyncResult.UNCHANGED)
    converge_adopted(managed.sandbox.endpoint)
    return managed


def schedules(managed: Managed) -> dict[str, tuple[int, int]]:
    documents = managed.sandbox.endpoint.document.each()
    return {one.product: (one.policy.schedule.start // 3600, one.policy.schedule.window // 3600) for one in documents}


def test_each_product_has_what_the_tree_sets_for_it_or_for_all(several: Managed) -> None:
    assert schedules(several) == {"command": (2, 2), "ids": (5, 1), "spam": (2, 1)}
    tree = several.sandbox.tree()
    timers = [tree[f"etc/systemd/system/epp-update{name}.timer"][1].decode() for name in ("", "-ids", "-spam")]
    assert [f"OnCalendar=*-*-* {hour}:" in one for hour, one in zip(("02", "05", "02"), timers)] == [True] * 3
    assert not several.converge(products=products(several, "ids", "spam")).changed
    stored = json.loads(tree["etc/epp-autoupdate/endpoint.json"][1])
    assert "policy" not in stored
    assert all("policy" not in one for one in stored["products"])


def test_what_the_tree_sets_for_a_product_is_adopted_when_it_changes(several: Managed) -> None:
    several.publisher.root["products"]["spam"] = {"schedule": {"start": "09:00"}}
    del several.publisher.root["products"]["ids"]
    several.publisher.publish()
    assert several.sync().result is SyncResult.ADOPTED
    converge_adopted(several.sandbox.endpoint)
    assert schedules(several) == {"command": (2, 2), "ids": (2, 1), "spam": (9, 1)}


def test_an_endpoint_may_set_something_for_one_of_its_products(several: Managed) -> None:
    own = {"products": {"ids": {"schedule": {"start": "06:00"}}}}
    several.publisher.endpoints = {"n1": Membership("", 7, own)}
    several.publisher.publish()
    assert several.sync().result is SyncResult.ADOPTED
    assert schedules(several)["ids"] == (6, 1)


def test_a_product_that_comes_later_has_what_was_adopted_for_it(several: Managed) -> None:
    several.asked()
    several.converge(products=products(several, "ids", "later"))
    assert several.asked() == []
    assert schedules(several) == {"command": (2, 2), "ids": (5, 1), "later": (7, 1)}


def test_what_no_product_can_have_is_refused_and_what_was_adopted_stays(several: Managed) -> None:
    for part in ({"privileges": {}}, {"schedule": {"window": "soon"}}, "all", {"schedule": {"frequency": "hours"}}):
        several.publisher.root["products"] = {"ids": part}
        several.publisher.publish()
        report = several.sync()
        if part == {"schedule": {"frequency": "hours"}}:
            assert report.result is SyncResult.ADOPTED
            continue
        assert report.result is SyncResult.INVALID_POLICY, (part, report)
        assert "products.ids" in report.why
        assert schedules(several)["ids"] == (5, 1)


def test_the_server_keeps_the_slots_of_the_first_product_alone(several: Managed) -> None:
    several.publisher.root["schedule"]["initiator"] = "server"
    several.publisher.publish()
    several.sync()
    converge_adopted(several.sandbox.endpoint)
    tree = several.sandbox.tree()
    assert "etc/systemd/system/epp-update.timer" not in tree
    assert {"etc/systemd/system/epp-update-ids.timer", "etc/systemd/system/epp-update-spam.timer"} <= set(tree)
    assert not several.converge(products=products(several, "ids", "spam")).changed


def test_a_further_product_asks_for_the_configuration_before_it_runs(several: Managed) -> None:
    several.publisher.root["products"]["ids"] = {"schedule": {"start": "11:00"}}
    several.publisher.publish()
    several.asked()
    several.sandbox.host.clock += 2 * 86400
    ids = Endpoint.load(several.sandbox.host, "ids")
    timetable = ids.timetable()
    assert timetable is not None
    slot = timetable.next_slot(several.sandbox.host.now())
    assert slot is not None
    several.sandbox.host.clock = float(slot.at)
    several.publisher.publish()
    assert several.sandbox.runner(ids).run(Trigger.SCHEDULE).result is Result.CURRENT
    assert ("tree", 200) in several.asked()
    assert schedules(several)["ids"] == (11, 1)


def test_nothing_is_scheduled_before_anybody_has_said_when(several: Managed) -> None:
    several.sandbox.host.remove("/var/lib/epp-autoupdate/configuration")
    endpoints = several.sandbox.endpoint.each()
    assert [one.configured for one in endpoints] == [False] * 3
    reports = [several.sandbox.runner(one).run(Trigger.SCHEDULE) for one in endpoints[1:]]
    assert [one.result for one in reports] == [Result.SKIPPED] * 2


def test_the_report_has_a_section_for_each_further_product(several: Managed, monkeypatch: pytest.MonkeyPatch) -> None:
    several.sandbox.runner(Endpoint.load(several.sandbox.host, "ids")).run(Trigger.MANUAL)
    made = reporter._composed(several.sandbox.endpoint, Occasion.CONVERGE, after=0)
    told = Report.from_bytes(made.to_bytes()).status
    assert told["product"] == "command"
    assert [one["product"] for one in told["products"]] == ["ids", "spam"]
    assert told["products"][0]["last"]["manual"]["result"] == "current"
    assert told["products"][0]["components"][0]["name"] == "rules"
    monkeypatch.setattr("ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report.MAX_SIZE", 4200)
    short = Report.from_bytes(made.to_bytes()).status
    assert [(one["components"], one["truncated"]) for one in (short, *short["products"])] == [([], True)] * 3


def test_each_product_of_the_server_has_the_sources_and_the_channel_of_its_own(several: Managed) -> None:
    own = [{"product": "files"}, {"product": "clamav"}, *products(several, "ids")]
    several.converge(products=own)
    channels = {"command": "early", "clamav": "canary", "files": "broad"}
    several.publisher.endpoints = {"n1": Membership("", 7, None, channels)}
    several.publisher.publish()
    assert several.sync().result is SyncResult.ADOPTED
    converge_adopted(several.sandbox.endpoint)
    endpoint = several.sandbox.endpoint
    assert {one.product: one.channel for one in endpoint.document.each()} == {**channels, "ids": ""}
    assert endpoint.document.server is not None
    at = endpoint.document.server.components
    assert {one.product: one.policy.sources.urls for one in endpoint.document.each()} == {
        "command": (at("command"),),
        "files": (at("files"),),
        "clamav": (f"{at('clamav')}/channels/canary",),
        "ids": (),
    }
    assert endpoint.with_product("clamav").product.from_channel() == ("main", "daily", "bytecode")
    stored = json.loads(several.sandbox.tree()["etc/epp-autoupdate/endpoint.json"][1])
    assert all("channel" not in one for one in (stored, *stored["products"]))
    assert not several.converge(products=own).changed


def test_a_policy_of_a_product_beside_a_server_is_refused(managed: Managed) -> None:
    errors = ValidationErrors()
    refuse_tree_keys(managed.document(products=entries(managed.sandbox, "ids")), errors)
    with pytest.raises(InvalidDocument, match=r"products\[0\]\.policy: a mapping beside server is not allowed"):
        errors.check()


def test_what_is_brought_is_read_back(several: Managed) -> None:
    document = EndpointDocument.from_dict(several.document(products=products(several, "ids", "spam")))
    assert EndpointDocument.from_dict(brought(document)) == document
    assert brought(several.sandbox.endpoint.document) == brought(document)
