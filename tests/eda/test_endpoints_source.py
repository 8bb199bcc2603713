# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source ``epp.autoupdate.endpoints``: who comes into a state is an event, and is updated alone."""

from __future__ import annotations

import asyncio
import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eda_rulebook import ROOT, Rulebook, eventually

SOURCE = runpy.run_path(str(ROOT / "extensions/eda/plugins/event_source/endpoints.py"))
RULEBOOK = ROOT / "extensions/eda/rulebooks/update_failing.yml"


def listed(**states: str) -> str:
    endpoints = [
        {"name": name, "state": state, "reason": "a disk\x1b is full {{ 1 }}"} for name, state in states.items()
    ]
    return json.dumps(endpoints)


def events(answers: Path, *, expected: int, **options: Any) -> list[dict[str, str]]:
    """The first events of a source whose command prints the file ``answers``."""

    async def collected() -> list[dict[str, str]]:
        queue: asyncio.Queue[Any] = asyncio.Queue()
        args = {"command": ["/bin/cat", str(answers)], "interval": 1, **options}
        asking = asyncio.ensure_future(SOURCE["main"](queue, args))
        try:
            return [await asyncio.wait_for(queue.get(), 30) for _event in range(expected)]
        finally:
            asking.cancel()

    return asyncio.run(collected())


def test_who_is_in_a_state_is_an_event_as_data(tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("Welcome!\n" + listed(n1="current", n2="failing", n3="silent"))
    (one,) = events(tmp_path / "answers", expected=1)
    assert one == {
        "endpoint": "n2",
        "state": "failing",
        "reason": "a disk? is full { { 1 }}",
        "since": "",
        "domain": "",
        "before": "",
    }


def test_a_change_is_an_event_and_what_lasts_is_none() -> None:
    before = {"n1": "current", "n2": "failing", "n3": "failing"}
    now = SOURCE["parse"](listed(n1="failing", n2="failing", n3="current", n4="failing").encode())
    told = SOURCE["came_into"](frozenset({"failing"}), before, now)
    assert [(one["endpoint"], one["before"]) for one in told] == [("n1", "current"), ("n4", "")]


def test_names_that_a_limit_would_take_for_something_else_are_left_out() -> None:
    odd = ["n1,n3", "n[13]", "~n.*", "@hosts", "!n2", "{{ 'n1' }}", "-e", "", None, "n" * 300]
    raw = [{"name": name, "state": "failing"} for name in odd]
    assert SOURCE["parse"](json.dumps([*raw, {"name": "n1", "state": "broken"}, 3]).encode()) == []


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["/nonexistent/epp-server"], "can't be started"),
        (["/bin/sh", "-c", "echo no rights >&2; exit 77"], "no rights"),
        (["/bin/sh", "-c", "exit 5"], "exit code 5"),
        (["/bin/echo", "<html>"], "not JSON"),
        (["/bin/echo", '{"endpoints": 3}'], "no list"),
        (["/bin/sleep", "60"], "no answer within 1 s"),
    ],
    ids=" ".join,
)
def test_a_server_that_does_not_answer_is_told_and_asked_again(command: list[str], why: str) -> None:
    with pytest.raises(SOURCE["NoAnswer"], match=why):
        asyncio.run(SOURCE["_asked"](command, 1))


@pytest.mark.parametrize(
    "args",
    [{"states": "failing"}, {"states": ["broken"]}, {"command": "ls"}, {"interval": 0}, {"timeout": "x"}, {"often": 1}],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(args: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(args))):
        asyncio.run(SOURCE["main"](asyncio.Queue(), args))


@pytest.fixture
def own_rulebook(rulebook_of: Any, tmp_path: Path) -> Iterator[Rulebook]:
    answers = tmp_path / "answers"
    answers.write_text(listed(n1="current", n2="current"))
    made = rulebook_of(RULEBOOK, {"endpoints_command": ["/bin/cat", str(answers)], "endpoints_interval": 1})
    yield made
    made.stop()


def test_an_endpoint_that_begins_to_fail_is_updated_and_nobody_else(own_rulebook: Rulebook, tmp_path: Path) -> None:
    (own_rulebook.work / "offered").write_text("2\n")
    (tmp_path / "answers").write_text(listed(n1="current", n2="failing"))
    eventually(lambda: own_rulebook.installed("n2") == "2", "n2 is updated")
    eventually(lambda: "PLAY RECAP" in own_rulebook.said(), "the playbook has ended")
    assert own_rulebook.installed("n1") == "1"
