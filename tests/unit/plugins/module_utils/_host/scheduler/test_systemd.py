# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a running systemd is asked and told."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._host.scheduler.systemd import SystemdScheduler
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import RunningHost

from . import samples
from .samples import OWNED, VERIFY, running, told

TEXTS = samples.TEXTS["systemd"]
TIMER = "/etc/systemd/system/backup.timer"


def scheduler_of(host: RunningHost) -> SystemdScheduler:
    return SystemdScheduler(host, OWNED.units)


def test_systemd_is_never_made_to_load_a_unit_for_an_answer(tmp_path: Path) -> None:
    host = running(tmp_path)
    scheduler_of(host).states((samples.FOREIGN,))
    asked = host.commands[0][host.commands[0].index("--") + 1 :]
    assert {"backup[.]timer", "receive[.]socket", "backup@daily[.]service", "other[.]service"} <= set(asked)
    assert not [name for name in asked if "[.]" not in name]


def test_units_that_rest_are_asked_for_too(tmp_path: Path) -> None:
    """Patterns stand for active units only, unless ``--all`` is said; a resting unit can be stale, or enabled."""
    host = running(tmp_path)
    scheduler_of(host).drift(TEXTS)
    (asked,) = host.commands
    assert "--all" in asked[: asked.index("--")]


def test_a_unit_that_systemd_does_not_hold_is_quiet(tmp_path: Path) -> None:
    active = "Id=backup.timer\nNames=backup.timer\nLoadState=loaded\nActiveState=active\nNeedDaemonReload=no\n"
    host = running(tmp_path)
    host.replies = {"show": Completed(0, active, "")}
    assert scheduler_of(host).drift(TEXTS) == ("verify.timer is not active", "receive.socket is not active")


def test_a_host_as_planned_costs_one_process_and_none_more(tmp_path: Path) -> None:
    host = running(tmp_path)
    assert scheduler_of(host).drift(TEXTS) == ()
    assert len(host.commands) == 1
    scheduler_of(host).activate(TEXTS, ())
    assert told(host) == []


@pytest.mark.parametrize(
    ("unit", "state", "words", "command"),
    [
        ("backup_timer", "loaded inactive no", "backup.timer is not active", ("restart", "--", "backup.timer")),
        ("verify_timer", "loaded failed no", "verify.timer is not active", ("restart", "--", "verify.timer")),
        ("receive_socket", "loaded inactive no", "receive.socket is not active", ("restart", "--", "receive.socket")),
        ("backup_timer", "loaded active yes", "backup.timer has changed since systemd read it", ("daemon-reload",)),
        (
            "backup_daily_service",
            "loaded inactive yes",
            "backup@daily.service has changed since systemd read it",
            ("daemon-reload",),
        ),
    ],
)
def test_drift_is_named_and_mended(tmp_path: Path, unit: str, state: str, words: str, command: tuple[str, ...]) -> None:
    host = running(tmp_path, **{unit: state})
    assert scheduler_of(host).drift(TEXTS) == (words,)
    scheduler_of(host).activate(TEXTS, ())
    assert told(host) == [command]


def test_a_boot_timer_is_never_started(tmp_path: Path) -> None:
    host = running(tmp_path)
    scheduler_of(host).activate(TEXTS, ("/etc/systemd/system/backup-boot.timer",))
    assert told(host) == [("daemon-reload",)]


def test_a_changed_timer_is_read_again_and_restarted(tmp_path: Path) -> None:
    host = running(tmp_path)
    scheduler_of(host).activate(TEXTS, (TIMER,))
    assert told(host) == [("daemon-reload",), ("restart", "--", "backup.timer")]


def test_a_timer_that_is_changed_and_idle_is_restarted_once(tmp_path: Path) -> None:
    host = running(tmp_path, backup_timer="loaded inactive no", verify_timer="loaded inactive no")
    scheduler_of(host).activate(TEXTS, (TIMER,))
    assert told(host) == [("daemon-reload",), ("restart", "--", "backup.timer", "verify.timer")]


def test_timers_that_are_no_longer_wanted_stop_before_systemd_forgets_them(tmp_path: Path) -> None:
    host = running(tmp_path, backup_boot_timer="not-found active no")
    without = {name: text for name, text in TEXTS.items() if name not in ("backup.timer", "backup-boot.timer")}
    assert scheduler_of(host).drift(without) == ("backup.timer is still active", "backup-boot.timer is still active")
    scheduler_of(host).activate(without, (TIMER,))
    assert told(host) == [("stop", "--", "backup.timer", "backup-boot.timer"), ("daemon-reload",)]


def test_leaving_stops_everything_then_forgets_it(tmp_path: Path) -> None:
    host = running(tmp_path)
    scheduler_of(host).deactivate()
    scheduler_of(host).forget()
    stop, reload, reset = told(host)
    units = {name.replace("@.", "@*.").replace(".", "[.]") for name in samples.UNITS}
    assert (stop[0], set(stop[2:])) == ("stop", units)
    assert (reload, reset[0], set(reset[2:])) == (("daemon-reload",), "reset-failed", units)


def test_a_job_starts_without_waiting(tmp_path: Path) -> None:
    host = running(tmp_path)
    assert scheduler_of(host).start(VERIFY)
    assert told(host) == [("start", "--no-block", "--", "verify.service")]


def test_timers_that_go_by_the_clock_are_reckoned_anew(tmp_path: Path) -> None:
    host = running(tmp_path)
    scheduler_of(host).reckon_anew()
    assert told(host) == [("try-restart", "--no-block", "--", "backup.timer", "verify.timer")]


def test_a_trial_that_fails_otherwise_has_its_exit_status(tmp_path: Path) -> None:
    host = running(tmp_path)
    host.replies = {"show": Completed(0, "4\n", ""), "start": Completed(1, "", "Job failed.\n")}
    assert scheduler_of(host).trial(VERIFY, timeout=9.0) == "Job failed. (exit status 4)"
