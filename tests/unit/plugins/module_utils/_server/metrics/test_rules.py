# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's alarms and the rules of Prometheus are one definition (R7): by ``promtool``, of many fleets."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils import _core
from ansible_collections.epp.autoupdate.plugins.module_utils._core.exposition import exposition
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.alarms import (
    NAMES,
    Alarm,
    Fetch,
    FleetFacts,
    alarms,
    share_limits,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.states import EndpointState
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.alarms import AlarmSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._server.health import Health
from ansible_collections.epp.autoupdate.plugins.module_utils._server.metrics.of_health import of_health

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
RULES = Path(_core.__file__).parents[3] / "roles/server/files/prometheus/epp_autoupdate.rules.yml"
PRODUCTS = ("clamav", "files", "command")
FLEETS = 60
HOUR = 3600
NOW = 0.0
"""A test of promtool begins at the Unix second 0."""


def fleet(draw: random.Random) -> tuple[FleetFacts, AlarmSettings]:
    """A fleet at the limits of its alarms, just beyond them, or elsewhere."""
    near = (-1, 0, 1)
    limits = AlarmSettings(
        component_age={product: draw.randint(1, 99) * HOUR for product in PRODUCTS if draw.random() < 0.7},
        failing_share=draw.randint(0, 100),
        refusing_share=draw.choice((0, 0, 1, 33)),
        silent_share=draw.randint(0, 100),
        expiry=draw.choice((0, HOUR, 48 * HOUR)),
    )
    total = draw.choice((0, 1, 3, 7, 100, 999))
    states = dict.fromkeys(EndpointState, 0)
    for state, most in share_limits(limits).items():
        states[state] = max(0, min(total - sum(states.values()), total * most // 100 + draw.choice(near)))
    states[EndpointState.CURRENT] = total - sum(states.values())
    facts = FleetFacts(
        states=states,
        fetches={product: Fetch(draw.choice(list(Result)).value) for product in PRODUCTS if draw.random() < 0.5},
        published={
            product: NOW - limits.component_age.get(product, 50 * HOUR) + draw.choice(near)
            for product in PRODUCTS
            if draw.random() < 0.8
        },
        outdated={product: draw.choice((0, 1, 5)) for product in limits.component_age},
        ends={
            name: NOW + draw.choice((0, limits.expiry)) + draw.choice(near)
            for name in ("catalog", "shards", "tree")
            if draw.random() < 0.8
        },
        audit=draw.choice(("", "line 5: it was changed")),
        stopped={product: draw.choice(("", "version 2 is halted")) for product in PRODUCTS if draw.random() < 0.5},
    )
    return facts, limits


def series(facts: FleetFacts, limits: AlarmSettings, raised: list[Alarm]) -> list[dict[str, str]]:
    """What Prometheus would scrape."""
    text = exposition(of_health(Health(facts, tuple(raised)), limits))
    samples = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return [{"series": name, "values": value} for name, _space, value in samples]


def told(alarm: Alarm) -> str:
    """An alarm as a sample: what it is about has a label of its own."""
    about = {"expiry": "document", "fetch": "product", "component_age": "product", "outdated": "product"}
    about["rollout"] = "product"
    label = f', {about[alarm.name]}="{alarm.subject}"' if alarm.name in about else ""
    return f'{{alarm="{alarm.name}"{label}}}'


def one_test(facts: FleetFacts, limits: AlarmSettings) -> dict[str, Any]:
    raised = alarms(facts, limits, now=NOW)
    expected = [{"labels": told(alarm), "value": 1} for alarm in raised]
    firing = 'max by (alarm, product, document) (ALERTS{alertstate="firing"})'
    return {
        "interval": "1m",
        "input_series": series(facts, limits, raised),
        "promql_expr_test": [{"expr": firing, "eval_time": "0m", "exp_samples": expected}],
    }


@needs_promtool
def test_the_rules_find_what_the_server_finds(tmp_path: Path) -> None:
    draw = random.Random(1)
    fleets = [fleet(draw) for _number in range(FLEETS)]
    raised = {alarm.name for facts, limits in fleets for alarm in alarms(facts, limits, now=NOW)}
    assert raised == set(NAMES), "each alarm is raised somewhere"
    tests = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [one_test(*one) for one in fleets]}
    place = tmp_path / "tests.yml"
    place.write_text(json.dumps(tests))
    done = subprocess.run(["promtool", "test", "rules", place], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_a_disagreement_is_found(tmp_path: Path) -> None:
    """The comparison can fail: with a rule whose limit is another one."""
    facts = FleetFacts(states={EndpointState.CURRENT: 95, EndpointState.FAILING: 5})
    place, rules = tmp_path / "tests.yml", tmp_path / "rules.yml"
    limit = "> epp_autoupdate_server_state_limit_ratio"
    rules.write_text(RULES.read_text().replace(limit, limit.replace(">", ">=")))
    tests = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [one_test(facts, AlarmSettings())]}
    place.write_text(json.dumps(tests))
    done = subprocess.run(["promtool", "test", "rules", place], check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert 'alarm="failing"' in done.stdout + done.stderr
