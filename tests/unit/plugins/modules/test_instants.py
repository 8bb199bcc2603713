# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that programs print has instants in one form: ISO 8601 in UTC."""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.command import UpdateCommand
from ansible_collections.epp.autoupdate.plugins.module_utils._core.timestamps import unix
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.cli import parser as agent
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.cli import parser as server
from ansible_collections.epp.autoupdate.plugins.module_utils._server.rollout.actions import Action

from .conftest import Modules
from .instants import instants, of_another_form

NO_JSON: tuple[str, ...] = ("no JSON",)
TREE_CHANGE = {"scope": "root", "values": {"schedule": {"start": "03:00"}}}
AGENT = {
    # What is typed after the command, and what standard input says.
    "apply": (("--check", "--diff"), None),
    "engine": (("--json",), ""),
    "run": (("--trigger", "manual", "--json"), ""),
    "update-now": (("--json",), ""),
    "scan": (("--json",), ""),
    "selftest": (("--json",), ""),
    "status": (("--json",), ""),
    "schedule": (NO_JSON, ""),
    "roaming": (NO_JSON, ""),
    "prepare": (NO_JSON, ""),
    "listen": (NO_JSON, ""),
    "notice": ((), UpdateCommand("campaign-9", "9").to_line().decode()),
    "sync": (("--json",), ""),
    "report": (("--json",), ""),
}
SERVER = {
    "apply": (("--check", "--diff", "--incomplete"), None),
    "status": (("--json",), ""),
    "endpoints": (("--json",), ""),
    "health": (("--json",), ""),
    "metrics": (NO_JSON, ""),
    "report": (("--json",), ""),
    "ingest": (("--json",), ""),
    "ask-reports": (("n1", "--json"), ""),
    "endpoints pin": (("--json",), ""),
    "audit verify": (("--json",), ""),
    "audit show": (("--json",), ""),
    "audit explain": (("1.0", "--json"), ""),
    "audit export": (NO_JSON, ""),
    "tree set": (("--json",), json.dumps(TREE_CHANGE)),
    "tree show": (("--json",), ""),
    "tree explain": (("n1", "--json"), ""),
    "register": (("--enrollment",), json.dumps({"endpoints": [{"name": "n9", "domain": "emea"}]})),
    "fetch": (("--json",), ""),
    "promote": (("--json",), ""),
    "rollout status": (("--json",), ""),
    "rollout preview": (("--json",), ""),
    **{f"rollout {action.value}": (NO_JSON, "") for action in Action},  # they refuse, for no product has rings
    "publish": (("--anew", "--json"), ""),
    "verify": (("--json",), ""),
    "enrollment": (("--json",), ""),
    "keys show": (("--json",), ""),
    "keys rotate": (("--json",), ""),
    "notify": (("--json",), ""),
    "campaigns": (("--json",), ""),
    "update-now": (("n1", "--json"), ""),
}
WITH_INSTANTS = {
    *(("epp-agent", command) for command in ("apply", "engine", "run", "update-now", "status", "notice")),
    *(("epp-server", command) for command in ("status", "endpoints", "report", "audit show", "keys show", "campaigns")),
    ("epp-server", "keys rotate"),
}
"""Commands of which it is known that they tell instants."""


def commands(parser: argparse.ArgumentParser, words: str = "") -> Iterator[str]:
    """Every command of a command line, with its subcommands."""
    inner = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    if words and not any(one.required for one in inner):
        yield words
    for one in inner:
        for word, below in one.choices.items():
            yield from commands(below, f"{words} {word}".strip())


def printed(fleet: Modules, program: str, command: str, words: tuple[str, ...], given: str) -> Any:
    root = fleet.server_root if program == "epp-server" else fleet.root
    root = fleet.managed_root if command == "sync" else root
    argv = [str(root / "usr/local/bin" / program), "--root", str(root), *command.split(), *words]
    done = subprocess.run(argv, input=given, capture_output=True, text=True, check=False)
    return json.loads(done.stdout)


def documents(fleet: Modules) -> dict[str, str]:
    """What ``apply`` of each program gets."""
    settings = json.loads((fleet.server_root / paths.SETTINGS.lstrip("/")).read_text())
    document = (fleet.root / "etc/epp-autoupdate/endpoint.json").read_text()
    return {"epp-agent": document, "epp-server": json.dumps(settings)}


def test_every_command_is_looked_at() -> None:
    assert sorted(commands(agent._parser())) == sorted(AGENT)
    assert sorted(commands(server._parser(""))) == sorted(SERVER)


@pytest.mark.heavy
def test_no_command_prints_an_instant_in_another_form(fleet: Modules) -> None:
    told: dict[tuple[str, str], Any] = {}
    for program, table in (("epp-agent", AGENT), ("epp-server", SERVER)):
        for command, (words, given) in table.items():
            if words != NO_JSON:
                document = documents(fleet)[program] if given is None else given
                told[program, command] = printed(fleet, program, command, words, document)
    (download,) = (one["campaign"] for one in told["epp-server", "campaigns"] if one["trigger"] == "download")
    parts = told["epp-server", "campaigns ID"] = fleet.ask("campaigns", download)
    assert {name: of_another_form(one) for name, one in told.items() if of_another_form(one)} == {}
    assert WITH_INSTANTS - {name for name, one in told.items() if list(instants(one))} == set()
    now = time.time()
    assert all(now - 3600 < unix(one["changed"]) <= now for one in parts)
    assert {one["endpoint"]: sorted(key for key in one if one[key] in list(instants(one))) for one in parts} == {
        "n1": ["changed", "since", "tried"],
        "off": ["changed", "due", "tried"],
    }
    assert len(list(instants(next(one["answer"] for one in parts if one["endpoint"] == "n1")))) == 2


@pytest.mark.parametrize(
    "content",
    [
        1795953600,
        {"a": [1795953600.5]},
        "it ends at 1795953600",
        "2026-11-29 12:00:00Z",
        "2026-11-29T12:00Z",
        "2026-11-29T13:00:00+01:00 is too late",
    ],
)
def test_another_form_would_be_found(content: Any) -> None:
    assert len(of_another_form({"x": content})) == 1
    assert of_another_form({"serial": 1795953600, "a": "at 2026-11-29T12:00:00Z.", "b": 10**9, "c": True}) == []
