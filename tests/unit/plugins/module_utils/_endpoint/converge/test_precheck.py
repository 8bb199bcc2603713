# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that a converge could not carry through is refused before anything is written to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge import groups
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.precheck import Unsupported, require
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.privileges.base import GrantedPrivileges
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.jobs.samples import plan
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import RunningHost, Sandbox

GRANTED = GrantedPrivileges(
    group="epp-no-such-group", toggle=True, update_now=False, roaming=False, agent="/usr/local/bin/epp-agent"
)
NOTHING = GrantedPrivileges(
    group="epp-no-such-group", toggle=False, update_now=False, roaming=False, agent="/usr/local/bin/epp-agent"
)
IDLE = plan(calendar=None, reconnect_probe=None)


@pytest.fixture
def host(tmp_path: Path) -> RunningHost:
    return RunningHost(str(tmp_path))


def install(host: RunningHost, path: str, target: str = "") -> None:
    place = Path(host.root + path)
    place.parent.mkdir(parents=True, exist_ok=True)
    if target:
        place.symlink_to(target)
    else:
        place.touch()


def test_a_group_needs_a_program_that_makes_it(host: RunningHost) -> None:
    with pytest.raises(Unsupported, match="the group epp-no-such-group can't be made without groupadd or addgroup"):
        require(host, IDLE, GRANTED, scheduler="systemd")
    require(host, IDLE, NOTHING, scheduler="systemd")
    install(host, "/usr/sbin/addgroup", "/bin/busybox")
    require(host, IDLE, GRANTED, scheduler="systemd")


def test_the_account_of_the_update_server_needs_a_program_that_makes_it(host: RunningHost) -> None:
    notified = plan(calendar=None, reconnect_probe=None, notices="epp-no-such-user")
    with pytest.raises(Unsupported, match="can't be made without useradd: install it"):
        require(host, notified, NOTHING, scheduler="systemd")
    require(host, IDLE, NOTHING, scheduler="systemd")
    install(host, "/usr/sbin/useradd")
    require(host, notified, NOTHING, scheduler="systemd")


@pytest.mark.parametrize(
    ("program", "argv"),
    [
        ("/usr/sbin/groupadd", ("groupadd", "--system", "epp-no-such-group")),
        ("/usr/sbin/addgroup", ("addgroup", "-S", "epp-no-such-group")),
    ],
)
def test_the_group_is_made_by_the_program_that_is_there(host: RunningHost, program: str, argv: tuple[str, ...]) -> None:
    install(host, program)
    assert groups.create(host, GRANTED) == "epp-no-such-group"
    assert host.commands == [argv]


def test_jobs_need_a_cron_that_reads_their_table(host: RunningHost) -> None:
    require(host, IDLE, NOTHING, scheduler="cron")
    with pytest.raises(Unsupported, match="neither a running systemd nor cron"):
        require(host, plan(), NOTHING, scheduler="cron")
    install(host, "/usr/sbin/crond", "/bin/busybox")
    with pytest.raises(Unsupported, match=r"its cron is busybox's, .* install cronie"):
        require(host, plan(), NOTHING, scheduler="cron")
    Path(host.root + "/usr/sbin/crond").unlink()
    install(host, "/usr/sbin/crond")
    require(host, plan(), NOTHING, scheduler="cron")


def test_everything_is_told_at_once(host: RunningHost) -> None:
    with pytest.raises(Unsupported) as told:
        require(host, plan(), GRANTED, scheduler="cron")
    assert str(told.value).startswith("this host can't be converged, and nothing was changed: ")
    assert "groupadd" in str(told.value)
    assert "cronie" in str(told.value)


def test_another_system_is_refused(host: RunningHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.uname", lambda: type("Uname", (), {"sysname": "FreeBSD"}))
    with pytest.raises(Unsupported, match="its system is FreeBSD, which is not supported"):
        require(host, IDLE, NOTHING, scheduler="cron")


def test_a_directory_that_stands_for_a_host_lacks_nothing(tmp_path: Path) -> None:
    require(Sandbox(str(tmp_path)), plan(), GRANTED, scheduler="cron")
