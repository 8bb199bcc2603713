# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The counts of a play and the end of a run, as values."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.plugin_utils._progress.play_counts import PlayCounts
from ansible_collections.epp.autoupdate.plugins.plugin_utils._progress.recap import recap


def told(counts: PlayCounts) -> tuple[str, int, int, dict[str, int]]:
    found = counts.progress()
    return found.label, found.done, found.total, {word: count for word, count in found.results.items() if count}


def test_who_left_before_is_through_with_every_later_task() -> None:
    counts = PlayCounts(4)
    assert counts.begin("1", "first")
    counts.through("1", "a", changed=True)
    counts.failed("b")
    assert told(counts) == ("first", 2, 4, {"failed": 1, "changed": 1})
    assert counts.begin("2", "second")
    assert told(counts) == ("second", 1, 4, {"failed": 1, "changed": 1})
    counts.through("2", "a", changed=True)
    counts.through("2", "b")  # an always section
    counts.unreachable("c")
    assert told(counts) == ("second", 3, 4, {"failed": 1, "unreachable": 1, "changed": 1})


def test_hosts_that_are_at_different_tasks_are_counted_at_the_last_one() -> None:
    counts = PlayCounts(3)
    assert [counts.begin(task, task) for task in ("1", "2", "1")] == [True, True, False]
    counts.through("1", "a")
    counts.through("1", "b")
    counts.through("2", "a")
    assert told(counts) == ("2", 1, 3, {})


def test_a_task_for_one_host_is_one_of_one() -> None:
    counts = PlayCounts(100)
    counts.begin("1", "once", once=True)
    assert told(counts) == ("once", 0, 1, {})
    counts.through("1", "a")
    assert told(counts) == ("once", 1, 1, {})


OK = {"ok": 1, "failures": 0, "unreachable": 0, "changed": 0, "skipped": 0, "rescued": 0, "ignored": 0}


@pytest.mark.parametrize(
    ("summaries", "expected"),
    [
        ({}, ["0 hosts: nothing was done"]),
        ({"a": OK}, ["1 host: 1 ok"]),
        (
            {"b": {**OK, "failures": 1, "changed": 3}, "a": {**OK, "failures": 1}, "c": {**OK, "unreachable": 1}},
            ["3 hosts: 2 failed, 1 unreachable", "  failed: a: why\\x1b[2J", "  failed: b", "  unreachable: c"],
        ),
        (
            {"a": {**OK, "changed": 1, "rescued": 2}, "b": {**OK, "ignored": 1}},
            ["2 hosts: 1 changed, 1 ok, 1 with rescued failures, 1 with ignored failures"],
        ),
    ],
)
def test_recap(summaries: dict[str, dict[str, int]], expected: list[str]) -> None:
    assert list(recap(summaries, {"a": "why\x1b[2J"})) == expected
