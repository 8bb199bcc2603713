# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alerting rules and dashboard: ``promtool`` proves each rule, and both ask for what is documented (R7)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.alarms import NAMES
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._core.documented_metrics import documented

from . import repository

PLACE = ("roles", "server", "files", "prometheus")
FILE = "epp_autoupdate.rules.yml"
DASHBOARD = "epp_autoupdate_dashboard.json"
TESTS = Path(__file__).with_name("prometheus") / "alerts.yml"
needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")


def rules() -> list[dict[str, Any]]:
    return [rule for group in repository.load(*PLACE, FILE)["groups"] for rule in group["rules"]]


def promtool(*words: Any, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *words], input=given, capture_output=True, text=True, check=False)


@needs_promtool
def test_promtool_finds_no_fault() -> None:
    done = promtool("check", "rules", repository.ROOT.joinpath(*PLACE, FILE))
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_each_alert_fires_and_does_not_fire_at_its_boundary(tmp_path: Path) -> None:
    for path in (TESTS, repository.ROOT.joinpath(*PLACE, FILE)):
        shutil.copy(path, tmp_path)
    done = promtool("test", "rules", tmp_path / TESTS.name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_both_cases() -> None:
    cases = [case for test in repository.load(*TESTS.relative_to(repository.ROOT).parts)["tests"]
             for case in test["alert_rule_test"]]  # fmt: skip
    names = {rule["alert"] for rule in rules()}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
    silent = {case["alertname"] for case in cases if not case["exp_alerts"]}
    assert silent | {"EppAutoupdateDocumentExpired"} == names | {"EppAutoupdateDocumentExpired"}


def test_alerts_ask_for_metrics_and_labels_that_there_are() -> None:
    known = documented()
    for rule in rules():
        asked = re.findall(r"(epp_autoupdate_\w+)(?:\{([^}]*)\})?", rule["expr"])
        assert asked
        for name, selected in asked:
            assert set(re.findall(r"(\w+)=~?\"", selected)) <= known[name][1], rule["alert"]


def test_the_guide_has_each_alert_with_its_labels() -> None:
    table = re.findall(
        r"^   \* - ``(EppAutoupdate\w+)``\n((?:     - .+\n)+)",
        repository.text("docs/docsite/rst/monitoring.rst"),
        re.MULTILINE,
    )
    told = {name: re.findall(r"``(\w+)``", rest) for name, rest in table}
    assert set(told) == {rule["alert"] for rule in rules()}
    for rule in rules():
        labels = rule["labels"]
        assert labels["service"] == "epp-autoupdate"
        assert {labels["severity"], labels.get("alarm", labels["severity"])} <= set(told[rule["alert"]])
    assert {rule["labels"]["alarm"] for rule in rules() if "alarm" in rule["labels"]} == set(NAMES)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_is_wrong_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert sorted(rule["annotations"]) == ["description", "runbook_url", "summary"]
    assert rule["labels"]["severity"] in ("warning", "critical")


def queries() -> list[tuple[str, str]]:
    """Of each query of the dashboard the title of its panel, and the query."""
    dashboard = json.loads(repository.text(*PLACE, DASHBOARD))
    return [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", ())]


def test_the_dashboard_asks_for_metrics_and_labels_that_there_are() -> None:
    """That each query has data is the lab's: there a real Prometheus answers."""
    known = documented()
    assert len(queries()) > 30
    for title, query in queries():
        asked = re.findall(r"(epp_autoupdate_\w+)(?:\{([^}]*)\})?", query)
        assert asked, title
        for name, selected in asked:
            of_server = {"instance"} if name.startswith("epp_autoupdate_server_") else set()
            assert set(re.findall(r"(\w+)=~?\"", selected)) - known[name][1] == of_server, (title, query)
        labels = {label for name, _selected in asked for label in known[name][1]} | {"instance"}
        grouped = re.findall(r"(?:by|on|without|ignoring) \(([\w, ]+)\)", query)
        assert {label for some in grouped for label in some.split(", ")} <= labels, (title, query)


def test_each_metric_of_the_server_is_on_the_dashboard() -> None:
    shown = " ".join(query for _title, query in queries())
    of_server = [name for name in documented() if name.startswith("epp_autoupdate_server_")]
    assert [name for name in of_server if not re.search(rf"\b{name}\b", shown)] == []


def test_panels_do_not_overlap_and_have_numbers_of_their_own() -> None:
    panels = json.loads(repository.text(*PLACE, DASHBOARD))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _y in taken) < 24
