# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a value of the inventory stands, by its path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.epp.autoupdate.plugins.plugin_utils._findings import Finding, Findings
from ansible_collections.epp.autoupdate.plugins.plugin_utils._places import place_of

TEXT = """\
---
autoupdate_policy:
  schedule:
    frequency: daily
    window: 2x
autoupdate_domain_policies:
  emea/finance:
    events: {}
    schedule:
      start: "25:00"
autoupdate_scan_paths:
  - /srv
  - relative
autoupdate_domain: emea
autoupdate_endpoint_policy: "{{ mine }}"
"""


@pytest.fixture
def variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    (tmp_path / "vars.yml").write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    loaded: dict[str, Any] = DataLoader().load_from_file(str(tmp_path / "vars.yml"))
    return {**loaded, "autoupdate_made": "here"}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("autoupdate_policy.schedule.window", 5),
        ("autoupdate_policy.schedule", 3),
        ("autoupdate_policy.schedule.day", 3),
        ("autoupdate_policy.schedule.frequency.x", 4),
        ("autoupdate_domain_policies[emea/finance].schedule.start", 10),
        ('autoupdate_domain_policies["emea/finance"]', 7),
        ("autoupdate_domain_policies[apac].schedule.start", 7),
        ("autoupdate_scan_paths[1]", 13),
        ("autoupdate_domain", 14),
        ("autoupdate_endpoint_policy.schedule.window", 15),
    ],
)
def test_a_path_leads_to_the_nearest_line(variables: dict[str, Any], path: str, line: int) -> None:
    assert place_of(variables, path) == ("vars.yml", line)


@pytest.mark.parametrize("path", ["autoupdate_made", "autoupdate_missing.x", ""])
def test_what_no_file_has_has_no_place(variables: dict[str, Any], path: str) -> None:
    assert place_of(variables, path) is None


def test_a_file_elsewhere_has_its_whole_path(
    variables: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert place_of(variables, "autoupdate_domain") == (str(tmp_path / "vars.yml"), 14)


def test_a_finding_is_told_once_for_each_place(variables: dict[str, Any]) -> None:
    found = Findings({"n1": variables, "n2": variables, "n3": {"autoupdate_domain": "x"}})
    for host in ("n1", "n2", "n3"):
        found.add((host,), "autoupdate_domain", "autoupdate_domain: wrong")
    assert [one.sentence for one in found] == [
        "vars.yml:14: n1, n2: autoupdate_domain: wrong",
        "n3: autoupdate_domain: wrong",
    ]


def test_what_nobody_has_of_his_own_has_the_place_of_the_first(variables: dict[str, Any]) -> None:
    found = Findings({"n1": variables})
    found.add((), "autoupdate_policy.schedule", "wrong")
    assert [one.sentence for one in found] == ["vars.yml:3: wrong"]


def test_a_result_names_a_few_hosts_and_counts_them_all() -> None:
    told = Finding("wrong", tuple(f"n{number}" for number in range(30))).to_dict()
    assert (len(told["hosts"]), told["host_count"]) == (20, 30)
