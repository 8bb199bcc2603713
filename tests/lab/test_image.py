# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image: the endpoint is converged into a directory with a real system in it, which boots later."""

from __future__ import annotations

from typing import Any, Callable

import lab_documents as documents
import pytest
from fleet import Fleet
from lab_ansible import Ansible
from lab_nodes import AGENT, Node, eventually
from lab_server import ComponentServer

MACHINE = "n30"
UNITS = ("epp-update.timer", "epp-reconnect.timer")


@pytest.mark.heavy
def test_an_image_is_converged_while_it_is_off_and_its_timers_run_when_it_boots(
    fleet: Fleet, node: Callable[[str], Node], ansible: Ansible, component_server: ComponentServer
) -> None:
    component_server.publish(documents.file_source("1", {"a": b"one"}))
    policy = {"events": {"update_on_reconnect": True}, "privileges": {"update_now": True}}
    document = documents.files(MACHINE, component_server.url, policy=policy)
    document["policy"]["schedule"] = {"frequency": "minutes", "interval": 1}

    tree, entrance = fleet.image(MACHINE)
    image = {**document, "installroot": str(tree)}
    assert ansible.converge_tree(image, around=entrance).changed
    assert not ansible.converge_tree(image, around=entrance).changed

    fleet.boot(MACHINE)
    machine = node(MACHINE)
    assert machine.run(["head", "-n", "1", AGENT]).out.startswith("#!/usr/bin/python3 -IS")
    its_own = machine.run(["/usr/bin/python3", "-c", "import sys; print(sys.implementation.cache_tag)"]).out.strip()
    assert machine.run(["grep", "-ac", f'^BYTECODE = "{its_own}"$', AGENT]).out.strip() == "1"
    assert machine.run(["systemctl", "is-active", *UNITS]).out.split() == ["active", "active"]
    run = eventually(lambda: _last(machine, "schedule"), seconds=100, why="the timer has fired", pause=1)
    assert run["result"] in ("updated", "current"), run
    assert machine.read("/var/lib/epp-autoupdate/components/current/a") == "one"

    # The Python that made the image is the control node's, of whatever version; the one that runs here, the image's.
    alive = ansible.converge({MACHINE: document}).demand()[MACHINE]
    assert not alive.changed, alive.task
    machine.run(["systemctl", "start", "epp-update@manual.service"])
    assert _last(machine, "manual")["result"] == "current"


def _last(machine: Node, trigger: str) -> Any:
    return machine.agent_status()["last"].get(trigger)
