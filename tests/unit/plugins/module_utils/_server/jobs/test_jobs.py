# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's jobs under systemd and cron: the same plan, shut in, accepted by the real programs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.server import ServerSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._host.scheduler.systemd import SystemdScheduler
from ansible_collections.epp.autoupdate.plugins.module_utils._server.converge.desired import job_plan
from ansible_collections.epp.autoupdate.plugins.module_utils._server.jobs import OWNED, texts
from ansible_collections.epp.autoupdate.plugins.module_utils._server.jobs.cron import table
from ansible_collections.epp.autoupdate.plugins.module_utils._server.jobs.job_plan import JobPlan
from ansible_collections.epp.autoupdate.plugins.module_utils._server.jobs.units import unit_texts
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import RunningHost

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


ASKS: dict[str, Any] = {"web": {"url": "http://a.example.com", "reports": "ask"}}
EVERYTHING = {**ASKS, "rollout": {"files": {"rings": [{"name": "all"}]}}}
"""Settings by which the server has every job that there is."""


@needs_systemd_analyze
@pytest.mark.parametrize("components", COMPONENTS)
def test_systemd_finds_no_fault(tmp_path: Path, components: str) -> None:
    program = tmp_path / "epp-server of 100% $HOME"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    plan = replace(plan_of(components, **EVERYTHING), program=str(program), user="root")
    units = written(tmp_path / "units", unit_texts(plan))
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
        ("clamav", "epp-server-ingest.service", 0.7),
        ("clamav", "epp-server-metrics.service", 0.7),
        ("clamav", "epp-server-ask.service", 1.5),
        ("clamav", "epp-server-promote.service", 0.7),
    ],
)
def test_exposure(tmp_path: Path, components: str, unit: str, limit: float) -> None:
    (path,) = written(tmp_path, {unit: unit_texts(plan_of(components, **EVERYTHING))[unit]})
    argv = ["systemd-analyze", "security", "--offline=true", "--no-pager", path]
    told = subprocess.run(argv, check=False, capture_output=True, text=True).stdout
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert exposure is not None
    assert float(exposure[1]) <= limit


def test_nothing_runs_as_root_and_what_is_public_is_written_only_where_it_must_be() -> None:
    texts = unit_texts(plan_of("clamav", **EVERYTHING))
    services = {name: text for name, text in texts.items() if name.endswith(".service")}
    assert all("\nUser=epp-server\nGroup=epp-server\n" in text for text in services.values())
    writers = {name for name, text in services.items() if "ReadWritePaths=/var/lib/epp-autoupdate-public\n" in text}
    assert writers == {"epp-server-fetch.service", "epp-server-promote.service", "epp-server-publish.service"}
    writers = {name for name, text in services.items() if "ReadWritePaths=/var/lib/epp-autoupdate-reports\n" in text}
    assert writers == {"epp-server-ask.service", "epp-server-ingest.service", "epp-server-publish.service"}
    writers = {name for name, text in services.items() if "ReadWritePaths=-/var/lib/epp-autoupdate-metrics\n" in text}
    assert writers == {"epp-server-metrics.service"}


def test_a_server_without_products_fetches_nothing() -> None:
    texts = unit_texts(plan_of("nothing"))
    assert {name.partition(".")[0] for name in texts} == {
        "epp-server-ingest",
        "epp-server-metrics",
        "epp-server-notify",
        "epp-server-publish",
    }


def test_a_source_or_a_key_in_a_place_that_is_private_to_services_can_be_seen() -> None:
    texts = unit_texts(plan_of("command", notify={"key": "/root/key"}))
    assert "\nPrivateTmp=no\n" in texts["epp-server-fetch.service"]
    assert "\nProtectHome=read-only\n" in texts["epp-server-notify.service"]
    assert "\nProtectHome=yes\n" in unit_texts(plan_of("files"))["epp-server-notify.service"]


def test_cron_works_as_the_servers_user_and_percent_signs_are_no_line_breaks() -> None:
    plan = replace(plan_of("files", fetch={"every": "30m", "offset": "5m"}), program="/opt/100%/epp-server")
    lines = [line for line in table(plan).splitlines() if " epp-server " in line]
    assert "* * * * * epp-server /opt/100\\%/epp-server notify" in lines
    assert "* * * * * epp-server /opt/100\\%/epp-server ingest" in lines
    assert "5,35 * * * * epp-server /opt/100\\%/epp-server fetch" in lines
    assert sum(line.endswith(" publish") for line in lines) == 2
    every = ",".join(str(minute) for minute in range(0, 60, 5))
    assert f"{every} * * * * epp-server /opt/100\\%/epp-server metrics --write" in lines


def test_each_scheduler_is_given_what_it_owns() -> None:
    assert set(texts(plan_of("files", **EVERYTHING), scheduler="systemd")) == {
        *OWNED.units.services,
        *OWNED.units.timers,
        *OWNED.units.paths,
    }
    assert set(texts(plan_of("files"), scheduler="cron")) == {OWNED.table}


def test_a_running_systemd_is_brought_to_the_plan(tmp_path: Path) -> None:
    jobs, timers = unit_texts(plan_of("files", **EVERYTHING)), sorted((*OWNED.units.timers, *OWNED.units.paths))
    host = RunningHost(str(tmp_path), {"show": Completed(0, "", "")})
    host.mkdir("/run/systemd/system")
    scheduler = SystemdScheduler(host, OWNED.units)
    assert sorted(scheduler.drift(jobs)) == [f"{name} is not active" for name in timers]
    scheduler.activate(jobs, scheduler.owned())
    reload, restart = (command[2:] for command in host.commands if "show" not in command)
    assert (reload, restart[0], sorted(restart[2:])) == (("daemon-reload",), "restart", timers)
    active = (f"Id={name}\nLoadState=loaded\nActiveState=active\nNeedDaemonReload=no\n" for name in timers)
    host.replies = {"show": Completed(0, "\n".join(active), "")}
    assert scheduler.drift(jobs) == ()
    assert scheduler.drift(unit_texts(plan_of("nothing", **EVERYTHING))) == ("epp-server-fetch.timer is still active",)


def test_endpoints_are_asked_for_reports_once_an_hour_where_the_web_server_takes_none() -> None:
    assert not any("ask" in name for name in unit_texts(plan_of("files")))
    assert "ask-reports" not in table(plan_of("files"))
    (hourly, boot) = sorted(line for line in table(plan_of("files", **ASKS)).splitlines() if "ask-reports" in line)
    assert re.fullmatch(r"\d+ \* \* \* \* epp-server /usr/local/bin/epp-server ask-reports", hourly)
    assert boot.startswith("@reboot epp-server ")
    timer = unit_texts(plan_of("files", **ASKS))["epp-server-ask.timer"]
    assert re.search(r"^OnCalendar=\*-\*-\* \*:\d\d:\d\d UTC$", timer, re.MULTILINE), timer


def test_rollouts_are_decided_about_where_a_product_has_rings() -> None:
    assert not any("promote" in name for name in unit_texts(plan_of("files")))
    assert "promote" not in table(plan_of("files"))
    lines = [line for line in table(plan_of("files", **EVERYTHING)).splitlines() if line.endswith(" promote")]
    even = ",".join(str(minute) for minute in range(0, 60, 2))
    assert [line.split()[0] for line in lines] == ["@reboot", even]


def written(directory: Path, texts: dict[str, str]) -> list[str]:
    directory.mkdir(exist_ok=True)
    for name, text in texts.items():
        (directory / name).write_text(text)
    return [str(directory / name) for name in texts]
