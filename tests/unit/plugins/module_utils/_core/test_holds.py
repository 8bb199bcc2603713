# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is held: a version of a component, or of any; and what becomes of an update that it keeps back."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.holds import NO_HOLDS, Hold, Holds
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Component, Outcome, ReasonKind, Result

DAILY = Hold("27001", "daily", "it is bad")
ANY = Hold("7")


@pytest.mark.parametrize(
    ("component", "version", "found"),
    [
        ("daily", "27001", DAILY),
        ("daily", "27002", None),
        ("main", "27001", None),
        ("main", "7", ANY),
        ("", "7", ANY),
    ],
)
def test_a_hold_is_of_one_version(component: str, version: str, found: Hold | None) -> None:
    holds = Holds((DAILY, ANY))
    assert holds.of(component, version) == found
    assert holds.among([Component("x", "1"), Component(component, version)]) == (
        None if found is None else (f"{component} {version}", found)
    )


def test_only_what_is_held_concerns() -> None:
    assert not NO_HOLDS
    assert not NO_HOLDS.concern("daily")
    assert Holds((DAILY,)).concern("daily")
    assert not Holds((DAILY,)).concern("main")
    assert Holds((ANY,)).concern("main")


def test_a_halt_keeps_what_is_installed() -> None:
    halt = Hold("8", restores=False)
    assert Holds((halt, DAILY)).that_restore() == Holds((DAILY,))


def test_what_a_hold_makes_of_an_update() -> None:
    assert DAILY.outcome("daily 27001", "27000 is kept") == Outcome(
        Result.HELD, "daily 27001 is held: it is bad; 27000 is kept"
    )
    failed = Hold("7", by_probe=True).outcome("daily 7")
    assert (failed.result, failed.why, failed.kind) == (
        Result.FAILED,
        "daily 7 failed its probe here",
        ReasonKind.PROBE,
    )
