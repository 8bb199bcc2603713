# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules of staged rollouts on an update server: rings are set, looked at, and decided about (G1, G4 to G6)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.modules import client_tree, rollout, rollout_info, rollout_state

from .conftest import Modules

RINGS: dict[str, Any] = {
    "product": "files",
    "rings": [{"name": "canary", "endpoints": ["n1"], "failure_threshold": "0"}, {"name": "broad"}],
    "bake_time": "2h",
}


@pytest.fixture
def staged(modules: Modules, once: Callable[..., None]) -> Modules:
    """A server with two rings, of which the first tries version 2."""

    def make() -> None:
        source = modules.server_root / "srv/components"
        source.mkdir(parents=True)
        (source / "a.dat").write_text("a")
        modules.serve(components={"files": {"directory": "/srv/components"}})
        modules.on_server(client_tree, endpoints=[{"name": "n1"}, {"name": "n2"}])
        modules.ask("fetch")
        modules.on_server(rollout, **RINGS)
        (source / "a.dat").write_text("b")
        modules.ask("fetch")

    once(modules.server_root, make)
    return modules


def offered(modules: Modules) -> dict[str, str]:
    (found,) = modules.on_server(rollout_info)["rollouts"]
    return {ring["name"]: ring["offered"] for ring in found["rings"]}


def test_rings_are_set_once_and_the_rest_of_the_settings_stays(staged: Modules) -> None:
    file = staged.server_root / paths.SETTINGS.lstrip("/")
    before = file.read_text()
    assert staged.on_server(rollout, **RINGS)["changed"] is False
    changed = staged.on_server(rollout, check=True, diff=True, **{**RINGS, "bake_time": "3h"})
    assert changed["changed"] is True
    assert any('"bake_time": "3h"' in one["after"] for one in changed["diff"])
    assert file.read_text() == before
    assert json.loads(before)["components"]["files"]["directory"] == "/srv/components"
    wrong = staged.on_server(rollout, **{**RINGS, "bake_time": "30d"})
    assert wrong["failed"]
    assert "rollout.files.bake_time" in wrong["msg"]


def test_what_rings_are_offered_is_told(staged: Modules) -> None:
    assert offered(staged) == {"canary": "2", "broad": "1"}
    (found,) = staged.on_server(rollout_info, events=1)["rollouts"]
    assert (found["product"], found["newest"], len(found["events"])) == ("files", "2", 1)


@pytest.mark.parametrize(
    ("state", "after"),
    [("aborted", {"canary": "1", "broad": "1"}), ("expedited", {"canary": "2", "broad": "2"})],
)
def test_a_decision_is_made_once_and_check_mode_makes_none(staged: Modules, state: str, after: dict[str, str]) -> None:
    order = {"state": state, "version": "2", "reason": "an outbreak", "by": "operator"}
    would = staged.on_server(rollout_state, check=True, diff=True, **order)
    assert (would["changed"], would["after"]["offered"]) == (True, after)
    assert would["diff"]["before"] != would["diff"]["after"]
    assert offered(staged) == {"canary": "2", "broad": "1"}
    done = staged.on_server(rollout_state, **order)
    assert (done["changed"], done["by"], done["after"]["offered"]) == (True, "operator", after)
    assert offered(staged) == after
    assert staged.on_server(rollout_state, **order)["changed"] is False


def test_what_is_not_possible_fails_in_the_servers_words(staged: Modules) -> None:
    told = staged.on_server(rollout_state, state="resumed", reason="x")
    assert told["failed"]
    assert "there is none" in told["msg"]


def test_without_rings_everybody_is_offered_the_newest_version_again(staged: Modules) -> None:
    assert staged.on_server(rollout, product="files", state="absent")["changed"] is True
    assert staged.on_server(rollout, product="files", state="absent")["changed"] is False
    assert staged.on_server(rollout_info)["rollouts"] == []
