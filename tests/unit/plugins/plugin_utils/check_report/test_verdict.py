# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run comes to, from what was seen of its hosts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.allowance import Allowance, UnknownName
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.observations import NOT_ENDED, Observations
from ansible_collections.epp.autoupdate.plugins.plugin_utils._check_report.report import Report

START, END = "2026-11-30T12:00:00Z", "2026-11-30T12:01:00Z"
HOSTS = ("n1", "n2", "updates")
GROUPS = {"all": HOSTS, "autoupdate_servers": ["updates"], "autoupdate_endpoints": ["n1", "n2"], "laptops": ["n2"]}
CLEAN: dict[str, Any] = {"drift": []}


def differs(outcome: str = "drift", *, text: str = "differs", diff: str = "") -> dict[str, Any]:
    """The result of the module ``drift`` on a host that has drifted."""
    one = {"kind": "timer", "path": "/etc/systemd/system/epp-update.timer", "text": text, "outcome": outcome}
    return {"drift": [one], "diff": [{"prepared": diff}]}


def seen(*changes: Callable[[Observations], None]) -> Observations:
    """A run in which all hosts are clean, and what happened besides."""
    observations = Observations(START)
    observations.policy_checked()
    for host in HOSTS:
        observations.compared(host, CLEAN)
    for change in changes:
        change(observations)
    return observations


def report(*changes: Callable[[Observations], None], allowed: tuple[str, ...] = ()) -> Report:
    return seen(*changes).report(HOSTS, GROUPS, Allowance.of(allowed), END)


def drifted(one: Observations) -> None:
    one.compared("n1", differs())


def lost(one: Observations) -> None:
    one.unreachable("n2", "no route to host")


def lost_server(one: Observations) -> None:
    one.compared("n2", differs("unreachable"))


def failed(one: Observations) -> None:
    one.failed("n1", "Compare", "Traceback")


def not_compared(one: Observations) -> None:
    one.compared("n1", differs("fault"))


@pytest.mark.parametrize(
    ("changes", "allowed", "verdict"),
    [
        ((), (), "clean"),
        ((drifted,), (), "drift"),
        ((lost,), (), "incomplete"),
        ((lost_server,), (), "incomplete"),
        ((lost,), ("1",), "clean"),
        ((lost,), ("33%",), "incomplete"),
        ((lost,), ("34%",), "clean"),
        ((lost,), ("laptops",), "clean"),
        ((lost,), ("n2",), "clean"),
        ((lost,), ("n1",), "incomplete"),
        ((lost,), ("laptop",), "faults"),
        ((lost, drifted), (), "drift"),
        ((lost, failed), (), "faults"),
        ((failed,), (), "faults"),
        ((not_compared,), (), "faults"),
        ((drifted, not_compared), (), "faults"),
        ((failed,), ("100%", "all"), "faults"),
        ((drifted,), ("100%", "all"), "drift"),
    ],
)
def test_the_verdict(changes: Any, allowed: tuple[str, ...], verdict: str) -> None:
    assert report(*changes, allowed=allowed).to_dict()["verdict"] == verdict


def test_bad_policy_leaves_all_hosts_not_compared_and_is_told_with_its_place() -> None:
    observations = Observations(START)
    fault = {"text": "autoupdate_ordinal: -1 is not", "hosts": ["n1"], "file": "hosts.yml", "line": 7}
    observations.policy_checked([fault])
    found = observations.report(HOSTS, GROUPS, Allowance(), END).to_dict()
    assert (found["verdict"], found["summary"]["not_compared"]) == ("faults", 3)
    assert found["faults"] == [{**fault, "cause": "policy", "task": None}]


def test_a_run_that_has_not_ended_is_never_clean() -> None:
    found = seen().report(HOSTS, GROUPS, Allowance(), None).to_dict()
    assert (found["verdict"], found["finished"]) == ("faults", None)
    assert [fault["text"] for fault in found["faults"]] == [NOT_ENDED]


def test_a_run_over_no_hosts_is_not_clean() -> None:
    found = Observations(START).report((), {}, Allowance(), END).to_dict()
    assert (found["verdict"], [one["text"] for one in found["faults"]]) == ("faults", ["no host was compared"])


def test_a_host_of_which_nothing_was_seen_makes_the_run_incomplete() -> None:
    assert seen().report((*HOSTS, "n9"), GROUPS, Allowance.of(["100%"]), END).to_dict()["verdict"] == "incomplete"


def test_what_is_compared_after_all_counts() -> None:
    """A task that is delegated to a server may be unreachable, and the host itself be compared."""
    found = report(lost, lambda one: one.compared("n2", CLEAN))
    assert found.to_dict()["verdict"] == "clean"


def test_a_number_excuses_all_or_none_and_names_do_not_count_for_it() -> None:
    groups = {"laptops": ["a", "b", "c"]}
    allowance = Allowance.of(["laptops", " 1 ", ""])
    assert allowance.excused(["a", "b", "x"], 10, groups) == {"a", "b", "x"}
    assert allowance.excused(["a", "b", "x", "y"], 10, groups) == {"a", "b"}
    assert Allowance.of(["2", "10%"]).excused(["x", "y", "z"], 30, {}) == {"x", "y", "z"}
    assert Allowance.of([]).excused(["x"], 30, {}) == set()


def test_a_name_that_nobody_has_is_told() -> None:
    with pytest.raises(UnknownName, match="allowed_unreachable: laptosp: not a number, a percentage"):
        Allowance.of(["5", "laptosp", "n1"]).check({"laptops", "n1"})


def test_text_of_hosts_is_data_in_every_field() -> None:
    hostile = "a\x1b[31m\nb\u202e"
    found = report(
        lambda one: one.compared("n1", differs(text=hostile, diff=f"{hostile}\n")),
        lambda one: one.failed("n2", hostile, f"{hostile} https://user:secret@host/x"),
    ).to_dict()
    texts = str(found)
    assert all(one not in texts for one in ("\x1b", "\u202e", "\n", "secret"))
    (drift,) = next(one["drift"] for one in found["hosts"] if one["name"] == "n1")
    assert drift["text"] == "a\\x1b[31m\\nb\\u202e"


def test_a_long_difference_is_cut() -> None:
    found = report(lambda one: one.compared("n1", differs(diff="x\n" * 1000))).to_dict()
    (drift,) = next(one["drift"] for one in found["hosts"] if one["name"] == "n1")
    assert (len(drift["diff"]), drift["diff"][-1]) == (201, "... and 800 lines more")
