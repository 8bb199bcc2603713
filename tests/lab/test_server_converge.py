# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The update server on a real machine: the role, its jobs under real systemd, its files from real nginx."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lab_ansible import Ansible, Run
from lab_certificates import Authority
from lab_nodes import OWN_NOISE, Node, differences

SYSTEMD = "n15"
Nodes = Callable[[str], Node]
PUBLIC = "/var/lib/epp-autoupdate-public"
NGINX = "/etc/nginx/conf.d/epp-autoupdate.conf"
REPORTS = "/var/lib/epp-autoupdate-reports"
TIMERS = [f"epp-server-{name}.timer" for name in ("fetch", "ingest", "metrics", "notify", "publish")]
STARTED = [*TIMERS, "epp-server-ingest.path"]
EXPOSURE = {
    "epp-server-fetch.service": 1.6,
    "epp-server-ingest.service": 0.7,
    "epp-server-metrics.service": 0.7,
    "epp-server-notify.service": 1.5,
    "epp-server-publish.service": 0.7,
}
# What programs of others write where they run: the package manager, the web server, pip.
NOISE = (*OWN_NOISE, "/var/cache/apt", "/var/lib/nginx", "/root/.cache", "/var/lib/clamav")


@dataclass(frozen=True)
class Server:
    """The machine that becomes an update server, and the role that makes it one."""

    node: Node
    ansible: Ansible
    variables: dict[str, Any]

    @property
    def url(self) -> str:
        return f"http://{self.node.machine.address}"

    def role(self, *, check: bool = False, diff: bool = False, **changes: Any) -> Run:
        """Run the role; ``changes`` are variables without their prefix."""
        task = {"name": "Role", "ansible.builtin.include_role": {"name": "epp.autoupdate.server"}}
        return self.ansible.play([task], {SYSTEMD: self.named(**changes)}, check, diff)

    def compare(self) -> Run:
        """What the playbook check does with a server."""
        role = {"name": "epp.autoupdate.server", "tasks_from": "compare.yml"}
        tasks = [
            {"name": "Compare", "ansible.builtin.include_role": role},
            {"name": "Refuse drift", "epp.autoupdate.drift": {"compared": ["__server_compared"]}},
        ]
        return self.ansible.play(tasks, {SYSTEMD: self.named()})

    def named(self, **changes: Any) -> dict[str, Any]:
        """The inventory's variables; ``changes`` are some without their prefix."""
        variables = {**self.variables, "url": self.url, **changes}
        return {f"autoupdate_server_{name}": value for name, value in variables.items()}

    def task(self, run: Run) -> dict[str, Any]:
        """The result of the module."""
        results = [line["result"] for line in run[SYSTEMD].results if line["action"] == "epp.autoupdate.server"]
        return dict(results[-1])

    def changed(self, run: Run) -> list[str]:
        return [line["task"] for line in run[SYSTEMD].results if line["result"].get("changed")]

    def get(self, path: str, *options: str, url: str = "") -> tuple[int, dict[str, str]]:
        """Status and headers of what nginx answers, the body thrown away."""
        argv = ["curl", "-sS", "-o", "/dev/null", "-D", "-", *options, f"{url or self.url}/{path}"]
        lines = self.node.run(argv).out.replace("\r", "").split("\n")
        pairs = (line.partition(": ") for line in lines[1:] if ": " in line)
        return int(lines[0].split()[1]), {name.lower(): value for name, _colon, value in pairs}


@pytest.fixture(scope="module")
def fresh(node: Nodes, ansible: Ansible, wheelhouse: str) -> tuple[Server, dict[str, str]]:
    """The machine before anything, and what its disk held then."""
    machine = node(SYSTEMD)
    machine.run("mkdir -p /srv/components/patterns && echo one >/srv/components/patterns/a.dat")
    variables = {
        "components": {"files": {"directory": "/srv/components"}, "clamav": {}},
        "notify": {"max_in_flight": 2},
        "fetch": {"every": "15m"},
        "cvdupdate_pip_arguments": wheelhouse,
    }
    return Server(machine, ansible, variables), machine.manifest(but=NOISE)


