# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The update server of a lab fleet: a real machine with nginx, sshd and the server's own program."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from lab_nodes import Done, Node, eventually

SERVER = "/usr/local/bin/epp-server"
LOG = "/var/log/nginx/epp-autoupdate.log"
PUBLIC = "/var/lib/epp-autoupdate-public"
PORT = 8099
_LINE = re.compile(
    r'(?P<client>\S+) \[\S+\] "(?P<method>\S+) (?P<path>\S+) [^"]*" (?P<status>\d+) (?P<size>\d+) \S+ '
    r'range="(?P<range>[^"]*)" since="(?P<since>[^"]*)" match="(?P<match>[^"]*)"'
)


@dataclass(frozen=True)
class Served:
    """One line of the server's access log; ``path`` is below its base URL."""

    client: str
    path: str
    status: int
    size: int
    conditional: bool


class UpdateServer:
    """What tests ask of the server's machine."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.name = node.name
        self.url = f"http://{node.machine.address}:{PORT}/epp"

    def variables(self, **more: Any) -> dict[str, Any]:
        """What the inventory says of this machine."""
        return {"autoupdate_server_url": self.url, "autoupdate_server_install": False, **more}

    def command(self, *words: str, check: bool = True, stdin: str = "") -> Done:
        """Run ``epp-server`` as root, which becomes the server's own user."""
        return self.node.run([SERVER, *words], check=check, stdin=stdin)

    def fetch(self) -> dict[str, Any]:
        """Fetch once; returns the report of the one product that is set up."""
        (report,) = self.command("fetch", "--json", check=False).json()
        return dict(report)

    def notify(self, *words: str) -> dict[str, Any]:
        """Run the engine; ``running`` is true in its report where another one was at work."""
        return dict(self.command("notify", "--json", *words).json())

    def settle(self, campaign: str) -> None:
        """Notify until nothing of a campaign is open, whether by this engine or by the one that a timer started."""

        def settled() -> bool:
            self.notify("--until-settled")
            return not any(one["open"] for one in self.campaigns() if one["campaign"] == campaign)

        eventually(settled, seconds=120, why=f"campaign {campaign} is settled")

    def campaigns(self) -> list[dict[str, Any]]:
        """All campaigns, the newest first."""
        return list(self.command("campaigns", "--json").json())

    def told(self, campaign: str) -> dict[str, tuple[str, str]]:
        """Endpoint to status and result in a campaign; of what failed, the reason too."""
        rows = self.command("campaigns", campaign, "--json").json()
        return {row["endpoint"]: (row["status"], _result(row)) for row in rows}

    def requests(self, *, below: str = "") -> list[Served]:
        """Every request since the last ``forget``, oldest first; not what endpoints report, at moments of their own."""
        found = []
        for line in self.node.read(LOG).splitlines():
            match = _LINE.match(line)
            assert match, line
            path = match["path"].removeprefix("/epp/")
            conditional = {match["since"], match["match"]} != {"-"}
            one = Served(match["client"], path, int(match["status"]), int(match["size"]), conditional)
            if path.startswith(below) and match["method"] != "PUT":
                found.append(one)
        return found

    def forget(self) -> None:
        self.node.run(["truncate", "-s", "0", LOG])

    def set(self, section: str, values: dict[str, Any], *, scope: str, name: str = "") -> dict[str, Any]:
        """Set keys of a node's policy on the server."""
        asked = {"scope": scope, "name": name, "values": {section: values}}
        return dict(self.command("tree", "set", "--json", stdin=json.dumps(asked)).json())


def _result(row: dict[str, Any]) -> str:
    return f"failed: {row['reason']}" if row["result"] == "failed" else str(row["result"])
