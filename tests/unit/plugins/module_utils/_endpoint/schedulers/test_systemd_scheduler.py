# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a running systemd is asked and told."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.schedulers.systemd import SystemdScheduler
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.state.store import StateStore
from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._host.systemd.state import unit_states
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.schedulers.samples import (
    BESIDE,
    CLAMAV_NEEDS,
    plan,
    shown,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import RunningHost, Sandbox

WITH_CLAMAV = plan(needs=CLAMAV_NEEDS, beside=BESIDE)
QUIET = {"epp_update_timer": "loaded active enabled no", "epp_reconnect_timer": "loaded active enabled no"}
UPDATE_TIMER = "/etc/systemd/system/epp-update.timer"


def running(tmp_path, **states):
    host = RunningHost(str(tmp_path), {"show": shown(**{**QUIET, **states})})
    host.mkdir("/run/systemd/system")
    return host


def told(host):
    return [command[2:] for command in host.commands if command[2] != "show"]


def test_systemd_is_never_made_to_load_a_unit_for_an_answer(tmp_path):
    host = running(tmp_path)
    SystemdScheduler(host).drift(WITH_CLAMAV)
    asked = host.commands[0][host.commands[0].index("--") + 1 :]
    assert {"epp-update[.]timer", "clamav-freshclam[.]service"} <= set(asked)
    assert not [name for name in asked if "[.]" not in name]


def test_units_that_rest_are_asked_for_too(tmp_path):
    """Patterns stand for active units only, unless ``--all`` is said; a resting unit can be stale, or enabled."""
    host = running(tmp_path)
    SystemdScheduler(host).drift(WITH_CLAMAV)
    (asked,) = host.commands
    assert "--all" in asked[: asked.index("--")]


def test_a_unit_that_systemd_does_not_hold_is_quiet(tmp_path):
    active = "Id=epp-update.timer\nNames=epp-update.timer\nLoadState=loaded\nActiveState=active\nNeedDaemonReload=no\n"
    host = RunningHost(str(tmp_path), {"show": Completed(0, active, "")})
    host.mkdir("/run/systemd/system")
    assert SystemdScheduler(host).drift(plan()) == ("epp-reconnect.timer is not active",)


def test_a_host_as_planned_costs_one_process_and_none_more(tmp_path):
    host = running(tmp_path)
    assert SystemdScheduler(host).drift(WITH_CLAMAV) == ()
    assert len(host.commands) == 1
    SystemdScheduler(host).activate(WITH_CLAMAV, ())
    assert told(host) == []


@pytest.mark.parametrize(
    ("unit", "state", "words", "commands"),
    [
        (
            "epp_update_timer",
            "loaded inactive disabled no",
            "epp-update.timer is not active",
            [("restart", "--", "epp-update.timer")],
        ),
        (
            "epp_reconnect_timer",
            "loaded failed enabled no",
            "epp-reconnect.timer is not active",
            [("restart", "--", "epp-reconnect.timer")],
        ),
        (
            "epp_update_timer",
            "loaded active enabled yes",
            "epp-update.timer has changed since systemd read it",
            [("daemon-reload",)],
        ),
        (
            "epp_update_schedule_service",
            "loaded inactive static yes",
            "epp-update@schedule.service has changed since systemd read it",
            [("daemon-reload",)],
        ),
        (
            "clamav_freshclam_service",
            "loaded inactive disabled yes",
            "clamav-freshclam.service has changed since systemd read it",
            [("daemon-reload",)],
        ),
        (
            "clamav_freshclam_service",
            "loaded active disabled no",
            "clamav-freshclam.service is running",
            [("stop", "--", "clamav-freshclam.service")],
        ),
    ],
)
def test_drift_is_named_and_mended(tmp_path, unit, state, words, commands):
    host = running(tmp_path, **{unit: state})
    assert SystemdScheduler(host).drift(WITH_CLAMAV) == (words,)
    SystemdScheduler(host).activate(WITH_CLAMAV, ())
    assert told(host) == commands


def test_a_boot_timer_is_never_started(tmp_path):
    host = running(tmp_path, epp_boot_timer="loaded inactive enabled no")
    assert SystemdScheduler(host).drift(WITH_CLAMAV) == ()
    SystemdScheduler(host).activate(WITH_CLAMAV, ("/etc/systemd/system/epp-boot.timer",))
    assert told(host) == [("daemon-reload",)]


def test_a_changed_timer_is_read_again_and_restarted(tmp_path):
    host = running(tmp_path)
    SystemdScheduler(host).activate(WITH_CLAMAV, (UPDATE_TIMER,))
    assert told(host) == [("daemon-reload",), ("restart", "--", "epp-update.timer")]


def test_timers_that_are_no_longer_wanted_stop_before_systemd_forgets_them(tmp_path):
    host = running(tmp_path, epp_boot_timer="not-found active enabled no")
    without = plan(calendar=None, needs=CLAMAV_NEEDS, beside=BESIDE)
    assert SystemdScheduler(host).drift(without) == (
        "epp-update.timer is still active",
        "epp-boot.timer is still active",
    )
    SystemdScheduler(host).activate(without, (UPDATE_TIMER,))
    assert told(host) == [("stop", "--", "epp-update.timer", "epp-boot.timer"), ("daemon-reload",)]


def test_an_updater_that_is_not_installed_is_no_drift(tmp_path):
    host = running(tmp_path, clamav_freshclam_service="not-found inactive disabled no")
    assert SystemdScheduler(host).drift(WITH_CLAMAV) == ()


def test_an_updater_that_was_running_is_remembered(tmp_path):
    host = running(tmp_path, clamav_freshclam_service="loaded active disabled no")
    SystemdScheduler(host).activate(WITH_CLAMAV, ())
    assert StateStore(host).read().switched_off == {"clamav-freshclam.service": "running"}


def test_units_of_others_that_were_switched_off_are_read_again_before_they_are_stopped(tmp_path):
    host = running(tmp_path, clamav_freshclam_service="loaded active disabled no")
    path = "/etc/systemd/system/clamav-freshclam.service.d/zz-epp-autoupdate.conf"
    SystemdScheduler(host).activate(WITH_CLAMAV, (path,))
    assert told(host) == [("daemon-reload",), ("stop", "--", "clamav-freshclam.service")]


def test_instances_of_a_template_are_found_by_their_own_names(tmp_path):
    instance = "Id=fresh@a\\x2db.service\nLoadState=loaded\nActiveState=active\nNeedDaemonReload=no\n"
    host = RunningHost(str(tmp_path), {"show": Completed(0, instance, "")})
    states = unit_states(host, (), in_memory=("fresh@.service",))
    assert host.commands[0][-1] == "fresh@*[.]service"
    assert states["fresh@a\\x2db.service"].active


def test_a_backslash_in_a_name_stands_for_itself(tmp_path):
    """systemd matches with FNM_NOESCAPE."""
    host = RunningHost(str(tmp_path), {"show": Completed(0, "", "")})
    unit_states(host, (), in_memory=("fresh@a\\x2db.service",))
    assert host.commands[0][-1] == "fresh@a\\x2db[.]service"


def test_leaving_stops_everything_then_forgets_it(tmp_path):
    host = running(tmp_path)
    SystemdScheduler(host).deactivate()
    SystemdScheduler(host).forget()
    stop, reload, reset = told(host)
    assert stop[0] == "stop"
    assert {"epp-update[.]timer", "epp-update@*[.]service", "epp-scan[.]service"} <= set(stop)
    assert (reload, reset[0]) == (("daemon-reload",), "reset-failed")


def test_a_scan_starts_without_waiting(tmp_path):
    host = running(tmp_path)
    assert SystemdScheduler(host).start_scan()
    assert told(host) == [("start", "--no-block", "--", "epp-scan.service")]


def test_a_refusal_is_told_in_systemd_s_words(tmp_path):
    host = running(tmp_path)
    host.replies = {"start": Completed(1, "", "Unit epp-scan.service not found.\n")}
    with pytest.raises(OSError, match=r"systemctl start .*: Unit epp-scan\.service not found\."):
        SystemdScheduler(host).start_scan()


@pytest.mark.parametrize("host_class", [Sandbox, RunningHost])
def test_where_systemd_does_not_run_it_is_neither_asked_nor_told(tmp_path, host_class):
    host = host_class(str(tmp_path))
    scheduler = SystemdScheduler(host)
    assert scheduler.drift(WITH_CLAMAV) == ()
    scheduler.activate(WITH_CLAMAV, (UPDATE_TIMER,))
    scheduler.deactivate()
    scheduler.forget()
    assert not scheduler.start_scan()
    assert getattr(host, "commands", []) == []