@pytest.fixture(scope="module")
def server(fresh: tuple[Server, dict[str, str]]) -> Server:
    """The update server, converged by its role."""
    fresh[0].role().demand()
    return fresh[0]


def test_check_mode_on_a_fresh_machine_writes_nothing(fresh: tuple[Server, dict[str, str]]) -> None:
    one, before = fresh
    run = one.role(check=True, diff=True).demand()
    assert run[SYSTEMD].changed
    assert differences(before, one.node.manifest(but=NOISE)) == {}
    assert one.task(run)["drift"][0] == "user epp-server is made"
    assert one.task(run)["enrollment"] is None


def test_the_second_run_changes_nothing(server: Server) -> None:
    run = server.role(diff=True).demand()
    assert server.changed(run) == []
    assert server.changed(server.role(check=True).demand()) == []
    enrollment = server.task(run)["enrollment"]
    assert (enrollment["url"], enrollment["notify_user"]) == (server.url, "epp-notify")
    assert json.loads(server.node.run(["epp-server", "enrollment"]).out) == enrollment
    assert server.node.exists("/opt/epp-autoupdate/cvdupdate/bin/cvd")


@pytest.mark.heavy
def test_cvdupdate_is_what_the_lock_file_has_and_follows_it(server: Server) -> None:
    """By version and hash, of wheels alone; one that came from another lock file is replaced."""
    place = "/opt/epp-autoupdate/cvdupdate"
    frozen = server.node.run([f"{place}/bin/pip", "freeze", "--all"]).out.splitlines()
    lock = server.node.read(f"{place}/lock.txt")
    of_python = ("pip==", "setuptools==", "pkg-resources==0.0.0")  # what a new environment has, the last on Debian 11
    installed = [line for line in frozen if not line.startswith(of_python)]
    assert [line for line in installed if line.lower() not in lock.lower()] == []
    server.node.run(f"{place}/bin/pip uninstall -q -y requests && echo >>{place}/lock.txt")
    foretold = server.role(check=True).demand()
    assert server.changed(foretold) != []
    _index, _links, links, _trusted, trusted = server.variables["cvdupdate_pip_arguments"].split()
    # A configuration file of pip, which may have a password in it, does what arguments do.
    server.node.write(
        "/etc/lab-pip.conf", f"[global]\nno-index = true\nfind-links = {links}\ntrusted-host = {trusted}\n"
    )
    server.role(cvdupdate_pip_arguments="", cvdupdate_pip_config="/etc/lab-pip.conf").demand()
    server.node.run("rm /etc/lab-pip.conf")
    assert server.node.read(f"{place}/lock.txt") == lock
    assert server.node.run([f"{place}/bin/pip", "freeze", "--all"]).out.splitlines() == frozen
    assert server.changed(server.role().demand()) == []


def test_everything_is_the_users_but_for_program_and_settings(server: Server) -> None:
    """Root that asks the server something leaves no file that the server itself could not write."""
    assert json.loads(server.node.run(["epp-server", "status", "--json"]).out)
    server.node.run(["epp-server", "publish"])
    strangers = f"find /var/lib/epp-autoupdate-server {PUBLIC} -not -user epp-server -o -not -group epp-server"
    assert server.node.run(strangers).out == ""
    modes = "stat -c '%a %U:%G' /etc/epp-autoupdate/server.json /var/lib/epp-autoupdate-server " + PUBLIC
    assert server.node.run(modes).out.splitlines() == [
        "640 root:epp-server",
        "750 epp-server:epp-server",
        "755 epp-server:epp-server",
    ]
    assert server.node.run(["cat", "/etc/epp-autoupdate/server.json"], user="alice", check=False).code != 0
    assert "nologin" in server.node.run(["getent", "passwd", "epp-server"]).out


def test_the_timers_wait_and_each_service_does_its_work_shut_in(server: Server) -> None:
    listed = server.node.run(["systemctl", "list-timers", "--no-legend", "epp-server-*"]).out
    assert all(name in listed for name in TIMERS)
    assert server.node.run(["systemctl", "is-enabled", *STARTED]).out.split() == ["enabled"] * len(STARTED)
    for unit, limit in EXPOSURE.items():
        told = server.node.run(["systemd-analyze", "security", "--no-pager", unit], check=False).out
        exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
        assert exposure is not None, told
        assert float(exposure[1]) <= limit, (unit, exposure[1])
    for unit in ("epp-server-publish.service", "epp-server-notify.service"):
        server.node.run(["systemctl", "start", unit])
    assert "paramiko is not installed" not in server.node.journal(unit="epp-server-notify.service")


