# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real Prometheus scrapes a fleet: rules, alarms, and every query of the dashboard (R6, R7)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_nodes import Node, eventually
from lab_update_server import UpdateServer

pytestmark = pytest.mark.heavy  # promtool proves the rules each day without a fleet

SERVER, FLEET = "n61", ("n62", "n63")
TEXTFILES = "/var/lib/prometheus/node-exporter"
WRITTEN = f"{TEXTFILES}/epp_autoupdate_server.prom"
API = "http://127.0.0.1:9090/api/v1"
HERE = Path(__file__).parent
OF_COLLECTION = HERE.parents[1] / "roles/server/files/prometheus"
RULES, DASHBOARD = OF_COLLECTION / "epp_autoupdate.rules.yml", OF_COLLECTION / "epp_autoupdate_dashboard.json"
ALERTS = HERE.parent / "unit/project/prometheus/alerts.yml"
# Panels that have nothing to show in this fleet, and why.
EMPTY = {
    "Findings of the last scan": "the product files does not scan",
    "Since the last scan": "the product files does not scan",
}
PARSE = """
import sys
from prometheus_client.parser import text_string_to_metric_families as families

text = open(sys.argv[1]).read()
print(sum(1 for _family in families(text)), text.count("# TYPE "))
"""


class World:
    """An update server with Prometheus beside it, and two endpoints of which one is scraped as well."""

    def __init__(self, node: Callable[[str], Node], ansible: Ansible) -> None:
        self.server = UpdateServer(node(SERVER))
        self.nodes = {name: node(name) for name in FLEET}
        self._ansible = ansible

    @property
    def machine(self) -> Node:
        return self.server.node

    def site(self) -> None:
        self._ansible.site(self._inventory()).demand()

    def with_exporter(self) -> None:
        """Debian's node_exporter with the directory that its package makes."""
        for machine in (self.machine, self.nodes[FLEET[0]]):
            machine.run("test -e /var/lib/prometheus || cp -a /usr/share/lab-prometheus /var/lib/prometheus")
            machine.run(["systemctl", "start", "prometheus-node-exporter"])

    def prometheus(self) -> None:
        """On the server's machine, on loopback, with a directory of its own; it goes with the machine."""
        targets = [f"{one.machine.address}:9100" for one in (self.machine, self.nodes[FLEET[0]])]
        seconds = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        scrape = [{"job_name": "node", "static_configs": [{"targets": targets}]}]
        settings = {"global": seconds, "rule_files": [f"/srv/prometheus/{RULES.name}"], "scrape_configs": scrape}
        self.machine.run("mkdir -p /srv/prometheus")
        self.machine.write("/srv/prometheus/prometheus.yml", json.dumps(settings))
        self.machine.write(f"/srv/prometheus/{RULES.name}", RULES.read_text())
        self.machine.write(f"/srv/prometheus/{ALERTS.name}", ALERTS.read_text())
        options = ["--config.file=/srv/prometheus/prometheus.yml", "--storage.tsdb.path=/srv/prometheus/data"]
        program = ["prometheus", *options, "--web.listen-address=127.0.0.1:9090"]
        self.machine.run(["systemd-run", "-q", "--unit=lab-prometheus", *program])
        self.machine.wait(f"curl -sf -o /dev/null {API}/status/runtimeinfo", why="Prometheus answers")

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What Prometheus answers to a query at this moment."""
        argv = ["curl", "-sS", "-G", "--data-urlencode", f"query={expression}", f"{API}/query"]
        answer = self.machine.run(argv).json()
        assert answer["status"] == "success", (expression, answer)
        return list(answer["data"]["result"])

    def renew(self) -> None:
        """The server writes its metrics, and Prometheus has them, or those that the timer wrote since."""
        self.machine.run(["systemctl", "start", "epp-server-metrics.service"])
        line = "epp_autoupdate_server_metrics_timestamp_seconds "
        (written,) = re.findall(rf"^{line}(\d+)$", self.machine.read(WRITTEN), re.MULTILINE)

        def scraped() -> bool:
            return any(int(one["value"][1]) >= int(written) for one in self.query(line.strip()))

        eventually(scraped, seconds=30, why="the metrics are scraped")

    def state(self, name: str) -> str:
        told = self.server.command("endpoints", "--json").json()
        return next(str(one["state"]) for one in told if one["name"] == name)

    def _inventory(self) -> dict[str, dict[str, Any]]:
        events = {"update_on_reconnect": False, "update_after_download": False}
        policy = {"events": events, "schedule": documents.quiet("x")["policy"]["schedule"]}
        own = {
            "autoupdate_server_components": {"files": {"directory": "/srv/rules"}},
            "autoupdate_server_fetch": {"every": "1d"},
            "autoupdate_server_alarms": {"component_age": {"files": "30d"}},
            "autoupdate_server_metrics": {"endpoints": 10},
        }
        endpoint = {"autoupdate_product": "files", "autoupdate_policy": policy}
        return {self.server.name: self.server.variables(**own), **dict.fromkeys(FLEET, endpoint)}


@pytest.fixture(scope="module")
def world(node: Callable[[str], Node], ansible: Ansible) -> World:
    """One endpoint is current, the other lacks what was published last."""
    made = World(node, ansible)
    made.with_exporter()
    made.machine.run("mkdir -p /srv/rules && echo 1 >/srv/rules/a.yar")
    made.site()
    made.server.command("fetch", check=False)
    for one in made.nodes.values():
        one.agent_run("manual", check=True)
    made.machine.run("echo 2 >/srv/rules/a.yar")
    assert made.server.fetch()["result"] == "updated"
    made.nodes[FLEET[0]].agent_run("manual", check=True)
    for name, state in zip(FLEET, ("current", "behind")):
        reached = partial(lambda name, state: made.state(name) == state, name, state)
        eventually(reached, seconds=60, why=f"{name} is {state}")
    made.prometheus()
    made.renew()
    return made


def test_the_link_leads_to_what_the_servers_user_writes(world: World) -> None:
    assert (
        world.machine.run(["readlink", WRITTEN]).out.strip()
        == "/var/lib/epp-autoupdate-metrics/epp_autoupdate_server.prom"
    )
    assert world.machine.run(["stat", "-L", "-c", "%U %a", WRITTEN]).out.split() == ["epp-server", "644"]
    errors = world.query("sum(node_textfile_scrape_error)")
    assert [one["value"][1] for one in errors] == ["0"]
    states = {one["metric"]["state"]: one["value"][1] for one in world.query("epp_autoupdate_server_endpoints > 0")}
    assert states == {"current": "1", "behind": "1"}
    (named,) = world.query("epp_autoupdate_server_endpoint_state")
    assert (named["metric"]["endpoint"], named["metric"]["state"]) == (FLEET[1], "behind")


@pytest.mark.parametrize("name", [SERVER, FLEET[0]])
def test_promtool_and_the_official_parser_take_the_text(world: World, name: str) -> None:
    machine = world.machine if name == SERVER else world.nodes[name]
    path = WRITTEN if name == SERVER else f"{TEXTFILES}/epp_autoupdate.prom"
    done = machine.run(f"promtool check metrics <{path}", check=False)
    assert (done.code, done.out + done.err) == (0, "")
    families, types = machine.run(["python3", "-c", PARSE, path]).out.split()
    assert families == types != "0"


def test_promtool_proves_the_rules(world: World) -> None:
    done = world.machine.run(["promtool", "test", "rules", f"/srv/prometheus/{ALERTS.name}"], check=False)
    assert (done.code, "SUCCESS" in done.out) == (0, True), done.out + done.err


def test_prometheus_has_loaded_every_rule(world: World) -> None:
    def rules() -> list[dict[str, Any]]:
        groups = world.machine.run(["curl", "-sS", f"{API}/rules"]).json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    eventually(lambda: {rule["health"] for rule in rules()} == {"ok"}, seconds=30, why="each rule was evaluated")
    assert len(rules()) == RULES.read_text().count("- alert: ")


def panels() -> Iterator[tuple[str, str, bool]]:
    """Of each query of the dashboard: the title of its panel, the query, and whether the panel says it may be empty."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"], "Empty" in panel.get("description", "")


