# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users may do, as a polkit rule and as a sudoers file."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.resources.resources import Absent
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.jobs.units import unit_texts
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.privileges import (
    GrantedPrivileges,
    UserAction,
    all_backends,
    select_backend,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.privileges.polkit import PolkitBackend
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.privileges.sudoers import SudoersBackend
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.jobs.samples import plan
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import Sandbox

AGENT = "/usr/local/bin/epp-agent"
NOTHING = GrantedPrivileges(group="epp-users", toggle=False, update_now=False, roaming=False, agent=AGENT)
EVERYTHING = replace(NOTHING, toggle=True, update_now=True, roaming=True)
GRANTS = [
    (NOTHING, []),
    (
        replace(NOTHING, toggle=True),
        [("epp-schedule@enable.service", "schedule enable"), ("epp-schedule@disable.service", "schedule disable")],
    ),
    (replace(NOTHING, update_now=True), [("epp-update@manual.service", "run --trigger manual")]),
    (
        replace(NOTHING, roaming=True),
        [("epp-roaming@on.service", "roaming on"), ("epp-roaming@off.service", "roaming off")],
    ),
]


def text_of(keeper, rights):
    (entry,) = keeper.entries(rights)
    return entry.content.decode()


@pytest.mark.parametrize(("rights", "grants"), GRANTS)
def test_polkit_grants_exactly_the_units_of_the_privileges(rights, grants):
    rule = text_of(PolkitBackend(), rights)
    granted = json.loads(re.search(r"var granted = (\[.*?\]);", rule, re.DOTALL).group(1))
    assert granted == [unit for unit, _arguments in grants]


def test_polkitd_which_is_not_root_can_read_the_rule():
    (entry,) = PolkitBackend().entries(EVERYTHING)
    assert (entry.path, entry.mode) == ("/etc/polkit-1/rules.d/60-epp-autoupdate.rules", 0o644)


def test_a_refusal_is_logged_even_where_nothing_is_granted():
    rule = text_of(PolkitBackend(), NOTHING)
    assert 'polkit.spawn(["/usr/bin/logger", "-t", "epp-agent"' in rule
    assert all(action.unit in rule for action in UserAction)


def test_a_group_s_name_is_no_code():
    rule = text_of(PolkitBackend(), replace(EVERYTHING, group='"; return polkit.Result.YES; "\u2028'))
    assert '\n    var group = "\\"; return polkit.Result.YES; \\"\\u2028";\n' in rule


@pytest.mark.parametrize(("rights", "grants"), GRANTS[1:])
def test_sudo_grants_exactly_the_command_lines_of_the_privileges(rights, grants):
    text = text_of(SudoersBackend(), rights).replace("\\\n", "")
    commands = re.search(r"^Cmnd_Alias \w+ = (.*)$", text, re.MULTILINE).group(1)
    assert re.split(r",\s+", commands) == [f"{AGENT} {arguments}" for _unit, arguments in grants]
    assert text.endswith("\n%epp-users ALL = (root) NOPASSWD: EPP_AUTOUPDATE\n")


def test_nothing_granted_needs_no_sudoers_file():
    assert SudoersBackend().entries(NOTHING) == (Absent("/etc/sudoers.d/epp-autoupdate"),)


def test_the_sudoers_file_is_for_root_alone():
    (entry,) = SudoersBackend().entries(EVERYTHING)
    assert entry.mode == 0o440


@pytest.mark.skipif(shutil.which("visudo", path="/usr/sbin:/usr/bin:/sbin") is None, reason="visudo is not installed")
@pytest.mark.parametrize("group", ["epp-users", "domain users", "AD\\Users", "a,b=c:d(e)!f#g\"h'i", "größe"])
def test_visudo_finds_no_fault(tmp_path, group):
    path = tmp_path / "sudoers"
    path.write_text(text_of(SudoersBackend(), replace(EVERYTHING, group=group)))
    path.chmod(0o440)
    argv = ["visudo", "--check", "--strict", f"--file={path}"]
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    told = subprocess.run(argv, check=False, capture_output=True, text=True, env=env)
    assert (told.returncode, told.stderr) == (0, ""), told.stderr


def test_a_name_that_breaks_a_line_is_refused():
    with pytest.raises(ValueError, match="can't stand in a sudoers file"):
        SudoersBackend().entries(replace(EVERYTHING, group="a\n%b ALL=(ALL) NOPASSWD: ALL"))


@pytest.mark.parametrize(
    ("scheduler", "programs", "keeper"),
    [
        ("systemd", ["/usr/lib/polkit-1/polkitd"], "polkit"),
        ("systemd", ["/usr/libexec/polkit-1/polkitd"], "polkit"),
        ("systemd", ["/usr/libexec/polkitd"], "sudoers"),
        ("systemd", [], "sudoers"),
        ("cron", ["/usr/lib/polkit-1/polkitd"], "sudoers"),
    ],
)
def test_polkit_where_it_knows_rules_and_users_may_start_units(tmp_path, scheduler, programs, keeper):
    host = Sandbox(str(tmp_path))
    for program in programs:
        host.write(program, b"")
    chosen = select_backend(scheduler, host)
    assert chosen.name == keeper
    expected = ("sudo", "-n", AGENT, "schedule", "disable")
    if keeper == "polkit":
        expected = ("systemctl", "start", "epp-schedule@disable.service")
    assert chosen.user_command("schedule disable") == expected


def test_whatever_is_written_is_owned():
    for keeper in all_backends():
        assert {entry.path for entry in keeper.entries(EVERYTHING)} == set(keeper.owned())


def test_every_unit_that_may_be_granted_exists_under_every_policy():
    units = unit_texts(plan(calendar=None, reconnect_probe=None))
    assert {re.sub(r"@.*\.", "@.", action.unit) for action in UserAction} <= set(units)


@pytest.mark.parametrize("keeper", all_backends(), ids=lambda keeper: keeper.name)
def test_an_unknown_action_is_refused(keeper):
    with pytest.raises(ValueError, match="format the disk"):
        keeper.user_command("format the disk")
