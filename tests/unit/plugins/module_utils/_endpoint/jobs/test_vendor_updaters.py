# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product's own updaters beside the agent's jobs, on hosts of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.resources.resources import File
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.jobs import OWNED
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.jobs.texts import texts
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.jobs.vendor_updaters import activate, drift
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.state.store import StateStore
from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._host.scheduler import select_scheduler
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import RunningHost, Sandbox

from .samples import BESIDE, CLAMAV_NEEDS, plan

WITH_CLAMAV = plan(needs=CLAMAV_NEEDS, beside=BESIDE)
SERVICE = "clamav-freshclam.service"
RUNNING_JOBS = ("epp-update.timer", "epp-reconnect.timer")
KINDS = ("systemd", "cron")


def by_systemd(directory: Path, state: str) -> RunningHost:
    """A host whose systemd runs the planned timers and holds the updater in this state (``load active reload``)."""
    states = {**dict.fromkeys(RUNNING_JOBS, "loaded active no"), SERVICE: state}
    blocks = (
        f"Id={name}\nLoadState={load}\nActiveState={active}\nNeedDaemonReload={stale}\n"
        for name, (load, active, stale) in ((name, told.split()) for name, told in states.items())
    )
    host = RunningHost(str(directory), {"show": Completed(0, "\n".join(blocks), "")})
    host.mkdir("/run/systemd/system")
    return host


def drift_of(host: Sandbox, kind: str, planned=WITH_CLAMAV):
    scheduler = select_scheduler(kind, host, OWNED)
    return drift(host, scheduler, texts(planned, host, scheduler=kind), planned.beside)


def mend(host: Sandbox, kind: str, *changed: str, planned=WITH_CLAMAV) -> None:
    scheduler = select_scheduler(kind, host, OWNED)
    jobs = texts(planned, host, scheduler=kind)
    activate(host, scheduler, jobs, planned.beside, changed_paths=changed)


def told(host: RunningHost):
    return [command[2:] for command in host.commands if command[2] != "show"]


each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
def test_a_host_as_planned_costs_one_process_and_none_more(tmp_path, kind):
    host = by_systemd(tmp_path, "loaded inactive no")
    assert drift_of(host, kind) == ()
    assert len(host.commands) == 1
    mend(host, kind)
    assert told(host) == []


@each_kind
@pytest.mark.parametrize(
    ("state", "words", "command"),
    [
        ("loaded inactive yes", f"{SERVICE} has changed since systemd read it", ("daemon-reload",)),
        ("loaded active no", f"{SERVICE} is running", ("stop", "--", SERVICE)),
    ],
)
def test_drift_is_named_and_mended(tmp_path, kind, state, words, command):
    host = by_systemd(tmp_path, state)
    assert drift_of(host, kind) == (words,)
    mend(host, kind)
    assert told(host) == [command]


@each_kind
def test_an_updater_that_is_not_installed_is_no_drift(tmp_path, kind):
    assert drift_of(by_systemd(tmp_path, "not-found inactive no"), kind) == ()


@each_kind
def test_an_updater_that_was_running_is_remembered(tmp_path, kind):
    host = by_systemd(tmp_path, "loaded active no")
    mend(host, kind)
    assert StateStore(host).read().switched_off == {SERVICE: "running"}


@each_kind
@pytest.mark.parametrize(
    "path",
    [
        f"/etc/systemd/system/{SERVICE}.d/zz-epp-autoupdate.conf",
        f"/etc/systemd/system/multi-user.target.wants/{SERVICE}",
    ],
)
def test_what_was_switched_off_is_read_again_before_it_is_stopped(tmp_path, kind, path):
    host = by_systemd(tmp_path, "loaded active no")
    mend(host, kind, path)
    assert told(host) == [("daemon-reload",), ("stop", "--", SERVICE)]


def test_an_updater_with_an_init_script_is_stopped_and_remembered(tmp_path):
    host = RunningHost(str(tmp_path))
    assert drift_of(host, "cron") == ("clamav-freshclam is running",)
    mend(host, "cron")
    assert host.commands[-1] == ("service", "clamav-freshclam", "stop")
    host.replies = {"status": Completed(3, "freshclam is not running\n", "")}
    assert drift_of(host, "cron") == ()


def test_a_host_without_any_of_it_starts_no_process(tmp_path):
    host = RunningHost(str(tmp_path))
    assert drift_of(host, "cron", plan()) == ()
    mend(host, "cron", planned=plan())
    assert host.commands == []


@pytest.mark.parametrize(("kind", "host_class"), [("systemd", Sandbox), ("cron", Sandbox), ("systemd", RunningHost)])
def test_where_a_scheduler_does_not_run_nobody_is_asked_or_told(tmp_path, kind, host_class):
    host = host_class(str(tmp_path))
    assert drift_of(host, kind) == ()
    mend(host, kind, "/etc/systemd/system/epp-update.timer")
    assert getattr(host, "commands", []) == []


def test_the_agent_s_timers_are_the_ones_that_are_active(tmp_path):
    """The boot timer is started by a boot alone."""
    host = RunningHost(str(tmp_path), {"show": Completed(0, "", "")})
    host.mkdir("/run/systemd/system")
    assert drift_of(host, "systemd", plan()) == tuple(f"{name} is not active" for name in RUNNING_JOBS)


def test_cron_gets_one_table(tmp_path):
    host = Sandbox(str(tmp_path))
    jobs = texts(plan(), host, scheduler="cron")
    (entry,) = select_scheduler("cron", host, OWNED).entries(jobs)
    assert isinstance(entry, File)
    assert (entry.path, entry.mode) == ("/etc/cron.d/epp-autoupdate", 0o644)
