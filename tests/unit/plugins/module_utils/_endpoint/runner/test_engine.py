# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine's packages by the real apt-get and dpkg, in a directory that stands for a host."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.holds import REFUSED_FOR_S
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.packages.apt import CACHE
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner import engine
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.runner.engine import EngineReport

from ..conftest import Sandbox
from ..packages.repository import NAMES, Repository, install, needs_apt, prepare
from .runs import NOON, remember

pytestmark = needs_apt
WINDOW = {"from": "11:30", "to": "13:00"}
ON = {"scope": "all", "engine_packages": True, "engine_windows": [WINDOW]}
HOUR = 3600


@pytest.fixture
def repository(sandbox: Sandbox) -> Repository:
    """A source that offers version 1, which is installed."""
    repository = Repository(sandbox.directory / "repository")
    prepare(sandbox.root, repository)
    repository.publish("1.0-1")
    install(sandbox.root, repository, "1.0-1")
    converge(sandbox)
    return repository


def converge(sandbox: Sandbox, *, components: dict[str, Any] | None = None, **more: Any) -> Any:
    """The product ``clamav`` with no database, whose probe is a command: a file says whether it passes."""
    probe = {"command": ["/bin/sh", "-c", f"test ! -e {sandbox.directory}/refuses"]}
    schedule = more.pop("schedule", {})
    policy = {
        "components": ON if components is None else components,
        "schedule": schedule,
        "sources": {"urls": ["http://127.0.0.1:1"]},
    }
    own = {"product": "clamav", "clamav": {"databases": ["test"]}, "policy": policy, "probe": probe}
    return sandbox.converge(**{**own, **more})


def run(sandbox: Sandbox, *, due: bool = True, **more: Any) -> EngineReport:
    return engine.run(sandbox.endpoint, due=due, **more)


def told(report: EngineReport) -> tuple[str, str, str]:
    return report.record.result, report.before, report.after


def installed(sandbox: Sandbox) -> set[str]:
    query = ["dpkg-query", f"--admindir={sandbox.root}/var/lib/dpkg", "-W", "-f", "${Version} ", *NAMES]
    return set(subprocess.run(query, check=True, capture_output=True, text=True).stdout.split())


def status(sandbox: Sandbox) -> dict[str, Any]:
    return dict(json.loads(sandbox.host.read(paths.STATUS) or b""))


def kept(sandbox: Sandbox) -> set[str]:
    return {path.name for path in (sandbox.root / CACHE[1:]).glob("*.deb")}


@contextmanager
def lock_held(sandbox: Sandbox, path: str) -> Iterator[None]:
    """Another package manager, of another process."""
    script = f"import fcntl, sys, time; f = open({str(sandbox.root / path)!r}, 'w'); fcntl.lockf(f, fcntl.LOCK_EX); "
    script += "print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(["python3", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    try:
        yield
    finally:
        holder.communicate()


def test_a_newer_version_is_installed_probed_told_and_kept(sandbox: Sandbox, repository: Repository) -> None:
    (sandbox.root / "etc/clamav/clamav.conf").write_text("the administrator's own\n")
    repository.publish("1.1-1")
    report = run(sandbox)
    assert told(report) == ("updated", "1.0-1", "1.1-1"), report
    assert report.record.why == ""
    assert installed(sandbox) == {"1.1-1"}
    assert (sandbox.root / "etc/clamav/clamav.conf").read_text() == "the administrator's own\n"
    found = status(sandbox)
    assert found["components"] == [{"name": "engine", "version": "1.1-1", "built": None, "kind": "engine"}]
    assert (found["engine"]["result"], found["engine"]["changed"]) == ("updated", ["engine"])
    assert kept(sandbox) == {f"{name}_{version}_all.deb" for name in NAMES for version in ("1.0-1", "1.1-1")}
    again = run(sandbox)
    assert told(again)[0] == "skipped"
    assert (again.record.why, again.recorded) == ("this window has had its run", False)
    assert told(run(sandbox, due=False)) == ("current", "1.1-1", "1.1-1")