def test_each_query_of_the_dashboard_has_data(world: World) -> None:
    asked = list(panels())
    assert len(asked) > 30
    wrong = []
    for title, expression, may_be_empty in asked:
        found = world.query(expression.replace("$instance", ".*"))
        if bool(found) is (title in EMPTY) or (title in EMPTY and not may_be_empty):
            wrong.append((title, expression, found))
        wrong += [(title, expression, found) for one in found if one["value"][1] == "NaN"]
    assert wrong == []


def test_the_alarms_of_the_server_are_the_alerts_of_prometheus(world: World) -> None:
    def told() -> set[str]:
        found = world.server.command("health", "--json", check=False).json()["alarms"]
        return {f"{one['name']} {one['subject']}".strip() for one in found}

    def firing() -> set[str]:
        alerts = world.query('ALERTS{alertstate="firing", service="epp-autoupdate"}')
        labels = [one["metric"] for one in alerts]
        return {f"{one.get('alarm')} {one.get('product') or one.get('document') or ''}".strip() for one in labels}

    assert told() == set()
    eventually(lambda: firing() == set(), seconds=30, why="nothing fires")
    world.machine.run("mv /srv/rules /srv/rules.away")
    assert world.server.fetch()["result"] == "failed"
    world.nodes[FLEET[1]].run("echo '# by hand' >>/etc/systemd/system/epp-update.timer")
    world.nodes[FLEET[1]].agent("report")
    eventually(lambda: told() == {"fetch files", "failing"}, seconds=60, why="the server raises both alarms")
    world.renew()
    eventually(lambda: firing() == told(), seconds=30, why="Prometheus raises the same")
    world.machine.run("mv /srv/rules.away /srv/rules")
    world.server.command("fetch", check=False)
    world.site()
    eventually(lambda: told() == set(), seconds=60, why="the alarms are over")
    world.renew()
    eventually(lambda: firing() == set(), seconds=30, why="the alerts are over")


def test_absent_takes_the_link_and_the_metrics(world: World, ansible: Ansible) -> None:
    gone = {world.server.name: world.server.variables(autoupdate_server_state="absent")}
    ansible.site(gone).demand()
    assert not world.machine.exists(WRITTEN)
    assert (
        world.machine.run(
            "ls -d /var/lib/epp-autoupdate-metrics; ls /var/lib/prometheus/node-exporter", check=False
        ).out
        == ""
    )
