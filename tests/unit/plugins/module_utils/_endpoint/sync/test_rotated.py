# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A converge after the server's keys were rotated: an endpoint that followed has nothing to do, any other begins anew.

In each state check mode's plan is what the real run does.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from .conftest import Managed

Stage = tuple[str, ...]
ANNOUNCED, SIGNS, DROPPED = ("a", "b"), ("b", "a"), ("b",)
"""What the server names after one rotation, after two, and when the old key is dropped; the key that signs first."""


def rotate(managed: Managed, named: tuple[str, ...]) -> None:
    """Let the server publish at this stage, and an enrollment name the keys of it."""
    managed.publisher.signers = named
    managed.publisher.sign_with = named[0]
    managed.publisher.publish()
    managed.section = {**managed.section, "signers": [managed.publisher.public[name] for name in named]}


def foretold(managed: Managed, **changes: Any) -> Any:
    """Converge; what check mode said of it before, twice, must be what was done."""
    planned = managed.converge(check=True, **changes)
    assert managed.converge(check=True, **changes).to_result() == planned.to_result()
    done = managed.converge(**changes)
    assert (done.changes, done.corrections) == (planned.changes, planned.corrections)
    assert not managed.converge(**changes).changed
    return done


@pytest.mark.parametrize("stages", [(ANNOUNCED,), (ANNOUNCED, SIGNS), (ANNOUNCED, SIGNS, DROPPED)])
def test_who_follows_each_rotation_has_nothing_to_converge(managed: Managed, stages: tuple[Stage, ...]) -> None:
    for stage in stages:
        rotate(managed, stage)
        assert managed.sync().result.value == "adopted"
        managed.asked()
        assert not foretold(managed).changed
        assert managed.asked() == []


def test_an_announced_key_is_no_drift_for_who_has_not_heard_of_it_yet(managed: Managed) -> None:
    rotate(managed, ANNOUNCED)
    assert not foretold(managed).changed


def test_who_missed_the_rotation_refuses_and_is_enrolled_anew(managed: Managed) -> None:
    rotate(managed, SIGNS)
    assert managed.sync().result.value == "unknown_key"
    done = foretold(managed)
    assert {change.path for change in done.changes} == {"/etc/epp-autoupdate/endpoint.json"}
    assert managed.sync().result.value == "unchanged"


def test_a_key_that_the_server_does_not_name_any_more_is_trusted_until_the_next_converge_only(managed: Managed) -> None:
    rotate(managed, SIGNS)
    managed.converge()
    rotate(managed, DROPPED)
    assert foretold(managed).changed


STATES = list(itertools.product((None, ANNOUNCED, SIGNS, DROPPED), (False, True), (False, True)))


@pytest.mark.parametrize(("stage", "synchronized", "drifted"), STATES)
def test_the_plan_is_what_is_done(
    managed: Managed, stage: tuple[str, ...] | None, synchronized: bool, drifted: bool
) -> None:
    if stage is not None:
        rotate(managed, stage)
    managed.publisher.root = {"schedule": {"start": "05:00"}}
    managed.publisher.publish()
    if synchronized:
        managed.sync()
    if drifted:
        (managed.sandbox.root / "etc/systemd/system/epp-update.timer").write_text("by hand\n")
    done = foretold(managed)
    removed = [change.path for change in done.changes if change.action.value == "remove"]
    assert removed == [], "an endpoint of this schedule keeps its timer in every state"
    assert (managed.sandbox.root / "etc/systemd/system/epp-update.timer").exists()
    assert not drifted or done.changed
