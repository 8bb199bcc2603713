# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Intervals in the notations of both schedulers: the same instants."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.cron.table import intervals as cron_intervals
from ansible_collections.epp.autoupdate.plugins.module_utils._host.systemd.calendar import intervals

needs_systemd_analyze = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is missing")


@pytest.mark.parametrize(
    ("every", "phase"), [(300, 17), (420, 65), (900, 899), (3600, 1234), (5400, 0), (86400, 86399)]
)
def test_both_schedulers_have_the_instants_of_the_interval(every: int, phase: int) -> None:
    wanted = set(range(phase, 86400, every))
    assert {second for one in intervals(every, phase) for second in seconds_of(one)} == wanted
    by_minute = {minute for one in cron_intervals(every, phase) for minute in minutes_of(one)}
    assert by_minute == {second // 60 for second in wanted}


@needs_systemd_analyze
def test_systemd_understands_the_instants() -> None:
    (expression,) = intervals(3600, 1234)
    told = subprocess.run(["systemd-analyze", "calendar", expression], check=True, capture_output=True, text=True)
    moment = re.search(r"\(in UTC\): \S+ (\S+ \S+) UTC|Next elapse: \S+ (\S+ \S+) UTC", told.stdout)
    assert moment is not None
    found = datetime.strptime(moment[1] or moment[2], "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
    assert (found - timedelta(seconds=1234)).strftime("%M:%S") == "00:00"


def seconds_of(expression: str) -> set[int]:
    """The seconds of a day that ``*-*-* 00,01:05,10:17 UTC`` names."""
    hours, minutes, second = expression.split()[1].split(":")
    return {3600 * h + 60 * m + int(second) for h in numbers(hours, 24) for m in numbers(minutes, 60)}


def minutes_of(expression: str) -> set[int]:
    minutes, hours = expression.split()[:2]
    return {60 * h + m for h in numbers(hours, 24) for m in numbers(minutes, 60)}


def numbers(listed: str, whole: int) -> Sequence[int]:
    return range(whole) if listed == "*" else [int(number) for number in listed.split(",")]
