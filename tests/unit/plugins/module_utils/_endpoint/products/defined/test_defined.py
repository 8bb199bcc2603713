# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A product that is data, with real programs: its results are true in all seven kinds (R1, D1)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.holds import Hold, Holds
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Component, Outcome, Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.trust import ProbeSettings
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.conftest import ShiftedHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.defined.stand_in import (
    StandIn,
)

LIMIT = 20.0


def test_the_versions_decide(stand_in: StandIn) -> None:
    product = stand_in.product("new 2")
    assert product.components() == (Component("rules", "1"),)
    assert product.update(LIMIT) == Outcome(Result.UPDATED)
    assert product.update(LIMIT) == Outcome(Result.CURRENT)
    assert product.components() == (Component("rules", "2"),)


RULES = {
    "exit_codes": {
        "0": "ok",
        "1": "current",
        "2": "updated",
        "3": {"means": "cooling_down", "wait": "2h", "reason": "not so often"},
        "4": "unreachable",
        "5": "held",
        "6": "busy",
        "7": "license_expired",
        "8": "needs_restart",
    }
}


@pytest.mark.parametrize(
    ("script", "result", "why"),
    [
        ("exit 1", Result.CURRENT, ""),
        ("exit 2", Result.CURRENT, "it has brought something new"),
        ("echo later; exit 3", Result.COOLING_DOWN, "not so often (/update ended with exit code 3: later)"),
        ("exit 4", Result.UNREACHABLE, "the source was not reached (/update ended with exit code 4)"),
        ("exit 5", Result.HELD, "the product's own console does not allow it (/update ended with exit code 5)"),
        ("exit 6", Result.SKIPPED, "an update of the product's own is running (/update ended with exit code 6)"),
        ("exit 7", Result.FAILED, "the product's license has expired (/update ended with exit code 7)"),
        ("exit 8", Result.FAILED, "the product has to be restarted first (/update ended with exit code 8)"),
        ("echo no >&2; exit 9", Result.FAILED, "/update ended with exit code 9: no"),
        ("kill -9 $$", Result.FAILED, "/update was killed by signal 9 (often out of memory)"),
        ("new 2; exit 2", Result.UPDATED, ""),
        ("new 2; exit 1", Result.UPDATED, ""),
        ("new 2; exit 9", Result.UPDATED, "the versions changed, but /update ended with exit code 9"),
        ("echo >{version}; exit 0", Result.FAILED, "rules: no version can be read"),
        ("echo '<html>Version: 2' >{version}; exit 2", Result.FAILED, "rules: no version can be read"),
        ("echo 'Version: new' >{version}; exit 2", Result.FAILED, "rules: no version can be read"),
        ("rm {version}; exit 0", Result.FAILED, "rules: gone after the update"),
    ],
)
def test_each_ending(stand_in: StandIn, script: str, result: Result, why: str) -> None:
    outcome = stand_in.product(script.replace("{version}", stand_in.version_file), rules=RULES).update(LIMIT)
    assert (outcome.result, outcome.why.replace(str(stand_in.directory), "")) == (result, why)


@pytest.mark.parametrize("code", [0, 1, 5, 9])
def test_what_an_updater_prints_makes_no_update(stand_in: StandIn, code: int) -> None:
    noise = f"head -c 20000 /dev/urandom; head -c 20000 /dev/urandom >&2; echo Version: 2; exit {code}"
    lines = [{"pattern": ".*Version: (?:[0-9]+)", "means": "updated"}]
    outcome = stand_in.product(noise, rules={**RULES, "outputs": lines}).update(LIMIT)
    assert outcome.result is not Result.UPDATED


def test_a_version_that_could_not_be_read_before_is_no_evidence(stand_in: StandIn) -> None:
    stand_in.version("soon")
    outcome = stand_in.product("new 2").update(LIMIT)
    assert outcome.result is Result.FAILED
    assert "told no version before" in outcome.why


def test_the_first_version_of_all_is_an_update(stand_in: StandIn) -> None:
    stand_in.host.remove("/opt/stand-in/version")
    assert stand_in.product("new 1").update(LIMIT) == Outcome(Result.UPDATED)


def test_time_is_limited_by_the_step_and_by_the_run(stand_in: StandIn) -> None:
    slow = "sleep 10; new 2"
    for product, limit in ((stand_in.product(slow, rules={"timeout": "1s"}), LIMIT), (stand_in.product(slow), 0.3)):
        outcome = product.update(limit)
        assert outcome.result is Result.FAILED
        assert "took longer than" in outcome.why
    assert product.components() == (Component("rules", "1"),)


