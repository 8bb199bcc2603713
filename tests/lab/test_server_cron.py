# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ``server`` on a machine without systemd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab_ansible import Ansible
from lab_nodes import Node
from lab_update_server import PUBLIC, UpdateServer

BARE, CLIENT = "b6", "b7"
TABLE = "/etc/cron.d/epp-autoupdate-server"


def test_a_machine_without_systemd_gets_a_table_of_cron(node: Callable[[str], Node], ansible: Ansible) -> None:
    machine = node(BARE)
    machine.run("echo one >/srv/a.dat")
    options = {"web": {"url": f"http://{machine.machine.address}"}, "components": {"files": {"directory": "/srv"}}}

    def converge(**more: Any) -> dict[str, Any]:
        task = {"name": "Converge", "epp.autoupdate.server": {**options, **more}}
        run = ansible.play([task], {BARE: {}}).demand()
        return dict(run[BARE].results[-1]["result"])

    assert converge()["changed"]
    assert machine.run("epp-server apply </etc/epp-autoupdate/server.json").json()["changed"] is False
    lines = machine.read(TABLE).splitlines()
    for command in ("ingest", "notify"):
        assert f"* * * * * epp-server /usr/local/bin/epp-server {command}" in lines
    run_line(machine, " fetch")
    assert machine.exists(f"{PUBLIC}/components/files/manifest.json")
    assert converge(state="absent")["changed"]
    assert machine.run("find / -xdev -name '*epp-*' -not -path '/proc/*'").out == ""
    assert machine.run(["getent", "passwd", "epp-server"], check=False).code == 2


def test_a_server_under_cron_asks_for_reports_where_its_web_server_takes_none(
    node: Callable[[str], Node], ansible: Ansible
) -> None:
    """Neither machine has systemd: cron's line asks, and sudo hands the notice over."""
    machine, client = node(BARE), node(CLIENT)
    machine.run("mkdir -p /srv/rules && echo 1 >/srv/rules/a.yar")
    server = UpdateServer(machine)
    components = {"autoupdate_server_components": {"files": {"directory": "/srv/rules"}}}
    policy = {"events": {"update_on_reconnect": False}}
    hosts = {
        BARE: server.variables(autoupdate_server_reports="ask", **components),
        CLIENT: {"autoupdate_product": "files", "autoupdate_policy": policy},
    }
    ansible.site(hosts).demand()
    assert client.agent("report", check=False).out.startswith("report: waits; the update server takes no reports: ")
    assert state(server) == "never_seen"
    lines = machine.read(TABLE).splitlines()
    assert len([line for line in lines if line.endswith(" ask-reports")]) == 2, "after a boot, and each hour"
    run_line(machine, " ask-reports")
    assert state(server) == "behind", "it has said that it has nothing yet"
    told = client.agent_status()["report"]
    assert (told["occasion"], told["waiting"], told["reason"]) == ("request", False, "")


def run_line(machine: Node, ending: str) -> None:
    """Run the command of a line of cron's table, as its user."""
    lines = machine.read(TABLE).splitlines()
    command = next(line.partition(" epp-server ")[2] for line in lines if line.endswith(ending))
    machine.run(["setpriv", "--reuid", "epp-server", "--regid", "epp-server", "--clear-groups", *command.split()])


def state(server: UpdateServer) -> str:
    (one,) = server.command("endpoints", "--json").json()
    return str(one["state"])