@pytest.mark.parametrize("components", [{}, {"scope": "all"}, {"scope": "engines"}])
def test_no_policy_but_its_own_key_upgrades_packages(
    sandbox: Sandbox, repository: Repository, components: dict[str, Any]
) -> None:
    converge(sandbox, components=components)
    repository.publish("1.1-1")
    assert not run(sandbox, due=False, despite_window=True).recorded
    assert installed(sandbox) == {"1.0-1"}
    assert (status(sandbox)["components"], "engine" in status(sandbox)) == ([], False)
    assert not sandbox.host.exists("/etc/systemd/system/epp-engine.service")
    assert "engine" not in json.dumps(status(sandbox)["policy"]["components"]).replace('"engines"', "")


def test_the_unit_and_its_timer_are_there_where_policy_wants_them(sandbox: Sandbox, repository: Repository) -> None:
    assert sandbox.host.exists("/etc/systemd/system/epp-engine.service")
    timer = (sandbox.host.read("/etc/systemd/system/epp-engine.timer") or b"").decode()
    assert "OnCalendar=*-*-* *:00:00 UTC\n" in timer
    assert converge(sandbox).changed is False
    assert converge(sandbox, components={"scope": "all"}).changed
    assert not sandbox.host.exists("/etc/systemd/system/epp-engine.timer")


@pytest.mark.heavy
def test_what_would_be_done_is_told_and_nothing_is_written(sandbox: Sandbox, repository: Repository) -> None:
    assert engine.check(sandbox.endpoint).result.value == "current"
    repository.publish("1.1-1")
    subprocess.run(refresh(sandbox), check=True, capture_output=True)
    before = sandbox.tree()
    outcome = engine.check(sandbox.endpoint)
    assert (outcome.result.value, outcome.why) == ("updated", "would upgrade engine 1.0-1 to 1.1-1")
    after = sandbox.tree()
    assert {name for name in before if before[name] != after[name]} <= {"var/cache/apt/pkgcache.bin"}
    assert installed(sandbox) == {"1.0-1"}


def refresh(sandbox: Sandbox) -> list[str]:
    options = (f"Dir={sandbox.root}/", f"Dir::State::status={sandbox.root}/var/lib/dpkg/status")
    return ["apt-get", *(word for one in options for word in ("-o", one)), "update"]


def test_outside_its_window_nothing_starts(sandbox: Sandbox, repository: Repository) -> None:
    repository.publish("1.1-1")
    sandbox.host.clock = NOON + HOUR  # the end itself is no longer part of it
    report = run(sandbox)
    assert (told(report)[0], report.recorded) == ("skipped", False)
    assert report.record.why == "outside components.engine_windows; the next one opens at 2026-11-23T11:30:00Z"
    assert installed(sandbox) == {"1.0-1"}
    assert told(run(sandbox, due=False, despite_window=True))[0] == "updated"


@pytest.mark.heavy
def test_each_window_has_one_run(sandbox: Sandbox, repository: Repository) -> None:
    assert told(run(sandbox))[0] == "current"
    repository.publish("1.1-1")
    assert told(run(sandbox))[0] == "skipped"
    sandbox.host.clock = NOON + 24 * HOUR
    assert told(run(sandbox))[0] == "updated"


@pytest.mark.heavy
def test_a_blackout_and_the_user_s_switch_hold_for_it_too(sandbox: Sandbox, repository: Repository) -> None:
    repository.publish("1.1-1")
    converge(sandbox, schedule={"blackouts": [{"name": "backup", "from": "11:00", "to": "12:30"}]})
    assert run(sandbox).record.why == "blackout backup"
    converge(sandbox)
    policy = sandbox.endpoint.document.policy
    off = replace(policy, privileges=replace(policy.privileges, scheduled_update=False))
    document = replace(sandbox.endpoint.document, policy=off)
    report = engine.run(replace(sandbox.endpoint, document=document), due=True)
    assert report.record.why.startswith("scheduled update is off by policy")
    assert installed(sandbox) == {"1.0-1"}


@pytest.mark.heavy
@pytest.mark.parametrize("hold", [{"component": "engine", "version": "1.1-1"}, {"version": "1.1-1"}])
def test_a_held_version_never_comes(sandbox: Sandbox, repository: Repository, hold: dict[str, str]) -> None:
    repository.publish("1.1-1")
    converge(sandbox, held_versions=[{**hold, "reason": "it crashes"}])
    report = run(sandbox)
    assert told(report) == ("held", "1.0-1", "1.0-1")
    assert report.record.why == "engine 1.1-1 is held: it crashes"
    repository.publish("1.2-1")
    sandbox.host.clock = NOON + 24 * HOUR
    assert told(run(sandbox)) == ("updated", "1.0-1", "1.2-1")