def test_a_cool_down_is_kept_to(stand_in: StandIn, host: ShiftedHost) -> None:
    host.stopped_at = 1795305600.0
    line = {"pattern": "wait (?P<minutes>[0-9]+) min", "means": "cooling_down", "reason": "the vendor wants a rest"}
    product = stand_in.product(f"echo x >>{stand_in.directory}/asked; echo wait 30 min", rules={"outputs": [line]})
    first = product.update(LIMIT)
    assert (first.result, first.until) == (Result.COOLING_DOWN, 1795305600 + 1800)
    host.ahead = 1799
    assert product.update(LIMIT) == Outcome(Result.COOLING_DOWN, first.why, first.until, reached=False)
    assert (stand_in.directory / "asked").read_text() == "x\n"
    host.ahead = 1800
    product.update(LIMIT)
    assert (stand_in.directory / "asked").read_text() == "x\nx\n"
    host.ahead = -86400 * 30  # noted while the clock was ahead
    product.update(LIMIT)
    assert (stand_in.directory / "asked").read_text() == "x\nx\nx\n"


def test_the_vendor_is_asked_no_more_often_than_it_wants(stand_in: StandIn, host: ShiftedHost) -> None:
    host.stopped_at = 1795305600.0
    product = stand_in.product("new 2", shortest_interval="15m")
    assert product.update(LIMIT).result is Result.UPDATED
    host.ahead = 899
    outcome = product.update(LIMIT)
    assert (outcome.result, outcome.until) == (Result.COOLING_DOWN, 1795305600 + 900)
    host.ahead = 900
    assert product.update(LIMIT) == Outcome(Result.CURRENT)


def test_steps_run_until_one_of_them_ends_badly(stand_in: StandIn) -> None:
    second = {"command": [stand_in.program("second", f"echo second >>{stand_in.directory}/log; exit 3")]}
    third = {"command": [stand_in.program("third", f"echo third >>{stand_in.directory}/log")]}
    first = {"command": [stand_in.program("update", "new 2")]}
    outcome = stand_in.product("new 2", update=[first, second, third]).update(LIMIT)
    assert outcome.result is Result.UPDATED
    assert outcome.why.endswith("second ended with exit code 3")
    assert (stand_in.directory / "log").read_text() == "second\n"


def test_an_optional_program_may_be_missing(stand_in: StandIn) -> None:
    missing = {"command": ["/nonexistent/compile"], "optional": True}
    product = stand_in.product("new 2", reload=[missing])
    assert product.update(LIMIT) == Outcome(Result.UPDATED)
    assert "/nonexistent/compile" not in product.programs()


def test_what_is_not_in_use_is_no_success_until_it_is(stand_in: StandIn) -> None:
    marker = stand_in.directory / "broken"
    marker.touch()
    reload = [{"command": [stand_in.program("reload", f"echo x >>{stand_in.directory}/n; test ! -e {marker}")]}]
    product = stand_in.product("new 2", reload=reload)
    for _round in range(2):
        outcome = product.update(LIMIT)
        assert outcome.result is Result.FAILED
        assert outcome.why.startswith("what is installed is not in use: ")
    marker.unlink()
    assert product.update(LIMIT) == Outcome(Result.CURRENT)
    assert product.update(LIMIT) == Outcome(Result.CURRENT)
    assert (stand_in.directory / "n").read_text() == "x\n" * 3


HEALTH = [
    {"json": "healthy", "one_of": ["true"], "reason": "it is not healthy"},
    {"json": "expires", "future": "unix_ms", "means": "license_expired"},
]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ('{"healthy": true, "expires": "4102444800000"}', ""),
        ('{"healthy": false, "expires": "4102444800000"}', "it is not healthy"),
        ('{"healthy": true, "expires": "1700000000000"}', "the product's license has expired"),
        ('{"gesund": true}', "it does not tell healthy"),
        ("starting", "it does not tell healthy"),
    ],
)
def test_who_is_unwell_is_not_current(stand_in: StandIn, told: str, why: str) -> None:
    health = {"command": [stand_in.program("health", f"echo '{told}'")], "expect": HEALTH}
    product = stand_in.product("true", health=health)
    assert product.update(LIMIT) == (Outcome(Result.FAILED, why) if why else Outcome(Result.CURRENT))
    assert product.trial(LIMIT) == ((why,) if why else ())
    assert stand_in.product("new 2", health=health).update(LIMIT) == Outcome(Result.UPDATED, why)


def test_health_whose_command_fails(stand_in: StandIn) -> None:
    health = {"command": [stand_in.program("health", "exit 1")], "exit_codes": {"1": "license_expired"}}
    outcome = stand_in.product("true", health=health).update(LIMIT)
    assert outcome.result is Result.FAILED
    assert outcome.why.startswith("the product's license has expired (")


def test_who_is_observed_only_is_skipped(stand_in: StandIn) -> None:
    outcome = stand_in.product(update=[]).update(LIMIT)
    assert (outcome.result, outcome.why) == (
        Result.SKIPPED,
        "this product is updated by its vendor's management alone: it is only observed here",
    )


def test_a_scope_that_the_product_has_nothing_of(stand_in: StandIn) -> None:
    outcome = stand_in.product("new 2", policy={"components": {"scope": "engines"}}).update(LIMIT)
    assert (outcome.result, outcome.why) == (
        Result.SKIPPED,
        "components.scope is engines, and the components of this product are pattern",
    )


