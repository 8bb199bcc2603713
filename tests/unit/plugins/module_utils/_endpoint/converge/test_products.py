# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several products on one endpoint: one converge, and each has its own of all that is a product's (D2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.exposition import exposition
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.vendor_updaters import Starters
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.converge import converge
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.desired import job_plan
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.recording_host import RecordingHost
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.remove import remove
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.endpoint import Endpoint, NoSuchProduct
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.reporting.drift import find_drift
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.user_actions import (
    set_roaming,
    set_switch,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.status.metrics import metrics, product_metrics
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.status.products import published, with_products
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.status.status import compose
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.time_limits import longest_turn
from ansible_collections.epp.autoupdate.plugins.module_utils._host.lock import locked

from ..conftest import Sandbox

UNITS = "/etc/systemd/system"


def definition(sandbox: Sandbox, name: str) -> dict[str, Any]:
    """A product that is data: the version is a file's content, and an update copies what is upstream."""
    installed, upstream = sandbox.directory / f"{name}.installed", sandbox.directory / f"{name}.upstream"
    if not installed.exists():
        installed.write_text("1\n")
        upstream.write_text("1\n")
    return {
        "format": 1,
        "title": name,
        "components": {"rules": {"command": ["/bin/cat", str(installed)], "pattern": "(?P<version>[0-9]+)"}},
        "update": [{"command": ["/bin/cp", str(upstream), str(installed)]}],
        "writes": ["/var/lib/" + name],
    }


def entries(sandbox: Sandbox, *names: str, **policy: Any) -> list[dict[str, Any]]:
    return [
        {
            "product": name,
            "product_definitions": {name: definition(sandbox, name)},
            "policy": {"schedule": {"frequency": "daily", "start": "12:00", "window": "2h"}, **policy},
        }
        for name in names
    ]


def new_version(sandbox: Sandbox, name: str, version: int) -> None:
    (sandbox.directory / f"{name}.upstream").write_text(f"{version}\n")


def product(sandbox: Sandbox, name: str) -> Endpoint:
    return Endpoint.load(sandbox.host, name)


def status(sandbox: Sandbox) -> dict[str, Any]:
    endpoint = sandbox.endpoint
    return with_products(endpoint, compose(endpoint, endpoint.store.read()))


def lasting(tree: dict[str, Any]) -> dict[str, Any]:
    """Without the locks, which a boot takes away, and the directory in which products have theirs."""
    return {path: one for path, one in tree.items() if not path.startswith("run/") and not path.endswith("/products")}


@pytest.mark.parametrize("scheduler", ["systemd", "cron"])
def test_one_product_is_as_ever_and_has_nothing_of_several(sandbox: Sandbox, scheduler: str) -> None:
    sandbox.converge(scheduler=scheduler)
    one = sandbox.tree()
    assert not any("products" in path or "turn" in path for path in one)
    assert b'"products"' not in one["etc/epp-autoupdate/endpoint.json"][1]
    assert b'"updates"' not in one["etc/epp-autoupdate/endpoint.json"][1]
    assert sandbox.converge(scheduler=scheduler, products=[], updates="independent").changes == ()
    assert sandbox.tree() == one
    sandbox.converge(scheduler=scheduler, updates="independent", products=entries(sandbox, "ids"))
    assert sandbox.converge(scheduler=scheduler).changed
    assert lasting(sandbox.tree()) == lasting(one)


def test_the_first_product_keeps_its_names_and_texts(sandbox: Sandbox) -> None:
    sandbox.converge()
    one = sandbox.tree()
    sandbox.converge(updates="independent", products=entries(sandbox, "ids", "spam"))
    several = sandbox.tree()
    units = [path for path in one if path.startswith("etc/systemd") and path.endswith((".service", ".timer"))]
    assert units
    assert {path: several[path] for path in units} == {path: one[path] for path in units}


def test_a_converge_brings_each_product_its_own(sandbox: Sandbox) -> None:
    products = entries(sandbox, "ids", "spam")
    check = sandbox.converge(products=products, check=True)
    assert sandbox.tree() == {}
    done = sandbox.converge(products=products)
    assert [one.path for one in done.changes] == [one.path for one in check.changes]
    assert not sandbox.converge(products=products).changed
    tree = sandbox.tree()
    for name in ("ids", "spam"):
        service = tree[f"etc/systemd/system/epp-update-{name}@.service"][1].decode()
        assert f"ExecStart=/usr/local/bin/epp-agent run --trigger %i --product {name}\n" in service
        writable = sorted(("-/var/lib/prometheus/node-exporter", f"-/var/lib/{name}"))
        assert f"ReadWritePaths={' '.join(writable)}\n" in service
        timer = tree[f"etc/systemd/system/epp-update-{name}.timer"][1].decode()
        assert f"Unit=epp-update-{name}@schedule.service\n" in timer
        for unit in (f"epp-boot-{name}.timer", f"epp-reconnect-{name}.timer", f"epp-scan-{name}.service"):
            assert f"etc/systemd/system/{unit}" in tree
        assert f"etc/systemd/system/epp-sync-{name}.timer" not in tree
        assert json.loads(tree[f"var/lib/epp-autoupdate/products/{name}/status.json"][1])["product"] == name
    starts = {
        tree[f"etc/systemd/system/{unit}"][1].decode().partition("OnCalendar=")[2].partition("\n")[0]
        for unit in ("epp-update.timer", "epp-update-ids.timer", "epp-update-spam.timer")
    }
    assert len(starts) == 3
    slots = sorted(one["next_run"] for one in status(sandbox)["products"])
    assert done.next_run == slots[0]
    assert len(set(slots)) == 3


def test_cron_has_a_line_for_each(sandbox: Sandbox) -> None:
    sandbox.converge(scheduler="cron", products=entries(sandbox, "ids"))
    table = sandbox.tree()["etc/cron.d/epp-autoupdate"][1].decode()
    assert table.count("run --trigger schedule --product ids\n") == 2  # its slot, and after a boot
    assert table.count("run --trigger schedule\n") == 2
    assert "run --trigger reconnect --product ids\n" in table


def test_drift_of_a_further_product_is_found_and_mended(sandbox: Sandbox) -> None:
    products = entries(sandbox, "ids")
    sandbox.converge(products=products)
    assert find_drift(sandbox.host) == ((), 0)
    sandbox.host.remove(f"{UNITS}/epp-update-ids.timer")
    assert find_drift(sandbox.host)[0] == (f"{UNITS}/epp-update-ids.timer is missing",)
    changes = sandbox.converge(products=products).changes
    assert [one.path for one in changes] == [f"{UNITS}/epp-update-ids.timer"]


def test_a_product_that_is_left_out_leaves_nothing(sandbox: Sandbox) -> None:
    metrics_directory = sandbox.root / "var/lib/prometheus/node-exporter"
    metrics_directory.mkdir(parents=True)
    sandbox.converge(products=entries(sandbox, "ids", "spam"))
    assert (metrics_directory / "epp_autoupdate_ids.prom").exists()
    changes = sandbox.converge(products=entries(sandbox, "spam")).changes
    assert f"{UNITS}/epp-update-ids@.service" in [one.path for one in changes]
    assert not any("ids" in path for path in lasting(sandbox.tree()))
    assert not sandbox.converge(products=entries(sandbox, "spam")).changed


@pytest.mark.parametrize("document", ["there", "damaged", "lost"])
def test_absent_takes_all_of_them_away(sandbox: Sandbox, document: str) -> None:
    sandbox.converge(products=entries(sandbox, "ids"))
    if document == "damaged":
        sandbox.host.write(paths.DOCUMENT, b"{", mode=0o600)
    elif document == "lost":
        sandbox.host.remove(paths.DOCUMENT)
    remove(sandbox.host, check=False)
    left = [path for path in sandbox.tree() if "epp" in path and not path.endswith("epp-autoupdate.log")]
    assert left == []
    assert not remove(sandbox.host, check=True).changed


def test_the_first_product_may_change_its_place(sandbox: Sandbox) -> None:
    first, second = entries(sandbox, "ids", "spam")
    sandbox.converge(**first, products=[second])
    sandbox.converge(**second, products=[first])
    assert sandbox.endpoint.document.product == "spam"
    assert [one.document.instance for one in sandbox.endpoint.each()] == ["", "ids"]
    assert not any("spam" in path for path in lasting(sandbox.tree()) if "products" in path)


def test_each_product_is_updated_by_itself(sandbox: Sandbox) -> None:
    sandbox.converge(products=entries(sandbox, "ids", "spam"))
    new_version(sandbox, "ids", 2)
    assert sandbox.runner(product(sandbox, "ids")).run(Trigger.MANUAL).result is Result.UPDATED
    assert sandbox.runner(product(sandbox, "spam")).run(Trigger.MANUAL).result is Result.CURRENT
    sections = {one["product"]: one for one in status(sandbox)["products"]}
    assert sections["ids"]["last"]["manual"]["changed"] == ["rules"]
    assert sections["ids"]["components"][0]["version"] == "2"
    assert sections["spam"]["last"]["manual"]["result"] == "current"
    assert sections["command"]["last"] == {} == status(sandbox)["last"]
    told = published(sandbox.host, json.loads(sandbox.host.read(paths.STATUS) or b""))
    assert {one["product"]: one["last"] for one in told["products"]} == {
        name: one["last"] for name, one in sections.items()
    }


def test_a_scheduled_run_of_a_product_has_its_own_slot_and_occurrence(sandbox: Sandbox) -> None:
    sandbox.converge(products=entries(sandbox, "ids"))
    ids = product(sandbox, "ids")
    timetable = ids.timetable()
    assert timetable is not None
    slot = timetable.next_slot(sandbox.host.now() - 1)
    assert slot is not None
    sandbox.host.clock = float(slot.at)
    assert sandbox.runner(ids).run(Trigger.SCHEDULE).result is Result.CURRENT
    assert ids.store.read().occurrence == slot.occurrence
    assert sandbox.endpoint.store.read().occurrence is None
    assert sandbox.runner(product(sandbox, "ids")).run(Trigger.SCHEDULE).recorded is False


def test_a_run_that_waits_for_the_slot_of_a_product_that_goes_ends(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.converge(products=entries(sandbox, "ids"))
    ids, sleep = product(sandbox, "ids"), sandbox.host.sleep
    timetable = ids.timetable()
    assert timetable is not None
    slot = timetable.next_slot(sandbox.host.now())
    assert slot is not None
    sandbox.host.clock = slot.at - 50.0

    def removed(seconds: float) -> None:
        sandbox.converge()
        sleep(seconds)

    monkeypatch.setattr(sandbox.host, "sleep", removed)
    report = sandbox.runner(ids).run(Trigger.SCHEDULE)
    assert (report.result, report.recorded) == (Result.SKIPPED, False)


def test_updates_take_turns_unless_they_are_independent(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"update": "10s"}
    products = [{**one, "limits": limits} for one in entries(sandbox, "ids")]
    sandbox.converge(products=products, limits=limits)
    monkeypatch.setattr(
        "ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.turns.longest_turn", lambda _others: 0
    )
    with locked(sandbox.host, paths.TURN_LOCK, wait=0):
        report = sandbox.runner(product(sandbox, "ids")).run(Trigger.MANUAL)
        assert (report.result, report.why) == (Result.FAILED, "updates of other products still run after 0 s")
        sandbox.converge(products=products, limits=limits, updates="independent")
        assert sandbox.runner(product(sandbox, "ids")).run(Trigger.MANUAL).result is Result.CURRENT
    unit = sandbox.tree()["etc/systemd/system/epp-update-ids@.service"][1]
    sandbox.converge(products=products, limits=limits)
    assert sandbox.tree()["etc/systemd/system/epp-update-ids@.service"][1] != unit  # it may wait for its turn


def test_the_engines_time_limit_counts_the_turns_of_the_other_products(sandbox: Sandbox) -> None:
    """It waits for them before it probes what was left unproven, and before it installs."""

    def limit(updates: str) -> int:
        sandbox.converge(products=products, updates=updates)
        return job_plan(sandbox.endpoint, Starters()).engine_limit

    products = entries(sandbox, "ids", "spam")
    turns = longest_turn(EndpointDocument.from_dict(sandbox.document(products=products)).further)
    assert turns > 3600
    assert limit("one_at_a_time") == limit("independent") + 2 * turns


def test_switch_and_roaming_are_the_endpoints(sandbox: Sandbox) -> None:
    allowed = {"privileges": {"toggle_scheduled_update": True, "go_roaming": True}}
    sandbox.converge(policy=allowed, products=entries(sandbox, "ids"))
    set_switch(sandbox.endpoint, on=False)
    set_roaming(sandbox.endpoint, on=True)
    told = published(sandbox.host, json.loads(sandbox.host.read(paths.STATUS) or b""))
    assert [one["scheduled_update"] for one in told["products"]] == [False, False]
    for trigger in (Trigger.SCHEDULE, Trigger.RECONNECT):
        assert sandbox.runner(product(sandbox, "ids")).run(trigger).result is Result.SKIPPED


def test_users_may_start_each_product_that_policy_lets_them(sandbox: Sandbox) -> None:
    (sandbox.root / "usr/lib/polkit-1").mkdir(parents=True)
    (sandbox.root / "usr/lib/polkit-1/polkitd").touch()
    sandbox.converge(products=entries(sandbox, "ids"))
    rule = sandbox.tree()["etc/polkit-1/rules.d/60-epp-autoupdate.rules"][1].decode()
    assert rule.count('"epp-update-ids@manual.service"') == 2
    sandbox.converge(products=entries(sandbox, "ids"), policy={"privileges": {"update_now": False}})
    rule = sandbox.tree()["etc/polkit-1/rules.d/60-epp-autoupdate.rules"][1].decode()
    assert rule.count('"epp-update-ids@manual.service"') == 1
    sandbox.converge(products=entries(sandbox, "ids"), scheduler="cron")
    assert b"run --trigger manual --product ids" in sandbox.tree()["etc/sudoers.d/epp-autoupdate"][1].replace(
        b"\\", b""
    )


def test_metrics_of_all_products_have_no_series_twice(sandbox: Sandbox) -> None:
    sandbox.converge(products=entries(sandbox, "ids"))
    sections = status(sandbox)
    first = exposition(metrics(sections)).splitlines()
    second = exposition(product_metrics(sections["products"][1])).splitlines()
    series = [line.rpartition(" ")[0] for line in (*first, *second) if not line.startswith("#")]
    assert len(series) == len(set(series))
    for name in ("scheduled_update_enabled", "selftest_errors"):
        assert f'epp_autoupdate_{name}{{product="ids"}}' in series


def test_a_product_that_is_not_there_is_named(sandbox: Sandbox) -> None:
    sandbox.converge(products=entries(sandbox, "ids"))
    with pytest.raises(NoSuchProduct, match=r"no product spam \(it has command, ids\)"):
        Endpoint.load(sandbox.host, "spam")


def test_what_is_read_for_a_further_product_is_its_own_alone(sandbox: Sandbox) -> None:
    raw = sandbox.document(products=entries(sandbox, "ids"), policy={"privileges": {"go_roaming": True}})
    document = EndpointDocument.from_dict(raw)
    again = EndpointDocument.from_dict(document.to_dict())
    assert again == document
    assert document.further[0].policy.privileges == document.policy.privileges


def test_a_product_that_is_left_out_gets_its_own_updaters_back_and_no_other_does(sandbox: Sandbox) -> None:
    tables = sandbox.root / "etc/cron.d"
    tables.mkdir(parents=True)
    before = {name: f"5 4 * * * root /usr/bin/{name}-update\n" for name in ("ids", "spam")}
    for name, text in before.items():
        (tables / name).write_text(text)
    (tables / "both").write_text("".join(before.values()))
    ids, spam = (
        {**one, "product_definitions": {name: {**one["product_definitions"][name], "vendor_updaters": [updater]}}}
        for one in entries(sandbox, "ids", "spam")
        for name in [one["product"]]
        for updater in [{"name": f"{name}-update"}]
    )
    sandbox.converge(takeover=True, products=[ids, spam])
    assert all((tables / name).read_text().startswith("#epp-autoupdate: off#") for name in before)
    sandbox.converge(takeover=True, products=[spam])
    assert (tables / "ids").read_text() == before["ids"]
    assert (tables / "spam").read_text() != before["spam"]
    assert not sandbox.converge(takeover=True, products=[spam]).changed
    sandbox.converge(takeover=True, **spam)
    assert not sandbox.converge(takeover=True, **spam).changed
    assert (tables / "spam").read_text() != before["spam"]
    sandbox.converge(takeover=True)
    assert (tables / "spam").read_text() == before["spam"]
    assert (tables / "both").read_text() == "".join(before.values())


def test_a_further_product_costs_a_look_at_its_own_files_and_no_other_question(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(products: list[dict[str, Any]]) -> tuple[int, tuple[Any, ...]]:
        sandbox.converge(products=products)
        document = EndpointDocument.from_dict(sandbox.document(products=products))
        host = RecordingHost(str(sandbox.root))
        monkeypatch.setattr(host, "now", sandbox.host.now)
        assert not converge(document, host, agent=b"the agent", check=False).changed
        return len(host._files), (host._listings.keys(), host._commands.keys(), host._units.keys())

    one, others = asked([])
    several, more = asked(entries(sandbox, "ids", "spam", "third"))
    assert more == others
    assert 3 <= several - one <= 3 * 15


def test_a_damaged_document_hides_no_product_that_is_left_out(sandbox: Sandbox) -> None:
    sandbox.converge(products=entries(sandbox, "ids", "spam"))
    sandbox.host.write(paths.DOCUMENT, b"{", mode=0o600)
    sandbox.converge(products=entries(sandbox, "spam"))
    assert not any("ids" in path for path in lasting(sandbox.tree()))
