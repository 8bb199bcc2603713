# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook ``rollout`` on the real program of an update server: it shows, foretells, decides once, and asks why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Fleet, Run

RINGS = {"rings": [{"name": "canary", "endpoints": ["n1"]}, {"name": "broad"}]}
ORDER = {"autoupdate_rollout_state": "aborted", "autoupdate_rollout_reason": "it flags a clean file"}


@pytest.fixture
def staged(fleet: Fleet) -> Fleet:
    """A server with two rings, of which the first tries version 2."""
    root = str(fleet.control.server)
    web, components = {"url": fleet.url}, {"files": {"directory": "/srv/components"}}
    settings = {"notify": {"notifier": "local"}, "scheduler": "systemd", "components": components}
    server = {"installroot": root, "web": web, **settings, "rollout": {"files": RINGS}}
    members = {"installroot": root, "endpoints": [{"name": "n1"}, {"name": "n2"}]}
    source = fleet.control.server / "srv/components"
    source.mkdir(parents=True)
    tasks = [
        {"name": "Serve", "epp.autoupdate.server": server},
        {"name": "Register", "epp.autoupdate.client_tree": members},
    ]
    run = fleet.control.play(tasks, {"updates": {}})
    assert run.code == 0, run.output
    for content in ("one", "two"):
        (source / "a.dat").write_text(content)
        fleet.control.ask("fetch")
    return fleet


def decide(fleet: Fleet, *arguments: str, **variables: Any) -> Run:
    return fleet.play("rollout", *arguments, "-e", json.dumps(variables))


def offered(fleet: Fleet) -> dict[str, str]:
    (found,) = fleet.control.ask("rollout", "status")
    return {ring["name"]: ring["offered"] for ring in found["rings"]}


def twice(fleet: Fleet) -> Run:
    """Look, decide, and decide the same again, as one run."""
    plays = [
        {"name": "Look", "import_playbook": "epp.autoupdate.rollout"},
        *({"name": name, "import_playbook": "epp.autoupdate.rollout", "vars": ORDER} for name in ("Decide", "Again")),
    ]
    path = fleet.control.work / "own.json"
    path.write_text(json.dumps(plays))
    return fleet.control.playbook(str(path), fleet.hosts())


@pytest.mark.heavy
def test_a_decision_is_foretold_then_made_once_and_shown(staged: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "operator")
    before = staged.control.ask("rollout", "status")
    refused = decide(staged, autoupdate_rollout_state="aborted")
    assert refused.code == 2, refused.output
    assert "--reason" in refused.text
    assert "a sentence that says why" in refused.text
    foretold = decide(staged, "--check", "--diff", **ORDER)
    assert foretold.code == 0, foretold.output
    assert '-    "canary": "2"' in foretold.output
    assert '+    "canary": "1"' in foretold.output
    assert staged.control.ask("rollout", "status") == before
    run = twice(staged)
    assert run.code == 0, run.output
    assert {line["host"] for line in run.results} == {"updates"}, "no endpoint is contacted"
    orders = [line["result"] for line in run.results if line["action"] == "epp.autoupdate.rollout_state"]
    assert [one.get("changed", False) for one in orders if "version" in one] == [True, False]
    assert (orders[-1]["version"], orders[-1]["reason"]) == ("2", ORDER["autoupdate_rollout_reason"])
    assert "files: newest 2; canary 2 (baking, 0 of 0 healthy, 0 failed), broad 1 (idle)" in run.text
    assert "canary 1 (idle), broad 1 (idle); 2 held: it flags a clean file" in run.text
    assert offered(staged) == {"canary": "1", "broad": "1"}
    (event,) = (one for one in staged.control.ask("rollout", "status")[0]["events"] if one["kind"] == "aborted")
    assert event["evidence"]["restore"] == "1"
