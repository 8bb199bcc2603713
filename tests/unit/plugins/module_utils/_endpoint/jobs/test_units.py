# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The units' texts, checked by systemd itself where it is installed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.resources.resources import Directory
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.jobs import OWNED
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.jobs.units import unit_texts
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.base import ProductNeeds
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.jobs.samples import (
    CLAMAV_NEEDS,
    EVERY_HOUR,
    EVERY_TEN_MINUTES,
    ONCE_A_DAY,
    plan,
)

EVERY = {*OWNED.units.services, *OWNED.units.timers, *OWNED.units.sockets}
COMMAND_NEEDS = ProductNeeds(read_write=("/opt/an updater", "/tmp/cache", "/srv/100%"), capabilities=("CAP_CHOWN",))

MANAGED = {"configuration": ONCE_A_DAY, "notices": "epp-notify", "listens": True}
ENGINE = {"engine": EVERY_HOUR, "engine_limit": 9000}
OF_ENGINES = {"epp-engine.service", "epp-engine.timer"}

needs_systemd_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def test_a_daily_plan_of_a_managed_endpoint_has_every_unit():
    assert set(unit_texts(plan(**MANAGED, **ENGINE))) == EVERY


def test_the_engine_s_packages_have_units_where_they_are_upgraded_alone():
    assert EVERY - set(unit_texts(plan(**MANAGED))) == OF_ENGINES
    texts = unit_texts(plan(**ENGINE))
    service = texts["epp-engine.service"]
    assert f"ExecStart={plan().agent} engine --due\n" in service
    assert "\nTimeoutStartSec=9120\nKillMode=mixed\nTimeoutStopSec=1800\n" in service
    assert "OnCalendar=*-*-* *:12:34 UTC\n" in texts["epp-engine.timer"]


def test_the_listener_is_started_again_whatever_ends_it_and_at_boot():
    service = unit_texts(plan(**MANAGED))["epp-listen.service"]
    assert f"ExecStart={plan().agent} listen\nRestart=always\n" in service
    assert service.endswith("\n[Install]\nWantedBy=multi-user.target\n")
    assert "epp-listen.service" not in unit_texts(plan(**{**MANAGED, "listens": False}))


@pytest.mark.parametrize(
    ("changes", "unwanted"),
    [
        ({"calendar": EVERY_TEN_MINUTES}, {"epp-boot.timer"}),
        ({"calendar": None}, {"epp-boot.timer", "epp-update.timer"}),
        ({"reconnect_probe": None}, {"epp-reconnect.timer"}),
    ],
)
def test_a_plan_has_no_timer_that_it_does_not_need(changes, unwanted):
    assert EVERY - set(unit_texts(plan(**{**MANAGED, **ENGINE, **changes}))) == unwanted


def test_a_standalone_endpoint_has_nothing_of_an_update_server():
    names = {"epp-sync.service", "epp-sync.timer", "epp-configure.service", "epp-notice.socket", "epp-notice@.service"}
    names.add("epp-listen.service")
    assert EVERY - set(unit_texts(plan(**ENGINE))) == names


def test_the_configuration_is_asked_for_at_the_endpoint_s_own_second():
    texts = unit_texts(plan(configuration=ONCE_A_DAY))
    assert (
        "OnCalendar=*-*-* 01:02:03 UTC\nOnBootSec=243s\nOnClockChange=true\nPersistent=false\n"
        in texts["epp-sync.timer"]
    )
    assert f"ExecStart={plan().agent} sync --due\n" in texts["epp-sync.service"]
    assert f"ExecStart={plan().agent} sync --adopted\n" in texts["epp-configure.service"]


def test_a_report_is_shut_in_as_a_synchronization_is_and_has_no_network_without_a_server():
    managed, alone = (unit_texts(plan(**changes)) for changes in (MANAGED, {}))
    assert "ExecStart=/usr/local/bin/epp-agent report --due\n" in managed["epp-report.service"]
    assert "PrivateNetwork" not in managed["epp-report.service"]
    assert "\nPrivateNetwork=yes\nIPAddressDeny=any\n" in alone["epp-report.service"]
    for changes, homes in (({}, "yes"), ({"keys_in_homes": True}, "read-only"), ({"needs_homes": True}, "read-only")):
        texts = unit_texts(plan(**MANAGED, **changes))
        assert f"\nProtectHome={homes}\n" in texts["epp-report.service"]
        assert f"\nProtectHome={homes}\n" in texts["epp-sync.service"]


def test_the_time_limit_leaves_room_for_waiting():
    text = unit_texts(plan(max_start_delay=86_000, update_limit=600))["epp-update@.service"]
    limit = int(re.search(r"^TimeoutStartSec=(\d+)$", text, re.MULTILINE).group(1))
    assert limit > 86_000 + 600


def test_a_scan_sees_everything_and_yields_to_everybody():
    text = unit_texts(plan())["epp-scan.service"]
    for line in (
        "Nice=19",
        "CPUSchedulingPolicy=idle",
        "IOSchedulingClass=idle",
        "CPUWeight=1",
        "ProtectHome=read-only",
    ):
        assert f"\n{line}\n" in text
    assert "PrivateTmp" not in text
    assert "ProtectKernelModules" not in text


def test_an_updater_with_another_user_can_be_killed():
    needs = ProductNeeds(capabilities=("CAP_SETUID", "CAP_SETGID"))
    text = unit_texts(plan(needs=needs, textfile_directory=None))["epp-update@.service"]
    assert "\nCapabilityBoundingSet=CAP_KILL CAP_SETGID CAP_SETUID\n" in text