def test_what_is_older_than_the_definition_is_for(stand_in: StandIn) -> None:
    product = stand_in.product("new 3", minimum_versions={"rules": "2"})
    outcome = product.update(LIMIT)
    assert (outcome.result, product.components()) == (Result.FAILED, (Component("rules", "1"),))
    assert product.trial(LIMIT) == (outcome.why,) == ("rules 1 is older than 2, from which on this definition holds",)


def test_a_held_version_is_not_begun(stand_in: StandIn) -> None:
    product = stand_in.product("new 2")
    assert product.update(LIMIT, Holds((Hold("2", "rules", "bad"),))).result is Result.HELD
    assert product.components() == (Component("rules", "1"),)
    assert product.update(LIMIT, Holds((Hold("0", "rules"),))).result is Result.UPDATED
    assert product.held(Holds((Hold("2"),))) is not None


def test_the_way_back(stand_in: StandIn) -> None:
    assert not stand_in.product().restore(Holds(), alive=False).done
    back = [{"command": [stand_in.program("back", "new 0")]}]
    assert stand_in.product(restore=back).restore(Holds(), alive=False).why == "rules 0 is back"
    again = stand_in.product(restore=back).restore(Holds(), alive=False)
    assert (again.done, again.why) == (False, "the restore commands have changed no version")
    broken = [{"command": [stand_in.program("back", "exit 1")]}]
    assert not stand_in.product(restore=broken).restore(Holds(), alive=False).done


def test_probes(stand_in: StandIn) -> None:
    assert stand_in.product().probe(ProbeSettings(), alive=False) is None
    own = [{"command": [stand_in.program("probe", "exit 4")]}]
    outcome = stand_in.product(probe=own).probe(ProbeSettings(), alive=False)
    assert outcome is not None
    assert outcome.why.endswith("probe ended with exit code 4")
    passed = stand_in.product(probe=[{"command": ["/bin/true"]}]).probe(ProbeSettings(), alive=False)
    assert passed is not None
    assert passed.passed
    both = stand_in.product(probe=own).probe(ProbeSettings(command=("/bin/false",)), alive=False)
    assert both is not None
    assert len(both.failures) == 2


SCAN: dict[str, Any] = {"exit_codes": {"0": "ok", "1": "found"}, "findings": "(?P<path>/.+): (?P<name>.+) detected"}


@pytest.mark.parametrize(
    ("script", "ok", "found", "why"),
    [
        ("exit 0", True, 0, ""),
        ('for one; do echo "$one/bad: Some Virus detected"; done; exit 1', True, 2, ""),
        ("exit 1", False, 0, "the scan reported findings, and printed none as its definition says"),
        ('echo "$1/bad: Some Virus detected"; exit 3', False, 1, "/scan ended with exit code 3"),
    ],
)
def test_scans(stand_in: StandIn, script: str, ok: bool, found: int, why: str) -> None:
    for path in ("/home/a", "/srv/b"):
        stand_in.host.write(path, b"")
    product = stand_in.product(scan={"command": [stand_in.program("scan", script), "{paths}"], **SCAN})
    outcome = product.scan(["/home", "/srv", "/none"], LIMIT)
    assert (outcome.ok, len(outcome.findings)) == (ok, found)
    assert outcome.why.replace(str(stand_in.directory), "").startswith(why)
    if found == 2:
        assert outcome.findings[1] == ("/srv/bad", "Some Virus")
    assert product.scan(["/none"], LIMIT).why == "none of the scan paths exists"
    assert not stand_in.product().scan(["/home"], LIMIT).ok


def test_secrets_come_from_files_and_are_not_shown(stand_in: StandIn) -> None:
    stand_in.host.write("/etc/stand-in/token", b"hunter2\n")
    rules = {"secrets": {"TOKEN": "/etc/stand-in/token"}, "environment": {"MODE": "quiet"}}
    outcome = stand_in.product('echo "$MODE $TOKEN is refused" >&2; exit 1', rules=rules).update(LIMIT)
    assert outcome.why.endswith("exit code 1: quiet *** is refused")
    stand_in.host.remove("/etc/stand-in/token")
    outcome = stand_in.product("new 2", rules=rules).update(LIMIT)
    assert (outcome.result, outcome.why) == (
        Result.FAILED,
        "/etc/stand-in/token: the file of a secret can't be read",
    )


def test_settings_are_arguments(stand_in: StandIn) -> None:
    command = [stand_in.program("own", 'test "$2 $3" = "a b c" && new "$1"'), "{version}", "{names}"]
    settings = {"version": "2", "names": ["x"]}
    product = stand_in.product(
        update=[{"command": command}], settings=settings, product_settings={"names": ["a b", "c"]}
    )
    assert product.update(LIMIT) == Outcome(Result.UPDATED)


def test_programs_that_are_missing(stand_in: StandIn) -> None:
    asked = {"command": ["/nonexistent/version"], "pattern": "(?P<version>.+)"}
    product = stand_in.product(update=[{"command": ["/nonexistent/update"]}], components={"x": asked})
    assert product.components() == ()
    assert product.programs() == ("/nonexistent/version", "/nonexistent/update")
    outcome = product.update(LIMIT)
    assert outcome.result is Result.FAILED
    assert outcome.why.endswith("/nonexistent/update: No such file or directory")