def test_a_fetch_publishes_the_files_and_its_end_starts_the_notices(server: Server) -> None:
    """The mirror can't be reached, so the unit fails for it; the other product is published and announced."""
    server.node.run("echo two >/srv/components/patterns/a.dat")
    server.node.run(["systemctl", "start", "epp-server-fetch.service"], check=False)
    journal = server.node.journal(unit="epp-server-fetch.service")
    assert "fetch files: updated" in journal, journal
    assert re.search("fetch clamav: (failed|unreachable)", journal), journal
    fetches = re.findall(r"\[(\d+)\]: fetch files: updated", journal)
    assert len(fetches) == len(set(fetches)), "each is told once"
    assert server.node.exists(f"{PUBLIC}/components/files/manifest.json")
    campaigns = json.loads(server.node.run(["epp-server", "campaigns", "--json"]).out)
    assert {campaign["product"] for campaign in campaigns} == {"files"}
    version = int(server.node.run(["systemctl", "--version"]).out.split()[1])
    trigger = server.node.run(["systemctl", "show", "--value", "-p", "OnSuccess", "epp-server-fetch.service"])
    # systemd knows OnSuccess= from 249 on; before, the timer of the notices starts them within a minute.
    assert trigger.out.split() == (["epp-server-notify.service"] if version >= 249 else [])
    assert server.node.run(["epp-server", "verify"]).code == 0


def test_nginx_answers_as_mirrors_must(server: Server) -> None:
    """FRESHCLAM.md: 404 for what is absent, ranges, never 403; a 304 for what is unchanged."""
    machine = server.node
    machine.run(["install", "-m", "600", "-o", "epp-server", "/dev/null", f"{PUBLIC}/components/private"])
    machine.run(["ln", "-sfn", "/etc/passwd", f"{PUBLIC}/components/link"])
    absent = (
        "components/x.cdiff",
        "components/",
        "components",
        "",
        "components/private",
        "components/link",
        "../etc/passwd",
    )
    assert {path: server.get(path, "--path-as-is")[0] for path in absent[:-1]} == dict.fromkeys(absent[:-1], 404)
    assert server.get(absent[-1], "--path-as-is")[0] == 400
    machine.run(["rm", f"{PUBLIC}/components/private", f"{PUBLIC}/components/link"])
    tree = "configuration/tree.json"
    status, headers = server.get(tree)
    assert (status, headers["cache-control"]) == (200, "no-cache")
    assert "retry-after" not in headers
    assert server.get(tree, "-H", f"If-None-Match: {headers['etag']}")[0] == 304
    assert server.get(tree, "-H", f"If-Modified-Since: {headers['last-modified']}")[0] == 304
    assert server.get(tree, "-H", "Accept-Encoding: gzip")[1]["etag"] == headers["etag"]
    status, part = server.get(tree, "-r", "0-9")
    assert (status, part["content-length"], part["etag"]) == (206, "10", headers["etag"])
    thing = machine.run(f"cd {PUBLIC} && find components/files/objects -type f | head -n 1").out.strip()
    assert "immutable" in server.get(thing)[1]["cache-control"]
    assert server.get("", "-H", "Host: another.example.com")[0] == 200, "the distribution's own site"
    assert "range=" in machine.read("/var/log/nginx/epp-autoupdate.log")