def test_the_temporary_directories_are_private_unless_the_product_lives_there():
    assert "\nPrivateTmp=yes\n" in unit_texts(plan())["epp-update@.service"]
    assert "\nPrivateTmp=no\n" in unit_texts(plan(needs=COMMAND_NEEDS))["epp-update@.service"]


def preparation(agent, *directories):
    """The commands before the agent, as systemd would start them."""
    needs = ProductNeeds(creates=tuple(Directory(str(one)) for one in directories))
    text = unit_texts(plan(needs=needs, agent=str(agent)))["epp-update@.service"]
    lines = re.findall(r"^ExecStartPre=-\+(.*)$", text, re.MULTILINE)
    return [shlex.split(line.replace("%%", "%").replace("$$", "$")) for line in lines]


def test_only_a_product_that_needs_a_directory_has_one_made():
    assert preparation("/usr/local/bin/epp-agent") == []
    texts = unit_texts(plan(needs=CLAMAV_NEEDS))
    assert [name for name, text in texts.items() if "ExecStartPre" in text] == [
        "epp-update@.service",
        "epp-selftest.service",
    ]


def test_the_self_test_is_shut_in_as_an_update_and_sees_homes_only_where_the_product_is_in_one():
    def hardening(text):
        return {line for line in text.splitlines() if re.match(r"[A-Za-z]+=", line)}

    for needs_homes, homes in ((False, "yes"), (True, "read-only")):
        texts = unit_texts(plan(needs=CLAMAV_NEEDS, needs_homes=needs_homes))
        selftest, update = (hardening(texts[name]) for name in ("epp-selftest.service", "epp-update@.service"))
        own = {line.partition("=")[0] for line in selftest ^ update if not line.startswith("ProtectHome=")}
        assert own <= {"After", "Description", "ExecStart", "SuccessExitStatus", "TimeoutStartSec"}
        assert f"ProtectHome={homes}" in selftest


@pytest.mark.parametrize("name", ["databases", "far/away", "100% of $HOME", "a 'b' \"c\""])
def test_what_is_missing_is_made_before_the_agent_is_shut_in(tmp_path, name):
    """By the agent itself; it is not started where nothing is missing."""
    directory, agent, told = tmp_path / name, tmp_path / f"agent {Path(name).name}", tmp_path / "told"
    agent.write_text(f'#!/bin/sh\necho "$@" >>{told}\n')
    agent.chmod(0o755)
    (argv,) = preparation(agent, directory)
    subprocess.run(argv, check=True)
    assert told.read_text() == "prepare\n"
    directory.mkdir(parents=True)
    subprocess.run(argv, check=True)
    assert told.read_text() == "prepare\n"


@needs_systemd_analyze
@pytest.mark.parametrize("needs", [ProductNeeds(), CLAMAV_NEEDS, COMMAND_NEEDS], ids=["files", "clamav", "command"])
@pytest.mark.parametrize("agent", ["epp-agent", "an agent for 100% of $HOME"])
def test_systemd_finds_no_fault(tmp_path, needs, agent):
    program = tmp_path / agent
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = written(
        tmp_path / "units", unit_texts(plan(needs=needs, agent=str(program), **{**MANAGED, "notices": "root"}))
    )
    env = {"SYSTEMD_UNIT_PATH": f"{tmp_path / 'units'}:"}
    argv = ["systemd-analyze", "verify", "--man=no", *units]
    told = subprocess.run(argv, check=False, capture_output=True, text=True, env=env)
    assert (told.returncode, told.stdout + told.stderr) == (0, "")


@needs_systemd_analyze
@pytest.mark.parametrize(
    ("needs", "unit", "limit"),
    [
        (ProductNeeds(), "epp-update@.service", 2.5),
        (CLAMAV_NEEDS, "epp-update@.service", 3.0),
        (ProductNeeds(), "epp-scan.service", 2.8),
        (CLAMAV_NEEDS, "epp-scan.service", 2.8),
        (CLAMAV_NEEDS, "epp-schedule@.service", 1.1),
        (CLAMAV_NEEDS, "epp-roaming@.service", 1.1),
        (CLAMAV_NEEDS, "epp-selftest.service", 3.0),
        (CLAMAV_NEEDS, "epp-sync.service", 2.0),
        (CLAMAV_NEEDS, "epp-report.service", 2.0),
        (CLAMAV_NEEDS, "epp-configure.service", 2.2),
        (ProductNeeds(), "epp-notice@.service", 2.5),
        (CLAMAV_NEEDS, "epp-notice@.service", 3.0),
        (CLAMAV_NEEDS, "epp-listen.service", 2.0),
        (CLAMAV_NEEDS, "epp-engine.service", 3.7),
    ],
)
def test_exposure(tmp_path, needs, unit, limit):
    (path,) = written(tmp_path, {unit: unit_texts(plan(needs=needs, **MANAGED, **ENGINE))[unit]})
    argv = ["systemd-analyze", "security", "--offline=true", "--no-pager", path]
    told = subprocess.run(argv, check=False, capture_output=True, text=True).stdout
    assert float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", told).group(1)) <= limit


def written(directory: Path, texts: dict[str, str]) -> list[str]:
    directory.mkdir(exist_ok=True)
    for name, text in texts.items():
        (directory / name).write_text(text)
    return [str(directory / name) for name in texts]
