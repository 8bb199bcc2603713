# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rulebook waits for alerts that the rules of Prometheus raise for single endpoints."""

from __future__ import annotations

import re

from . import repository

RULES = ("roles", "server", "files", "prometheus", "epp_autoupdate.rules.yml")


def test_each_alert_that_starts_an_update_is_one_of_the_rules_for_endpoints() -> None:
    (rulebook,) = repository.load("extensions", "eda", "rulebooks", "update_endpoint.yml")
    (rule,) = rulebook["rules"]
    pattern = re.search(r'alertname is regex\("(.+?)"\)', rule["condition"])
    assert pattern is not None
    names = {rule["alert"]: rule["labels"] for group in repository.load(*RULES)["groups"] for rule in group["rules"]}
    found = {name: labels for name, labels in names.items() if re.search(pattern[1], name)}
    assert len(found) == pattern[1].count("|") + 1
    assert {labels["service"] for labels in found.values()} == {"epp-autoupdate"}
    assert all(f"``{name}``" in repository.text("docs", "docsite", "rst", "event_driven.rst") for name in found)