@pytest.mark.heavy
def test_a_held_version_that_is_installed_is_replaced_by_the_one_before(
    sandbox: Sandbox, repository: Repository
) -> None:
    repository.publish("1.1-1")
    run(sandbox)
    repository.withdraw()
    converge(sandbox, held_versions=[{"component": "engine", "version": "1.1-1"}])
    report = run(sandbox, due=False)
    assert told(report) == ("held", "1.1-1", "1.0-1")
    assert report.record.why == "engine 1.1-1 is held; engine 1.0-1 is back"


@pytest.mark.heavy
def test_of_allowed_versions_the_newest_that_is_offered_comes_and_no_other(
    sandbox: Sandbox, repository: Repository
) -> None:
    for version in ("1.1-1", "1.2-1", "1.3-1"):
        repository.publish(version)
    allowed = ["1.1-1", "1.2-1", "1.9-1"]
    converge(sandbox, components={**ON, "engine_versions": allowed})
    assert told(run(sandbox)) == ("updated", "1.0-1", "1.2-1")
    report = run(sandbox, due=False)
    assert (told(report)[0], report.record.why) == (
        "held",
        "engine 1.3-1 is not one of components.engine_versions",
    )


def test_a_failing_probe_goes_back_and_the_version_is_not_begun_again_for_a_day(
    sandbox: Sandbox, repository: Repository
) -> None:
    repository.publish("1.1-1")
    refuses = sandbox.directory / "refuses"
    refuses.touch()
    report = run(sandbox)
    assert told(report) == ("failed", "1.0-1", "1.0-1"), report
    assert report.record.kind == "probe"
    why = "the probe of engine 1.1-1 failed: the probe command ended with exit code 1; engine 1.0-1 is back"
    assert report.record.why == why
    assert installed(sandbox) == {"1.0-1"}
    refuses.unlink()
    again = run(sandbox, due=False)
    assert (told(again)[0], again.record.kind) == ("failed", "probe")
    assert again.record.why.startswith("engine 1.1-1 failed its probe here")
    sandbox.host.clock = NOON + REFUSED_FOR_S
    assert told(run(sandbox)) == ("updated", "1.0-1", "1.1-1")


@pytest.mark.heavy
def test_where_no_earlier_package_can_be_had_that_is_told_and_probed_again(
    sandbox: Sandbox, repository: Repository
) -> None:
    repository.withdraw()
    repository.publish("1.1-1")
    (sandbox.directory / "refuses").touch()
    report = run(sandbox)
    assert told(report) == ("failed", "1.0-1", "1.1-1")
    assert report.record.why.endswith("; no earlier version of its packages is kept that could be put back")
    assert sandbox.endpoint.store.read().engine_unproven
    assert (run(sandbox, due=False).record.kind, installed(sandbox)) == ("probe", {"1.1-1"})
    (sandbox.directory / "refuses").unlink()
    repository.publish("1.2-1")
    assert told(run(sandbox, due=False)) == ("updated", "1.1-1", "1.2-1")
    assert not sandbox.endpoint.store.read().engine_unproven


@pytest.mark.heavy
def test_a_run_that_was_cut_off_is_made_up_for_by_a_probe(sandbox: Sandbox, repository: Repository) -> None:
    remember(sandbox, engine_unproven=True)
    (sandbox.directory / "refuses").touch()
    report = run(sandbox)
    assert (told(report)[0], report.record.kind) == ("failed", "probe")
    (sandbox.directory / "refuses").unlink()
    assert told(run(sandbox, due=False))[0] == "current"
    assert not sandbox.endpoint.store.read().engine_unproven


@pytest.mark.heavy
def test_a_source_that_does_not_answer_is_unreachable_and_asked_again_in_the_same_window(
    sandbox: Sandbox, repository: Repository
) -> None:
    moved = repository.directory.rename(sandbox.directory / "moved")
    report = run(sandbox)
    assert told(report) == ("unreachable", "1.0-1", "1.0-1")
    assert report.record.why.startswith("no answer from copy:")
    moved.rename(repository.directory)
    repository.publish("1.1-1")
    assert told(run(sandbox))[0] == "updated"


