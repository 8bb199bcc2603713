# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens on a host without systemd."""

from __future__ import annotations

import os
import shutil
import time

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host import process
from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.scheduler.base import Job
from ansible_collections.epp.autoupdate.plugins.module_utils._host.scheduler.cron import CronScheduler
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import RunningHost

from .samples import OWNED, PROGRAM, TEXTS, VERIFY


def marking(*command):
    return Job("mark", "", command)


def scheduler_of(host: LocalHost) -> CronScheduler:
    return CronScheduler(host, OWNED.table)


def test_nobody_is_asked_or_told_about_a_table(tmp_path):
    host = RunningHost(str(tmp_path))
    scheduler = scheduler_of(host)
    assert scheduler.states() == {}
    assert scheduler.drift(TEXTS["cron"]) == ()
    scheduler.activate(TEXTS["cron"], scheduler.owned())
    scheduler.reckon_anew()
    scheduler.deactivate()
    scheduler.forget()
    assert host.commands == []


@pytest.mark.parametrize("runs", [True, False])
def test_a_missing_daemon_is_an_error(tmp_path, monkeypatch, runs):
    host = RunningHost(str(tmp_path))
    monkeypatch.setattr(host, "runs", lambda names: runs and "crond" in names)
    told = "no cron daemon runs, so nothing is ever started: start one (cron or crond)"
    assert scheduler_of(host).errors() == (() if runs else (told,))


def test_a_trial_is_the_command_itself(tmp_path):
    host = RunningHost(str(tmp_path))
    trial = scheduler_of(host).trial
    for code, told in ((0, ""), (1, ""), (2, "exit status 2")):
        host.replies = {"verify": Completed(code, "", "")}
        assert trial(VERIFY, timeout=9.0) == told
    host.replies = {"verify": Completed(0, "", "", timed_out=True)}
    assert trial(VERIFY, timeout=9.0) != ""
    assert host.commands == [(PROGRAM, "verify")] * 4
    assert scheduler_of(LocalHost()).trial(Job("mark", "", (str(tmp_path / "none"),)), timeout=9.0) != ""


def test_an_idle_job_yields_by_what_the_host_has(tmp_path):
    host = RunningHost(str(tmp_path))
    host.write("/usr/bin/nice", b"")
    assert scheduler_of(host).start(VERIFY)
    assert host.commands[0][-6:] == ("epp-verification", "nice", "-n", "19", PROGRAM, "verify")
    host.write("/usr/bin/ionice", b"")
    assert scheduler_of(host).start(VERIFY)
    assert host.commands[1][-8:] == ("nice", "-n", "19", "ionice", "-c", "3", PROGRAM, "verify")


def test_a_job_that_can_t_be_started_is_told(tmp_path):
    host = RunningHost(str(tmp_path), {"setsid": Completed(127, "", "setsid: no")})
    with pytest.raises(OSError, match="the verification could not be started: setsid: no"):
        scheduler_of(host).start(VERIFY)


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
    assert scheduler_of(LocalHost()).start(marking("/bin/sh", "-c", f"sleep 0.2; ps -o pid=,sid= -p $$ >{done}"))
    assert not done.exists()
    deadline = time.monotonic() + 60
    while not (done.exists() and done.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert int(done.read_text().split()[1]) != os.getsid(0)
    plain.write_text("#!/bin/sh\necho no session >&2\nexit 1\n")
    with pytest.raises(OSError, match="the mark could not be started: no session"):
        scheduler_of(LocalHost()).start(marking("/bin/true"))


def test_a_job_outlives_the_process_that_started_it(tmp_path):
    program, go, done = tmp_path / "program", tmp_path / "go", tmp_path / "done"
    wait = f"for _ in $(seq 600); do test -e {go} && break; sleep 0.05; done"
    program.write_text(
        f'#!/bin/sh\n{wait}\nps -o ni= -p $$ >{done}.new\necho "$@" >>{done}.new\nmv {done}.new {done}\n'
    )
    program.chmod(0o755)
    assert scheduler_of(LocalHost()).start(Job("verification", "", (str(program), "verify"), idle=True))
    assert not done.exists()
    go.touch()
    deadline = time.monotonic() + 60
    while not done.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert done.read_text().split() == ["19", "verify"]
