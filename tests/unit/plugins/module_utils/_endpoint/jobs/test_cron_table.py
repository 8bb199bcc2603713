# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table that cron gets."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.calendars import IntervalCalendar
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.jobs.cron import table
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.jobs.samples import plan
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import Sandbox

AGENT = "/usr/local/bin/epp-agent"


def table_of(tmp_path, wanted):
    return table(wanted, Sandbox(str(tmp_path)))


def jobs(tmp_path, wanted):
    return [line for line in table_of(tmp_path, wanted).splitlines() if " root " in line]


def test_a_daily_plan_wakes_the_agent_hourly_and_at_boot(tmp_path):
    assert jobs(tmp_path, plan()) == [
        f"34 * * * * root {AGENT} run --trigger schedule",
        f"@reboot root {AGENT} run --trigger schedule",
        f"@reboot root {AGENT} run --trigger reconnect",
        f"*/5 * * * * root {AGENT} run --trigger reconnect",
    ]


def test_an_interval_has_no_window_to_be_late_in(tmp_path):
    every_twenty_minutes = plan(calendar=IntervalCalendar(1200, 67), reconnect_probe=None)
    assert jobs(tmp_path, every_twenty_minutes) == [f"1,21,41 * * * * root {AGENT} run --trigger schedule"]


def test_the_configuration_is_asked_for_once_in_the_agent_s_day(tmp_path):
    """Cron wakes it every hour, at the minute; the agent knows whether it is due."""
    wanted = plan(calendar=None, reconnect_probe=None, configuration=IntervalCalendar(86400, 3723))
    assert jobs(tmp_path, wanted) == [f"2 * * * * root {AGENT} sync --due"]


def test_the_engine_s_packages_are_looked_at_once_an_hour(tmp_path):
    wanted = plan(calendar=None, reconnect_probe=None, engine=IntervalCalendar(3600, 754))
    assert jobs(tmp_path, wanted) == [f"12 * * * * root {AGENT} engine --due"]


def test_nothing_to_do_leaves_an_empty_table(tmp_path):
    assert jobs(tmp_path, plan(calendar=None, reconnect_probe=None)) == []


@pytest.mark.parametrize(
    ("seconds", "when"),
    [
        (20, "* * * * *"),
        (60, "* * * * *"),
        (90, "*/2 * * * *"),
        (300, "*/5 * * * *"),
        (3540, "*/59 * * * *"),
        (3600, "0 * * * *"),
        (9000, "0 */2 * * *"),
        (86_400, "0 0 * * *"),
        (200_000, "0 0 * * *"),
    ],
)
def test_the_probe_in_cron_s_words(tmp_path, seconds, when):
    assert jobs(tmp_path, plan(calendar=None, reconnect_probe=seconds))[1].startswith(f"{when} root ")


def test_the_agent_s_path_loses_every_special_meaning(tmp_path):
    (line,) = jobs(tmp_path, plan(agent="/opt/100% sure/epp-agent", calendar=None, reconnect_probe=300))[1:]
    assert line == "*/5 * * * * root '/opt/100\\% sure/epp-agent' run --trigger reconnect"


def test_cron_needs_a_path_and_sends_no_mail(tmp_path):
    text = table_of(tmp_path, plan())
    assert "\nPATH=/usr/local/sbin:" in text
    assert '\nMAILTO=""\n' in text
    assert text.endswith("\n")