def test_beyond_the_cap_there_is_503_and_when_to_come_back(server: Server) -> None:
    """N3, with downloads that are really under way."""
    machine = server.node
    machine.run(["truncate", "-s", "80M", f"{PUBLIC}/components/big"])
    slow = f"curl -s --limit-rate 10k -o /dev/null {server.url}/components/big"
    machine.run(f"for one in 1 2; do setsid {slow} </dev/null >/dev/null 2>&1 & echo $! >>/run/lab-slow; done")
    machine.wait(f"[ $(curl -s -o /dev/null -w '%{{http_code}}' {server.url}/configuration/tree.json) = 503 ]")
    status, headers = server.get("configuration/tree.json")
    machine.run("kill $(cat /run/lab-slow); rm /run/lab-slow " + f"{PUBLIC}/components/big")
    assert (status, headers["retry-after"]) == (503, "30")
    machine.wait(f"[ $(curl -s -o /dev/null -w '%{{http_code}}' {server.url}/configuration/tree.json) = 200 ]")


def test_hand_edits_of_files_modes_and_timers_are_found_and_mended(server: Server) -> None:
    machine = server.node
    machine.run(
        f"echo '# by hand' >>{NGINX}; chmod 0666 /etc/epp-autoupdate/server.json; chown root {PUBLIC}; "
        f"chmod 0755 {REPORTS}/inbox; rm -r {REPORTS}/places; "
        "systemctl stop epp-server-notify.timer epp-server-ingest.path; "
        "rm /etc/systemd/system/epp-server-publish.service; "
        "echo x >>/usr/local/bin/epp-server"
    )
    run = server.role(install=False).demand()
    task = server.task(run)
    assert {change["path"] for change in task["changes"]} == {
        "/usr/local/bin/epp-server",
        "/etc/epp-autoupdate/server.json",
        PUBLIC,
        f"{REPORTS}/places",
        f"{REPORTS}/inbox",
        NGINX,
        "/etc/systemd/system/epp-server-publish.service",
    }
    assert {"epp-server-notify.timer is not active", "epp-server-ingest.path is not active"} <= set(task["drift"])
    again = machine.run("epp-server apply </etc/epp-autoupdate/server.json").json()
    assert again["changed"] is False, again
    assert machine.run(["systemctl", "is-active", *STARTED]).out.split() == ["active"] * len(STARTED)


def test_what_nginx_refuses_is_taken_back(server: Server) -> None:
    before = server.node.read(NGINX)
    run = server.role(install=False, listen=["nonsense:port"])
    assert run.code != 0
    assert "nonsense:port" in run[SYSTEMD].message
    assert server.node.read(NGINX) == before
    assert server.node.exists(f"{REPORTS}/inbox")
    assert server.node.run("ls /etc/nginx/conf.d").out.split() == ["epp-autoupdate.conf"]
    assert server.get("configuration/tree.json")[0] == 200


def test_check_compares_a_server_with_nginx_and_tells_each_drift(server: Server) -> None:
    machine = server.node
    assert server.compare().code == 0
    machine.run(f"echo '# by hand' >>{NGINX}; systemctl disable --now nginx")
    run = server.compare()
    machine.run(["systemctl", "start", "nginx"])
    assert run.code != 0
    said = [line for line in run.output.splitlines() if line.startswith(f"{SYSTEMD}: ")]
    assert said == [
        f"{SYSTEMD}: web server {NGINX}: differs",
        f"{SYSTEMD}: running state: nginx does not run",
        f"{SYSTEMD}: running state: nginx does not start at boot",
    ]
    assert "-# by hand" in run.output
    server.role(install=False).demand()
    assert machine.run(["systemctl", "is-enabled", "nginx"]).out.strip() == "enabled"
    assert server.compare().code == 0


def test_what_the_host_lacks_is_named_before_anything_is_changed(server: Server) -> None:
    machine = server.node
    but = (*NOISE, "/var/lib/epp-autoupdate-server", "/usr/sbin/nginx")
    before = machine.manifest(but=but)
    machine.run("mv /usr/sbin/nginx /usr/sbin/nginx.away")
    try:
        run = server.role(install=False, fetch={"every": "20m"})
        checked = server.compare()
    finally:
        machine.run("mv /usr/sbin/nginx.away /usr/sbin/nginx")
    assert run.code != 0
    assert "this host lacks nginx" in run[SYSTEMD].message
    assert f"{SYSTEMD}: requirement: nginx is missing" in checked.output
    assert differences(before, machine.manifest(but=but)) == {}


