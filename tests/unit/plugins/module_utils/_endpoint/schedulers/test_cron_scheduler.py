# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table that cron gets, and what happens on a host without systemd."""

from __future__ import annotations

import os
import shutil
import time

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.schedule.calendars import IntervalCalendar
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.schedulers import cron
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.schedulers.cron import CronScheduler
from ansible_collections.epp.autoupdate.plugins.module_utils._host import process
from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.schedulers.samples import (
    BESIDE,
    CLAMAV_NEEDS,
    plan,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import RunningHost, Sandbox

AGENT = "/usr/local/bin/epp-agent"
WITH_CLAMAV = plan(needs=CLAMAV_NEEDS, beside=BESIDE)
FRESHCLAM_IS_NOT_RUNNING = Completed(3, "freshclam is not running\n", "")


def jobs(tmp_path, wanted):
    table = CronScheduler(Sandbox(str(tmp_path))).entries(wanted)[0].content.decode()
    return [line for line in table.splitlines() if " root " in line]


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
    entry = CronScheduler(Sandbox(str(tmp_path))).entries(plan())[0]
    assert b"\nPATH=/usr/local/sbin:" in entry.content
    assert b'\nMAILTO=""\n' in entry.content
    assert entry.content.endswith(b"\n")
    assert (entry.path, entry.mode) == ("/etc/cron.d/epp-autoupdate", 0o644)


def test_an_own_updater_with_an_init_script_is_stopped(tmp_path):
    host = RunningHost(str(tmp_path))
    scheduler = CronScheduler(host)
    assert scheduler.drift(WITH_CLAMAV) == ("clamav-freshclam is running",)
    scheduler.activate(WITH_CLAMAV, ())
    assert host.commands[-1] == ("service", "clamav-freshclam", "stop")
    host.replies = {"status": FRESHCLAM_IS_NOT_RUNNING}
    assert scheduler.drift(WITH_CLAMAV) == ()


def test_cron_on_a_host_with_systemd_asks_systemd_for_own_updaters(tmp_path):
    shown = ("Id=clamav-freshclam.service", "LoadState=loaded", "ActiveState=active", "NeedDaemonReload=no")
    host = RunningHost(str(tmp_path), {"show": Completed(0, "\n".join(shown), "")})
    host.mkdir("/run/systemd/system")
    scheduler = CronScheduler(host)
    assert scheduler.drift(WITH_CLAMAV) == ("clamav-freshclam.service is running",)
    scheduler.activate(WITH_CLAMAV, ("/etc/systemd/system/multi-user.target.wants/clamav-freshclam.service",))
    told = [command[2:] for command in host.commands if command[2] != "show"]
    assert told == [("daemon-reload",), ("stop", "--", "clamav-freshclam.service")]


def test_a_host_without_any_of_it_starts_no_process(tmp_path):
    host = RunningHost(str(tmp_path))
    assert CronScheduler(host).drift(plan()) == ()
    CronScheduler(host).activate(plan(), ())
    assert host.commands == []


def test_a_scan_yields_by_what_the_host_has(tmp_path):
    host = RunningHost(str(tmp_path))
    host.write("/usr/bin/nice", b"")
    assert CronScheduler(host).start_scan()
    assert host.commands[0][-6:] == ("epp-scan", "nice", "-n", "19", AGENT, "scan")
    host.write("/usr/bin/ionice", b"")
    assert CronScheduler(host).start_scan()
    assert host.commands[1][-8:] == ("nice", "-n", "19", "ionice", "-c", "3", AGENT, "scan")


def test_a_scan_that_can_t_be_started_is_told(tmp_path):
    host = RunningHost(str(tmp_path), {"setsid": Completed(127, "", "setsid: no")})
    with pytest.raises(OSError, match="the scan could not be started: setsid: no"):
        CronScheduler(host).start_scan()


def test_nothing_is_started_on_a_mere_directory(tmp_path):
    assert not CronScheduler(Sandbox(str(tmp_path))).start_scan()


@pytest.mark.skipif(shutil.which("setsid") is None, reason="no setsid")
def test_a_setsid_without_options_will_do_and_its_failure_is_told(tmp_path, monkeypatch):
    """Busybox has none of util-linux's options."""
    plain = tmp_path / "bin" / "setsid"
    plain.parent.mkdir()
    plain.write_text(f'#!/bin/sh\ncase $1 in -*) exit 1;; esac\nexec {shutil.which("setsid")} "$@"\n')
    plain.chmod(0o755)
    path = {"PATH": f"{plain.parent}:/usr/bin:/bin"}
    monkeypatch.setattr(process, "_ENVIRONMENT", {**process._ENVIRONMENT, **path})
    done = tmp_path / "done"
    assert CronScheduler(LocalHost())._start("mark", ("/bin/sh", "-c", f"sleep 0.2; ps -o pid=,sid= -p $$ >{done}"))
    assert not done.exists()
    deadline = time.monotonic() + 60
    while not (done.exists() and done.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert int(done.read_text().split()[1]) != os.getsid(0)
    plain.write_text("#!/bin/sh\necho no session >&2\nexit 1\n")
    with pytest.raises(OSError, match="the mark could not be started: no session"):
        CronScheduler(LocalHost())._start("mark", ("/bin/true",))


def test_a_scan_outlives_the_process_that_started_it(tmp_path, monkeypatch):
    scanner, go, done = tmp_path / "scanner", tmp_path / "go", tmp_path / "done"
    wait = f"for _ in $(seq 600); do test -e {go} && break; sleep 0.05; done"
    scanner.write_text(
        f'#!/bin/sh\n{wait}\nps -o ni= -p $$ >{done}.new\necho "$@" >>{done}.new\nmv {done}.new {done}\n'
    )
    scanner.chmod(0o755)
    monkeypatch.setattr(cron, "AGENT", str(scanner))
    assert CronScheduler(LocalHost()).start_scan()
    assert not done.exists()
    go.touch()
    deadline = time.monotonic() + 60
    while not done.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert done.read_text().split() == ["19", "scan"]
