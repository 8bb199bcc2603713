# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blackouts in a policy (G7): their forms, what is wrong with them, and how they are inherited."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.inheritance import Layer, resolve
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.overrides import read_part
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import BlackoutException, Policy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import (
    InvalidDocument,
    ValidationErrors,
)

FORMS = 'a time "HH:MM" of the week, a local time "2026-12-20T00:00" or an instant "2026-12-20T00:00:00Z" (in quotes)'


LAST_MINUTE = {"from": "22:59", "to": "23:00"}


def policy(*blackouts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"schedule": {"blackouts": list(blackouts), **more}}


def refusal(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidDocument) as refused:
        Policy.from_dict(raw)
    return str(refused.value).splitlines()


@pytest.mark.parametrize(
    "blackout",
    [
        {"from": "08:00", "to": "18:00"},
        {"name": "office hours", "days": ["monday", "friday"], "from": "22:00", "to": "06:00"},
        {"from": "00:00", "to": "00:00", "days": ["sunday"], "timezone": "Europe/Berlin"},
        {"name": "freeze", "from": "2026-12-20T00:00", "to": "2027-01-04T06:00", "timezone": "local"},
        {"from": "2026-12-20T00:00:00Z", "to": "2026-12-20T00:00:01Z"},
        {"from": "2026-12-20T00:00:30", "to": "2026-12-20T00:01"},
    ],
)
def test_a_document_keeps_its_form(blackout: dict[str, Any]) -> None:
    read = Policy.from_dict(policy(blackout))
    assert read.to_dict()["schedule"]["blackouts"] == [blackout]
    assert Policy.from_dict(read.to_dict()) == read
    assert hash(read) == hash(Policy.from_dict(read.to_dict()))


def test_equal_blackouts_are_equal_texts() -> None:
    one = {"from": "2026-12-20T00:00Z", "to": "2026-12-21T00:00:00Z"}
    days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
    errors = ValidationErrors()
    part = read_part(policy(one, {"days": days, "from": "01:00", "to": "02:00"}), path="", errors=errors)
    errors.check()
    assert part["schedule"]["blackouts"] == [
        {"from": "2026-12-20T00:00:00Z", "to": "2026-12-21T00:00:00Z"},
        {"from": "01:00", "to": "02:00"},
    ]


@pytest.mark.parametrize(
    ("blackout", "errors"),
    [
        ({}, [f".from: missing, must be {FORMS}", f".to: missing, must be {FORMS}"]),
        ({"from": 480, "to": "18:00"}, [f".from: 480 is not {FORMS}"]),
        (
            {"from": "2026-02-30T00:00", "to": "x"},
            [f'.from: "2026-02-30T00:00" is not {FORMS}', f'.to: "x" is not {FORMS}'],
        ),
        (
            {"from": "2026-12-20", "to": "2027-01-04"},
            [f'.from: "2026-12-20" is not {FORMS}', f'.to: "2027-01-04" is not {FORMS}'],
        ),
        (
            {"from": "08:00", "to": "2026-12-20T00:00"},
            ['.to: "2026-12-20T00:00" is not a time of the week ("HH:MM"), as from is'],
        ),
        (
            {"from": "2026-12-20T00:00", "to": "2026-12-21T00:00Z"},
            ['.to: "2026-12-21T00:00:00Z" is not a local time with its date, as from is'],
        ),
        (
            {"from": "2026-12-20T00:00", "to": "2026-12-20T00:00", "days": ["monday"]},
            [
                '.to: "2026-12-20T00:00" is not later than from (2026-12-20T00:00)',
                ".days: a list of 1 is not allowed with a date (only with times of the week)",
            ],
        ),
        (
            {"from": "2026-12-20T00:00Z", "to": "2026-12-21T00:00Z", "timezone": "Europe/Berlin"},
            ['.timezone: "Europe/Berlin" is not allowed with instants in UTC'],
        ),
        ({"from": "08:00", "to": "18:00", "days": []}, [".days: an empty list is not a list of 1 to 7 items"]),
        (
            {"from": "08:00", "to": "18:00", "dayz": ["monday"]},
            ['.dayz: "dayz" is not a known key (did you mean days?)'],
        ),
        ({"from": "08:00", "to": "18:00", "name": "x" * 61}, None),
        ("08:00-18:00", [': "08:00-18:00" is not a mapping (keys: name, days, from, to, timezone)']),
    ],
)
def test_messages_say_where_what_and_what_else(blackout: Any, errors: list[str] | None) -> None:
    told = refusal(policy({"from": "01:00", "to": "02:00"}, blackout))
    assert all(line.startswith("schedule.blackouts[1]") for line in told)
    if errors is not None:
        assert told == [f"schedule.blackouts[1]{error}" for error in errors]