@pytest.mark.heavy
def test_a_wrong_url_is_refused_before_anything_is_changed_and_a_long_host_is_none(server: Server) -> None:
    host = f"{'u' * 40}.{'v' * 38}.example.com"
    before = server.node.read("/etc/epp-autoupdate/server.json")
    run = server.role(install=False, url=f"http://{host}")
    assert run.code != 0
    assert "web.url" in run[SYSTEMD].message
    assert "verify_url" in run[SYSTEMD].message
    assert server.node.read("/etc/epp-autoupdate/server.json") == before
    server.node.run(f"cp -a /etc/hosts /run/hosts && echo {server.node.machine.address} {host} >>/etc/hosts")
    server.role(install=False, url=f"http://{host}").demand()
    assert server.get("configuration/tree.json", url=f"http://{host}")[0] == 200
    server.node.run(["mv", "/run/hosts", "/etc/hosts"])
    elsewhere = server.role(install=False, url="http://127.0.0.1:9", listen=["8088"])
    assert "does not lead to this server" in elsewhere[SYSTEMD].message
    server.role(install=False).demand()
    assert server.changed(server.role(install=False).demand()) == []


def test_bad_settings_are_refused_with_every_path_and_touch_nothing(server: Server) -> None:
    before = server.node.manifest(but=(*NOISE, "/var/lib/epp-autoupdate-server"))
    run = server.role(url="ftp://a", fetch={"every": "1s"}, notify={"max_in_flight": 0})
    assert run.code != 0
    named = ("autoupdate_server_url", "autoupdate_server_fetch.every", "autoupdate_server_notify.max_in_flight")
    assert all(name in run[SYSTEMD].message for name in named)
    assert differences(before, server.node.manifest(but=(*NOISE, "/var/lib/epp-autoupdate-server"))) == {}
    https = server.role(url="https://updates.example.com")
    assert "autoupdate_server_tls_certificate" in https[SYSTEMD].message


def test_with_a_certificate_it_speaks_tls_alone_below_a_path(server: Server, tmp_path: Path) -> None:
    machine, authority = server.node, Authority(tmp_path)
    certificate, key = authority.issue(machine.machine.address)
    machine.write("/etc/lab.crt", certificate.read_text())
    machine.write("/etc/lab.key", key.read_text(), mode="0600")
    machine.write("/etc/lab-authority.crt", authority.certificate.read_text())
    url = f"https://{machine.machine.address}:8443/epp"
    tls = {"url": url, "tls_certificate": "/etc/lab.crt", "tls_key": "/etc/lab.key"}
    server.role(install=False, **tls).demand()
    trusted = ("--cacert", "/etc/lab-authority.crt")
    assert server.get("configuration/tree.json", *trusted, url=url)[0] == 200
    assert server.get("configuration/tree.json", *trusted, url=url.removesuffix("/epp"))[0] == 404
    assert server.get("configuration/tree.json")[0] == 404, "only the distribution's own site is left on port 80"
    machine.run(["rm", "/etc/lab.crt", "/etc/lab.key", "/etc/lab-authority.crt"])


def test_absent_leaves_nothing(server: Server, fresh: tuple[Server, dict[str, str]]) -> None:
    machine = server.node
    machine.run(
        "rm -rf /srv/components/* && mkdir -p /srv/components/patterns && echo one >/srv/components/patterns/a.dat"
    )
    server.role(state="absent").demand()
    left = "find / -xdev \\( -name '*epp-*' -o -name '*epp_*' \\) -not -path '/proc/*' -not -path '/srv/*' | sort"
    assert machine.run(left).out == ""
    assert machine.run(["getent", "passwd", "epp-server"], check=False).code == 2
    assert machine.run(["getent", "group", "epp-server"], check=False).code == 2
    units = ["systemctl", "list-units", "--all", "--no-legend", "--plain", "epp-*"]
    assert machine.run(units).out == ""
    assert server.get("configuration/tree.json")[0] == 404
    accounts = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid", "/srv")
    before, after = (
        {path: facts for path, facts in found.items() if not path.startswith(accounts)}
        for found in (fresh[1], machine.manifest(but=NOISE))
    )
    left = {path for path in differences(before, after) if "nginx" not in path}
    assert left == set(), "more than that nginx is on at boot"
