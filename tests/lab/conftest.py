# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab tier: one real fleet for the whole session.

Its modules run through pytest-ansible's host manager, here and nowhere else. Where a fleet can't run, every test of
this tier is skipped by name, with the reason.
"""

from __future__ import annotations

import contextlib
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lab_archives
import lab_databases
import lab_root
import lab_wheels
import pytest
from fleet import AlreadyUp, Fleet
from lab_ansible import Ansible
from lab_nodes import Node
from lab_plan import Plan
from lab_server import ComponentServer

# A file is one process's work. Those that take minutes begin first, or the last one would run alone at the end. The
# storm comes after them: two hundred agents at once leave little of a small host to tests that wait for an answer.
LONG = (
    "test_broker",
    "test_rollout_clamav",
    "test_fleet_report",
    "test_situations",
    "test_campaigns",
    "test_late_starts",
    "test_update_server",
    "test_server_converge",
    "test_converge",
    "test_events",
    "test_resilience",
    "test_tasks",
    "test_readme",
    "test_freshclam",
    "test_privileges",
    "test_timers",
    "test_storm",
    "test_missing_directories",
    "test_drift_kinds",
    "test_https",
)
# Which machine belongs to whom. A test file owns its machines: no test cares what another file's tests left.
SYSTEMD_MACHINES = 152
BARE_MACHINES = 9


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", "ignore:AnsibleCollectionFinder has already been configured:UserWarning")


def _obstacle(config: pytest.Config) -> str:
    if not config.pluginmanager.hasplugin("ansible"):
        return "the pytest-ansible plugin is not loaded"
    return lab_root.why_not()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    own = [item for item in items if Path(item.path).parent == Path(__file__).parent]
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))
    obstacle = _obstacle(config) if own else ""
    if not obstacle:
        return
    warnings.warn(f"THE LAB TIER DOES NOT RUN HERE: {obstacle}; {len(own)} tests are skipped", stacklevel=1)
    for item in own:
        item.add_marker(pytest.mark.skip(reason=f"no lab on this host: {obstacle}"))


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """The session's own fleet, on a bridge that nobody else has; it goes down with this process, however that ends."""
    fleet, keeper = _own_fleet()
    yield fleet
    fleet.down()
    keeper.wait(30)


def _own_fleet() -> tuple[Fleet, subprocess.Popen[bytes]]:
    for number in range(80, 100):
        plan = Plan.of(name=f"epp{number}", subnet=f"10.{number}", systemd=SYSTEMD_MACHINES, bare=BARE_MACHINES)
        with contextlib.suppress(AlreadyUp):
            return Fleet.up(plan, follow=True, boot=False)
    raise lab_root.LabError("twenty fleets are already up on this host")


@pytest.fixture(scope="session")
def inventory(fleet: Fleet) -> Path:
    path = fleet.plan.directory / "inventory.ini"
    path.write_text(fleet.inventory())
    return path


@pytest.fixture(scope="session")
def hosts(request: pytest.FixtureRequest, inventory: Path) -> Callable[[str], Any]:
    """pytest-ansible's host manager: a function from a host's name to its modules."""
    plugin = request.config.pluginmanager.getplugin("ansible")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it announces its retirement at every use
        manager = plugin.initialize(request.config, inventory=str(inventory), host_pattern="all")

    def modules(pattern: str) -> Any:
        return manager[pattern]

    return modules


@pytest.fixture(scope="session")
def node(fleet: Fleet, hosts: Callable[[str], Any]) -> Callable[[str], Node]:
    """``node("n1")``: that machine, booted at its first use."""

    def find(name: str) -> Node:
        fleet.boot_if_off(name)
        return Node(fleet, name, hosts)

    return find


@pytest.fixture(scope="module", autouse=True)
def _machines_of_this_file(fleet: Fleet, hosts: Callable[[str], Any]) -> Iterator[None]:
    """They go with it: machines that nobody asks any more would go on with their timers."""
    yield
    for machine in fleet.plan.machines:
        if fleet.plan.upper(machine.name).exists():
            Node(fleet, machine.name, hosts).discard()


@pytest.fixture(scope="session")
def ansible(fleet: Fleet, inventory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ansible]:
    """Real ansible-playbook runs of this collection against the fleet, whose machines boot at their first use."""
    made = Ansible(inventory=inventory, work=tmp_path_factory.mktemp("ansible"), prepare=fleet.boot_if_off)
    yield made
    made.close()


@pytest.fixture(scope="session")
def _ports() -> Iterator[int]:
    return iter(range(8080, 9000))


@pytest.fixture
def _new_server(
    fleet: Fleet, tmp_path_factory: pytest.TempPathFactory, _ports: Iterator[int]
) -> Iterator[Callable[[], ComponentServer]]:
    servers: list[ComponentServer] = []

    def start() -> ComponentServer:
        directory = tmp_path_factory.mktemp("source")
        server = ComponentServer(
            root=lab_root.path(), directory=directory, address=fleet.plan.gateway, port=next(_ports)
        )
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def component_server(_new_server: Callable[[], ComponentServer]) -> ComponentServer:
    """A component source of this test's own, started."""
    return _new_server()


@pytest.fixture
def another_component_server(_new_server: Callable[[], ComponentServer]) -> ComponentServer:
    """A second one, for tests that need two."""
    return _new_server()


@pytest.fixture(scope="session")
def wheelhouse(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """pip's arguments by which cvdupdate is installed from a page of links instead of a package index."""
    try:
        wheels = lab_wheels.wheels()
    except lab_root.LabError as error:
        pytest.skip(f"no wheels of cvdupdate: {error}")
    directory = tmp_path_factory.mktemp("wheels")
    source = ComponentServer(root=lab_root.path(), directory=directory, address=fleet.plan.gateway, port=7999)
    source.publish({**wheels, "links.html": lab_wheels.index(sorted(wheels))})
    source.start()
    yield f"--no-index --find-links {source.url}/links.html --trusted-host {source.address}"
    source.stop()


@pytest.fixture
def debian_packages() -> Callable[..., dict[str, Path]]:
    """``debian_packages("rkhunter")``: Debian's package with all that it needs and the shared root lacks."""

    def find(*names: str) -> dict[str, Path]:
        try:
            return lab_archives.packages(*names)
        except lab_root.LabError as error:
            pytest.skip(f"no packages: {error}")

    return find


@pytest.fixture(scope="session")
def databases() -> Callable[[int], dict[str, Path]]:
    """``databases(3)``: what a mirror serves when version 3 of the signed test database is the newest."""
    try:
        return lab_databases.published()
    except lab_root.LabError as error:
        pytest.skip(str(error))
