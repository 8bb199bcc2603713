# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the views of a fleet say of each endpoint: its state, the reason, and since when it holds."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import lab_root
from lab_ansible import Ansible
from lab_update_server import UpdateServer


class Seen(NamedTuple):
    """What a view says of an endpoint; ``since`` is ISO 8601, empty where nobody knows."""

    state: str
    reason: str
    since: str


Told = dict[str, Seen]
"""Endpoint to what is said of it."""


@dataclass(frozen=True)
class Views:
    """The views of one server's fleet; ``directory`` is for files of the control node."""

    server: UpdateServer
    ansible: Ansible
    directory: Path

    def command(self) -> Told:
        """``epp-server endpoints --json``."""
        return {one["name"]: _seen(one) for one in self.server.command("endpoints", "--json").json()}

    def table(self) -> Told:
        """``epp-server endpoints``, as people read it: columns below their heads."""
        head, *rows = self.server.command("endpoints").out.splitlines()
        names = ("NAME", "STATE", "SINCE", "REASON")
        starts = [match.start() for match in re.finditer(r"\S+(?: \S+)*", head)] + [None]
        place = {head[a:b].strip(): slice(a, b) for a, b in zip(starts, starts[1:])}
        cells = [[row[place[name]].strip() for name in names] for row in rows]
        return {
            name: Seen(state, *("" if word == "-" else word for word in (why, since)))
            for name, state, since, why in cells
        }

    def module(self) -> Told:
        """The module ``fleet_info``."""
        task = {"name": "Ask", "epp.autoupdate.fleet_info": {"gather": ["endpoints"]}}
        run = self.ansible.play([task], {self.server.name: {}}).demand()
        return {one["name"]: _seen(one) for one in run[self.server.name].results[-1]["result"]["endpoints"]}

    def page(self) -> Told:
        """The report as one HTML file, by the data of its table."""
        text = self.server.command("report", "--html", "-").out
        (data,) = re.findall(r'<script [^>]*id="data"[^>]*>(.*?)</script>', text, re.DOTALL)
        columns = {one["name"]: _cells(one) for one in json.loads(data)["hosts"]["columns"]}
        rows = zip(*(columns[name] for name in ("name", "state", "reason", "since")))
        return {name: Seen(*said) for name, *said in rows}

    def inventory(self) -> Told:
        """The inventory plugin, by the variables of each host; the groups say the same of its state."""
        told = self.ansible.inventory(self._source())
        hosts = told["_meta"]["hostvars"]
        for name, variables in hosts.items():
            groups = [
                group for group, one in told.items() if name in one.get("hosts", ()) and group != "autoupdate_fleet"
            ]
            assert groups == [f"autoupdate_{variables['epp_state']}"], (name, groups)
        return {name: _seen(variables, "epp_") for name, variables in hosts.items()}

    def metrics(self) -> tuple[dict[str, str], Counter[str], Counter[str]]:
        """``epp-server metrics``: the state of who is not current, endpoints by state, and who refuses by the result.

        Metrics have no reasons: each would be a series.
        """
        text = self.server.command("metrics").out
        named = _samples(text, "server_endpoint_state")
        states = {labels["state"]: int(value) for labels, value in _samples(text, "server_endpoints")}
        refusing = {labels["result"]: int(value) for labels, value in _samples(text, "server_refusing_endpoints")}
        return {labels["endpoint"]: labels["state"] for labels, _one in named}, +Counter(states), +Counter(refusing)

    def _source(self) -> Path:
        """The configuration of the inventory plugin, which reaches the server as root."""
        path = self.directory / "fleet.autoupdate.yml"
        options = [f"IdentityFile={lab_root.KEY}", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"]
        options += ["LogLevel=ERROR"]
        arguments = [word for option in options for word in ("-o", option)]
        where = {"server": f"root@{self.server.node.machine.address}", "ssh_arguments": arguments}
        path.write_text(json.dumps({"plugin": "epp.autoupdate.fleet", **where}))
        return path


def _seen(one: dict[str, Any], prefix: str = "") -> Seen:
    return Seen(one[f"{prefix}state"], one[f"{prefix}reason"], one[f"{prefix}since"] or "")


def _cells(column: dict[str, Any]) -> list[str]:
    """The cells of a column; empty where a value is not known."""
    return [column["values"][code] if code >= 0 else "" for code in column["codes"]]


def _samples(text: str, name: str) -> list[tuple[dict[str, str], str]]:
    """Labels and value of each sample of a metric."""
    lines = re.findall(rf"^epp_autoupdate_{name}\{{(.*)\}} (\S+)$", text, re.MULTILINE)
    return [(dict(re.findall(r'(\w+)="([^"]*)"', labels)), value) for labels, value in lines]
