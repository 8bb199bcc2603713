# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's jobs under systemd and cron: the same plan, shut in, accepted by the real programs."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint_keys import SchedulerKind
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.server import ServerSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._host.cron.table import intervals as cron_intervals
from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.systemd.calendar import intervals
from ansible_collections.epp.autoupdate.plugins.module_utils._server.converge.desired import job_plan
from ansible_collections.epp.autoupdate.plugins.module_utils._server.jobs import all_jobs, select_jobs
from ansible_collections.epp.autoupdate.plugins.module_utils._server.jobs.job_plan import JobPlan
from ansible_collections.epp.autoupdate.plugins.module_utils._server.jobs.systemd import SystemdJobs
from ansible_collections.epp.autoupdate.plugins.module_utils._server.jobs.units import unit_texts

needs_systemd_analyze = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is missing")
COMPONENTS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "clamav": {"clamav": {}},
    "files": {"files": {"directory": "/srv/components"}},
    "command": {"command": {"fetch": ["/tmp/100% of $HOME/fetch", "{directory}"]}},
}


def plan_of(components: str, **more: Any) -> JobPlan:
    settings = {"format": 1, "web": {"url": "http://a.example.com"}, "components": COMPONENTS[components], **more}
    return job_plan(ServerSettings.from_dict(settings))


class RunningHost(LocalHost):
    """A directory that claims to be the running system, and records what systemctl is asked; nothing is active."""

    def __init__(self, root: str, active: str = "") -> None:
        super().__init__(root)
        self.commands: list[tuple[str, ...]] = []
        self.active = active
        self.mkdir("/run/systemd/system")

    @property
    def live(self) -> bool:
        return True

    def run(
        self, argv: Sequence[str], *, timeout: float, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> Completed:
        self.commands.append(tuple(argv))
        shown = "\n".join(
            f"Id={name}\nNames={name}\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no\n"
            for name in self.active.split()
        )
        return Completed(0, shown if "show" in argv else "", "")

    def told(self) -> list[tuple[str, ...]]:
        return [command[2:] for command in self.commands if "show" not in command]


@needs_systemd_analyze
@pytest.mark.parametrize("components", COMPONENTS)
def test_systemd_finds_no_fault(tmp_path: Path, components: str) -> None:
    program = tmp_path / "epp-server of 100% $HOME"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = written(tmp_path / "units", unit_texts(replace(plan_of(components), program=str(program), user="root")))
    argv = ["systemd-analyze", "verify", "--man=no", *units]
    env = {"SYSTEMD_UNIT_PATH": f"{tmp_path / 'units'}:"}
    told = subprocess.run(argv, check=False, capture_output=True, text=True, env=env)
    assert (told.returncode, told.stdout + told.stderr) == (0, "")


@needs_systemd_analyze
@pytest.mark.parametrize(
    ("components", "unit", "limit"),
    [
        ("clamav", "epp-server-fetch.service", 1.6),
        ("files", "epp-server-fetch.service", 1.6),
        ("command", "epp-server-fetch.service", 2.2),
        ("clamav", "epp-server-notify.service", 1.5),
        ("clamav", "epp-server-publish.service", 0.7),
    ],
)
def test_exposure(tmp_path: Path, components: str, unit: str, limit: float) -> None:
    (path,) = written(tmp_path, {unit: unit_texts(plan_of(components))[unit]})
    argv = ["systemd-analyze", "security", "--offline=true", "--no-pager", path]
    told = subprocess.run(argv, check=False, capture_output=True, text=True).stdout
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert exposure is not None
    assert float(exposure[1]) <= limit


def test_nothing_runs_as_root_and_what_is_public_is_written_only_where_it_must_be() -> None:
    texts = unit_texts(plan_of("clamav"))
    services = {name: text for name, text in texts.items() if name.endswith(".service")}
    assert all("\nUser=epp-server\nGroup=epp-server\n" in text for text in services.values())
    writers = {name for name, text in services.items() if "ReadWritePaths=/var/lib/epp-autoupdate-public\n" in text}
    assert writers == {"epp-server-fetch.service", "epp-server-publish.service"}


def test_a_server_without_products_fetches_nothing() -> None:
    texts = unit_texts(plan_of("nothing"))
    assert {name.partition(".")[0] for name in texts} == {"epp-server-notify", "epp-server-publish"}


def test_a_source_or_a_key_in_a_place_that_is_private_to_services_can_be_seen() -> None:
    texts = unit_texts(plan_of("command", notify={"key": "/root/key"}))
    assert "\nPrivateTmp=no\n" in texts["epp-server-fetch.service"]
    assert "\nProtectHome=read-only\n" in texts["epp-server-notify.service"]
    assert "\nProtectHome=yes\n" in unit_texts(plan_of("files"))["epp-server-notify.service"]


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


def test_cron_works_as_the_servers_user_and_percent_signs_are_no_line_breaks() -> None:
    (table,) = select_jobs(SchedulerKind.CRON, LocalHost("/nowhere")).entries(
        replace(plan_of("files", fetch={"every": "30m", "offset": "5m"}), program="/opt/100%/epp-server")
    )
    lines = [line for line in table.content.decode().splitlines() if " epp-server " in line]  # type: ignore[union-attr]
    assert "* * * * * epp-server /opt/100\\%/epp-server notify" in lines
    assert "5,35 * * * * epp-server /opt/100\\%/epp-server fetch" in lines
    assert sum(line.endswith(" publish") for line in lines) == 2


def test_a_running_systemd_is_brought_to_the_plan(tmp_path: Path) -> None:
    plan, timers = plan_of("files"), ["epp-server-fetch.timer", "epp-server-notify.timer", "epp-server-publish.timer"]
    host = RunningHost(str(tmp_path))
    jobs = SystemdJobs(host)
    assert sorted(jobs.drift(plan)) == [f"{name} is not active" for name in timers]
    jobs.activate(plan, jobs.owned())
    assert host.told()[0] == ("daemon-reload",)
    assert sorted(host.told()[1][2:]) == timers
    quiet = RunningHost(str(tmp_path), active=" ".join(timers))
    assert SystemdJobs(quiet).drift(plan) == ()
    SystemdJobs(quiet).activate(plan, ())
    assert quiet.told() == []
    assert SystemdJobs(quiet).drift(plan_of("nothing")) == ("epp-server-fetch.timer is still active",)


def test_a_directory_is_told_nothing(tmp_path: Path) -> None:
    for jobs in all_jobs(LocalHost(str(tmp_path))):
        assert jobs.drift(plan_of("files")) == ()
        jobs.activate(plan_of("files"), jobs.owned())
        jobs.deactivate()
        jobs.forget()


def seconds_of(expression: str) -> set[int]:
    """The seconds of a day that ``*-*-* 00,01:05,10:17 UTC`` names."""
    hours, minutes, second = expression.split()[1].split(":")
    return {3600 * h + 60 * m + int(second) for h in numbers(hours, 24) for m in numbers(minutes, 60)}


def minutes_of(expression: str) -> set[int]:
    minutes, hours = expression.split()[:2]
    return {60 * h + m for h in numbers(hours, 24) for m in numbers(minutes, 60)}


def numbers(listed: str, whole: int) -> Sequence[int]:
    return range(whole) if listed == "*" else [int(number) for number in listed.split(",")]


def written(directory: Path, texts: dict[str, str]) -> list[str]:
    directory.mkdir(exist_ok=True)
    for name, text in texts.items():
        (directory / name).write_text(text)
    return [str(directory / name) for name in texts]
