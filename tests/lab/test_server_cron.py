# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ``server`` on a machine without systemd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab_ansible import Ansible
from lab_nodes import Node
from lab_update_server import PUBLIC

BARE = "b6"


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
    lines = machine.read("/etc/cron.d/epp-autoupdate-server").splitlines()
    for command in ("ingest", "notify"):
        assert f"* * * * * epp-server /usr/local/bin/epp-server {command}" in lines
    command = next(line.partition(" epp-server ")[2] for line in lines if line.endswith(" fetch"))
    machine.run(["setpriv", "--reuid", "epp-server", "--regid", "epp-server", "--clear-groups", *command.split()])
    assert machine.exists(f"{PUBLIC}/components/files/manifest.json")
    assert converge(state="absent")["changed"]
    assert machine.run("find / -xdev -name '*epp-*' -not -path '/proc/*'").out == ""
    assert machine.run(["getent", "passwd", "epp-server"], check=False).code == 2
