# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One zone for the timer and the agent, that of the host's clock, in whatever form the host has it (S3)."""

from __future__ import annotations

import re
import shutil
import subprocess
from zoneinfo import available_timezones

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.endpoint import timetable_of
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.jobs.texts import texts
from ansible_collections.epp.autoupdate.plugins.module_utils._host.timezone import clock_zone
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.jobs.samples import plan
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import Sandbox

ZONE_FILES = "/usr/share/zoneinfo/"
NOW = 1_774_000_000.0  # 2026-03-20, a week before Europe's change
DAYS = 14

FORMS = {
    # /etc/localtime as a link or a copy, /etc/timezone; the zone of the C library's clock
    "link": ("Asia/Kolkata", None, None, "Asia/Kolkata"),
    "link, foreign name": ("Europe/Berlin", None, "America/New_York", "Europe/Berlin"),
    "copy": (None, "Europe/Berlin", None, "Europe/Berlin"),
    "copy, foreign name": (None, "America/St_Johns", "Europe/Berlin", "America/St_Johns"),
    "copy, same name": (None, "Asia/Kathmandu", "Asia/Kathmandu", "Asia/Kathmandu"),
    "absent": (None, None, None, "UTC"),
    "absent, foreign name": (None, None, "Europe/Berlin", "UTC"),
    "copy, unreadable name": (None, "Europe/Berlin", "\xff/no zone\n\n", "Europe/Berlin"),
}
SCHEDULE = {"frequency": "daily", "start": "01:10", "window": "3h"}


def document(zone):
    policy = {"schedule": {**SCHEDULE, "timezone": zone}, "sources": {"urls": ["http://source.test"]}}
    return EndpointDocument.from_dict({"format": 1, "endpoint": "n1", "ordinal": 4, "policy": policy})


DOCUMENT = document("local")
needs_zones = pytest.mark.skipif("Asia/Kolkata" not in available_timezones(), reason="no time zone database")


def host_with(tmp_path, link, copy, name):
    host = Sandbox(str(tmp_path), now=NOW)
    if link:
        host.link("/etc/localtime", ZONE_FILES + link)
    if copy:
        with open(ZONE_FILES + copy, "rb") as file:
            host.write("/etc/localtime", file.read())
    if name:
        host.write("/etc/timezone", name.encode("latin-1"))
    return host


def by_the_c_library(host, instant, form):
    """What a clock on the host shows, asked of an independent program."""
    file = host.real("/etc/localtime")
    zone = f":{file}" if form[3] != "UTC" else "UTC0"
    argv = ["date", "-d", f"@{int(instant)}", "+%H:%M:%S"]
    return subprocess.run(
        argv, env={"TZ": zone, "LC_ALL": "C"}, capture_output=True, text=True, check=True
    ).stdout.strip()


def slots(host):
    timetable, found, moment = timetable_of(host, DOCUMENT), [], NOW
    for _day in range(DAYS):
        moment = timetable.next_slot(moment + 1).at
        found.append(moment)
    return timetable, found


@needs_zones
@pytest.mark.skipif(shutil.which("date") is None, reason="no date")
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_timer_and_agent_agree_whatever_form_the_zone_has(tmp_path, form):
    host = host_with(tmp_path, *form[:3])
    timetable, found = slots(host)
    calendar = timetable.calendar(2026)
    jobs = plan(calendar=calendar)
    timer = texts(jobs, host, scheduler="systemd")["epp-update.timer"]
    table = texts(jobs, host, scheduler="cron")["epp-autoupdate"]
    rule = re.search(r"^OnCalendar=\*-\*-\* (\S+)$", timer, re.MULTILINE)[1]  # no zone: systemd's own, the clock's
    on_changes = {rule.second for rule in calendar.extra}  # in UTC
    minutes = {int(minute) for minute in re.search(r"^(\S+) \* \* \* \* root", table, re.MULTILINE)[1].split(",")}
    for slot in found:
        shown = by_the_c_library(host, slot, form)
        assert shown == rule or slot % 86400 in on_changes
        assert int(shown[3:5]) in minutes


@needs_zones
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_zone_is_that_of_the_clock(tmp_path, form):
    zone = clock_zone(host_with(tmp_path, *form[:3]))
    host = host_with(tmp_path / "named", *form[:3])
    named = document(form[3])
    assert zone is not None
    local, by_name = timetable_of(host, DOCUMENT), timetable_of(host, named)
    assert local.next_slot(NOW).at == by_name.next_slot(NOW).at


def test_a_damaged_zone_is_the_c_library_s_utc_and_no_traceback(tmp_path):
    host = Sandbox(str(tmp_path), now=NOW)
    host.write("/etc/localtime", b"no zone")
    utc = document("UTC")
    assert timetable_of(host, DOCUMENT).next_slot(NOW).at == timetable_of(host, utc).next_slot(NOW).at
