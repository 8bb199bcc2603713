# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What endings mean: the versions decide, an exit code or a line only explains (R1)."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products.meanings import (
    Ending,
    Meaning,
    outcome,
    worst,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products.steps import Step, ending_of, read_step
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import ValidationErrors
from hypothesis import given
from hypothesis import strategies as st

NOW = 1795305600.0
UNCHANGED = {
    Meaning.OK: Result.CURRENT,
    Meaning.CURRENT: Result.CURRENT,
    Meaning.UPDATED: Result.CURRENT,
    Meaning.BUSY: Result.SKIPPED,
    Meaning.COOLING_DOWN: Result.COOLING_DOWN,
    Meaning.UNREACHABLE: Result.UNREACHABLE,
    Meaning.HELD: Result.HELD,
    Meaning.LICENSE_EXPIRED: Result.FAILED,
    Meaning.NEEDS_RESTART: Result.FAILED,
    Meaning.FAILED: Result.FAILED,
}
RULES = {
    "command": ["/usr/bin/update"],
    "exit_codes": {
        "0": "ok",
        "1": "current",
        "2": "updated",
        "7": {"means": "cooling_down", "wait": "4h"},
        "70": {"means": "busy", "reason": "a task of its own is running"},
    },
    "outputs": [
        {"pattern": ".*license (?:has )?expired", "means": "license_expired"},
        {"pattern": "retry in (?P<minutes>[0-9]+) min", "means": "cooling_down", "reason": "the vendor said so"},
        {"pattern": "retry at (?P<until>.+)", "time_format": "iso", "means": "cooling_down", "wait": "1h"},
        {"pattern": "no new", "exit_codes": [1], "means": "current"},
        {"pattern": "managed by", "means": "held", "reason": "the console decides"},
    ],
}


def step(raw: object = None) -> Step:
    """A step as it is read; the one of ``RULES`` where none is given."""
    errors = ValidationErrors()
    found = read_step(RULES if raw is None else raw, "update[0]", errors, ())
    errors.check()
    return found


@pytest.mark.parametrize("meaning", UNCHANGED)
def test_without_a_new_version(meaning: Meaning) -> None:
    result = outcome(Ending(meaning, "it said so", 5), changed=False)
    assert result.result is UNCHANGED[meaning]
    assert result.until == (5 if meaning is Meaning.COOLING_DOWN else None)


@pytest.mark.parametrize("meaning", UNCHANGED)
def test_with_a_new_version(meaning: Meaning) -> None:
    result = outcome(Ending(meaning, "it said so"), changed=True)
    assert result.result is Result.UPDATED
    assert result.why == ("" if meaning.good else "the versions changed, but it said so")


@pytest.mark.parametrize(
    ("code", "output", "means", "after"),
    [
        (0, "", Meaning.OK, None),
        (1, "", Meaning.CURRENT, None),
        (3, "all is well", Meaning.FAILED, None),
        (7, "", Meaning.COOLING_DOWN, 4 * 3600),
        (70, "", Meaning.BUSY, None),
        (0, "x\nYour license expired yesterday", Meaning.LICENSE_EXPIRED, None),
        (0, "retry in 15 min", Meaning.COOLING_DOWN, 900),
        (0, "retry in 999999 min", Meaning.COOLING_DOWN, 7 * 86400),
        (0, "retry at 2026-11-22T00:10:00Z", Meaning.COOLING_DOWN, 600),
        (0, "retry at 2036-11-22T00:10:00Z", Meaning.COOLING_DOWN, 3600),
        (0, "retry at noon", Meaning.COOLING_DOWN, 3600),
        (3, "no new", Meaning.FAILED, None),
        (9, "managed by a console", Meaning.HELD, None),
    ],
)
def test_codes_and_lines(code: int, output: str, means: Meaning, after: int | None) -> None:
    ending = ending_of(step(), code, output, NOW)
    assert (ending.means, ending.until) == (means, None if after is None else NOW + after)


def test_what_is_not_named_has_failed() -> None:
    only = step({"command": ["/usr/bin/update"]})
    assert [ending_of(only, code, "", NOW).means for code in (0, 1, 255)] == [
        Meaning.OK,
        Meaning.FAILED,
        Meaning.FAILED,
    ]


def test_the_first_bad_ending_counts() -> None:
    bad, other = Ending(Meaning.BUSY, "busy"), Ending(Meaning.FAILED)
    assert worst([Ending(Meaning.OK), bad, other]) == bad
    assert worst([Ending(Meaning.OK), Ending(Meaning.UPDATED), Ending(Meaning.CURRENT)]).means is Meaning.UPDATED
    assert worst([]).means is Meaning.OK


@given(st.integers(0, 255), st.text())
def test_no_output_makes_an_update_without_a_new_version(code: int, output: str) -> None:
    assert outcome(ending_of(step(), code, output, NOW), changed=False).result is not Result.UPDATED
