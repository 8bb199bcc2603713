# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container can't show: a kernel of its own with AppArmor, a clock of its own, suspension, limits of memory.

Apart from the lab, whose fixtures bring a fleet up: here each test file has one virtual machine on a port of the
loopback, and needs no bridge. What starts Ansible and what serves components are the lab's.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "lab"))

import lab_databases
import lab_root
import vm_image
from lab_ansible import Ansible
from lab_server import ComponentServer
from vm_machine import COMMAND_S, HOST, VirtualMachine, accelerator, free_port, off_at_the_end


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    own = [item for item in items if Path(item.path).parent == Path(__file__).parent]
    obstacle = vm_image.why_not() if own else ""
    if not obstacle:
        return
    warnings.warn(f"NO VIRTUAL MACHINE RUNS HERE: {obstacle}; {len(own)} tests are skipped", stacklevel=1)
    for item in own:
        item.add_marker(pytest.mark.skip(reason=f"no virtual machine on this host: {obstacle}"))


@pytest.fixture(scope="session")
def image() -> vm_image.Image:
    return vm_image.build()


@pytest.fixture(scope="session")
def kind(image: vm_image.Image) -> str:
    """The accelerator; told, since it decides how long everything takes."""
    found = accelerator(image)
    print(f"virtual machines run by {found}")
    return found


@pytest.fixture(scope="module")
def machine(image: vm_image.Image, kind: str) -> Iterator[VirtualMachine]:
    """This file's machine, off."""
    # A short path: the socket of a connection lies there.
    directory = Path(tempfile.mkdtemp(prefix="vm-", dir=lab_root.CACHE))
    with off_at_the_end(VirtualMachine(image, directory, kind)) as made:
        yield made


@pytest.fixture(scope="module")
def ansible(machine: VirtualMachine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ansible]:
    """Real ansible-playbook runs against this file's machine, which is on."""
    work = tmp_path_factory.mktemp("ansible")
    inventory = work / "inventory.ini"
    inventory.write_text(machine.inventory())
    made = Ansible(inventory=inventory, work=work, prepare=lambda *_names: None, patience=3 * COMMAND_S)
    yield made
    made.close()


@pytest.fixture
def component_server(tmp_path: Path) -> Iterator[ComponentServer]:
    """A component source on the loopback of this host, started."""
    server = ComponentServer(
        root=lab_root.path(), directory=tmp_path / "source", address=VirtualMachine.address, port=free_port()
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture
def source(component_server: ComponentServer) -> str:
    """The URL by which a virtual machine finds that source."""
    return component_server.url.replace(VirtualMachine.address, HOST)


@pytest.fixture(scope="session")
def databases() -> Callable[[int], dict[str, Path]]:
    """``databases(1)``: what a mirror serves when version 1 of the signed test database is the newest."""
    try:
        return lab_databases.published()
    except lab_root.LabError as error:
        pytest.skip(str(error))
