# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The alerting rules: ``promtool`` proves each of them, and the guide has each with its labels (R7)."""

from __future__ import annotations

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