@pytest.mark.heavy
def test_packages_that_can_not_be_fetched_are_unreachable(sandbox: Sandbox, repository: Repository) -> None:
    repository.publish("1.1-1")
    (repository.directory / "libclamav12_1.1-1_all.deb").unlink()
    assert told(run(sandbox)) == ("unreachable", "1.0-1", "1.0-1")


@pytest.mark.heavy
@pytest.mark.parametrize("lock", ["var/lib/apt/lists/lock"])
def test_another_package_manager_at_work_is_no_failure_and_waited_for(
    sandbox: Sandbox, repository: Repository, lock: str
) -> None:
    repository.publish("1.1-1")
    with lock_held(sandbox, lock):
        report = run(sandbox)
    assert (told(report)[0], report.record.why) == ("skipped", "another package manager is at work")
    assert status(sandbox)["engine"]["result"] == "skipped"
    assert told(run(sandbox))[0] == "updated"


@pytest.mark.heavy
def test_what_needs_more_than_the_engine_s_own_packages_is_left_to_people(
    sandbox: Sandbox, repository: Repository
) -> None:
    repository.publish("1.1-1", "clamav", depends="libclamav13")
    repository.publish("1.1-1", "libclamav13")
    report = run(sandbox)
    assert told(report) == ("failed", "1.0-1", "1.0-1")
    assert "needs more than upgrades of the engine's own packages: install libclamav13" in report.record.why


@pytest.mark.heavy
def test_a_package_on_hold_is_the_administrator_s_word(sandbox: Sandbox, repository: Repository) -> None:
    repository.publish("1.1-1")
    root = f"--root={sandbox.root}"
    subprocess.run(["dpkg", root, "--set-selections"], input=b"clamav hold\n", check=True, capture_output=True)
    report = run(sandbox)
    assert (told(report)[0], installed(sandbox)) == ("held", {"1.0-1"})
    assert "clamav: on hold" in report.record.why


@pytest.mark.heavy
def test_two_versions_are_kept(sandbox: Sandbox, repository: Repository) -> None:
    for number, version in enumerate(("1.1-1", "1.2-1", "1.3-1")):
        repository.publish(version)
        sandbox.host.clock = NOON + number * 24 * HOUR
        assert told(run(sandbox))[0] == "updated"
    assert {name.split("_")[1] for name in kept(sandbox)} == {"1.2-1", "1.3-1"}


@pytest.mark.heavy
def test_another_family_is_refused_in_words(sandbox: Sandbox, repository: Repository) -> None:
    (sandbox.root / "usr/bin/apt-get").unlink()
    converge(sandbox)
    report = run(sandbox)
    assert report.record.why == (
        "engine packages are upgraded on Debian and what derives from it alone (no apt-get and dpkg-query here)"
    )
    assert not sandbox.host.exists("/etc/systemd/system/epp-engine.timer")


@pytest.mark.heavy
def test_leaving_takes_the_kept_packages_away(sandbox: Sandbox, repository: Repository, agent: Path) -> None:
    repository.publish("1.1-1")
    run(sandbox)
    subprocess.run([agent, "--root", sandbox.root, "apply", "--absent"], check=True, capture_output=True)
    assert not sandbox.host.exists(paths.CACHE_DIRECTORY)


@pytest.mark.heavy
def test_the_command_tells_what_came_of_it(sandbox: Sandbox, repository: Repository, agent: Path) -> None:
    repository.publish("1.1-1")
    command = [agent, "--root", sandbox.root, "engine"]
    done = subprocess.run([*command, "--despite-window"], check=True, capture_output=True, text=True)
    assert done.stdout == "engine packages: updated; engine 1.0-1 to 1.1-1\n"
    done = subprocess.run([*command, "--check", "--json"], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == {"result": "current", "reason": ""}
    done = subprocess.run([agent, "--root", sandbox.root, "status"], check=True, capture_output=True, text=True)
    assert "component         engine 1.1-1\n" in done.stdout
    assert "\nengine packages   updated at " in done.stdout