def test_all_errors_of_all_blackouts_come_at_once() -> None:
    raw = policy({"from": "8"}, {"to": "9", "days": ["someday"]}, {"x": 1, "from": "08:00", "to": "09:00"}, window="2x")
    raw["schedule"]["blackout_exceptions"] = ["update_now", "users"]
    paths = [line.partition(": ")[0] for line in refusal(raw)]
    assert paths == [
        "schedule.blackouts[0].from",
        "schedule.blackouts[0].to",
        "schedule.blackouts[1].to",
        "schedule.blackouts[1].days[0]",
        "schedule.blackouts[1].from",
        "schedule.blackouts[2].x",
        "schedule.window",
        "schedule.blackout_exceptions[1]",
    ]


@pytest.mark.parametrize(
    "blackouts",
    [
        [{"from": "00:00", "to": "00:00"}],
        [{"from": "06:00", "to": "18:00"}, {"from": "18:00", "to": "06:00"}],
        [{"from": "23:00", "to": "22:59"}, {"days": ["monday"], "from": "12:00", "to": "12:00"}, LAST_MINUTE],
    ],
)
def test_blackouts_leave_some_time_of_the_week(blackouts: list[dict[str, Any]]) -> None:
    (line,) = refusal(policy(*blackouts))
    assert line.startswith("schedule.blackouts: ")
    assert "no time of the week" in line
    if len(blackouts) > 1:
        Policy.from_dict(policy(*blackouts[:-1], {**blackouts[-1], "timezone": "Asia/Tokyo"}))


def test_there_are_at_most_so_many() -> None:
    many = [{"from": f"2026-01-01T{n // 60:02}:{n % 60:02}", "to": "2026-02-01T00:00"} for n in range(65)]
    assert refusal(policy(*many)) == ["schedule.blackouts: a list of 65 is not a list of 0 to 64 items"]
    Policy.from_dict(policy(*many[:64]))


def test_by_default_all_exceptions_may_pass() -> None:
    read = Policy.from_dict(policy({"from": "08:00", "to": "18:00"}))
    assert read.schedule.blackout_exceptions == tuple(BlackoutException)
    assert read.to_dict()["schedule"]["blackout_exceptions"] == ["rollback", "expedite", "update_now"]


def test_the_list_and_its_exceptions_are_inherited_each_by_itself() -> None:
    root = Layer("root", policy({"from": "08:00", "to": "18:00"}, blackout_exceptions=["rollback"]))
    freeze = policy({"name": "freeze", "from": "2026-12-20T00:00", "to": "2027-01-04T00:00"})
    inner = resolve([root, Layer("emea", freeze)])
    assert [one.words for one in inner.policy.schedule.blackouts] == ["freeze"]
    assert inner.policy.schedule.blackout_exceptions == (BlackoutException.ROLLBACK,)
    assert inner.origins["schedule.blackouts"] == "emea"
    assert inner.origins["schedule.blackout_exceptions"] == "root"
    cleared = resolve([root, Layer("emea", policy())])
    assert cleared.policy.schedule.blackouts == ()
    assert cleared.origins["schedule.blackouts"] == "emea"


def test_a_zone_that_was_removed_costs_no_stored_policy() -> None:
    gone = policy({"from": "08:00", "to": "18:00", "timezone": "Europe/Nowhere"})
    assert "known here" in refusal(gone)[0]
    read = resolve([Layer("root", gone)], stored=True).policy
    assert read.schedule.blackouts[0].timezone == "Europe/Nowhere"


@pytest.mark.parametrize(
    ("blackout", "words"),
    [
        ({"from": "08:00", "to": "18:00"}, "daily from 08:00 to 18:00"),
        ({"from": "22:00", "to": "06:00", "days": ["sunday", "monday"]}, "monday, sunday from 22:00 to 06:00"),
        ({"from": "2026-12-20T00:00", "to": "2027-01-04T06:30"}, "from 2026-12-20T00:00 to 2027-01-04T06:30"),
        ({"from": "08:00", "to": "18:00", "name": "office hours"}, "office hours"),
    ],
)
def test_a_blackout_has_words_for_people(blackout: dict[str, Any], words: str) -> None:
    assert Policy.from_dict(policy(blackout)).schedule.blackouts[0].words == words
