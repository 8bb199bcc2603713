# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever else starts freshclam on a real machine is told; with a take-over it is switched off, found when it comes
back, and given back. What packages brought goes in any case."""

from __future__ import annotations

from collections.abc import Callable

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_nodes import Node, eventually

SYSTEMD, BARE = "n10", "b3"
UNITS = "/etc/systemd/system"
LOG = "/var/tmp/started"
FRESHCLAM = "/usr/local/bin/freshclam"
OWN = {
    # Found before the real one: a start with one of our words leaves a line, and is nothing else.
    FRESHCLAM: f'#!/bin/sh\ncase "$1" in -*|"") exec /usr/bin/freshclam "$@";; esac\necho "$@" >>{LOG}\n',
    "/usr/local/bin/patterns": "#!/bin/sh\nsleep 0\nexec freshclam wrapped\n",
    "/etc/cron.d/patterns": "0 0 1 1 * root freshclam cron\n",
    "/etc/cron.d/mixed": f"0 0 1 1 * root freshclam mixed; cp /dev/null {LOG}.other\n",
    "/etc/cron.daily/patterns": "#!/bin/sh\nfreshclam daily\n",
}
ON_SYSTEMD = {
    f"{UNITS}/my-freshclam.service": "[Service]\nType=oneshot\nExecStart=/usr/local/bin/patterns\n",
    f"{UNITS}/my-freshclam.timer": "[Timer]\nOnActiveSec=1h\n[Install]\nWantedBy=timers.target\n",
    f"{UNITS}/loop.service": "[Service]\nExecStart=/bin/sh -c 'while sleep 1000; do freshclam loop; done'\n"
    "[Install]\nWantedBy=multi-user.target\n",
    f"{UNITS}/each@.service": f"[Service]\nType=oneshot\nExecStart={FRESHCLAM} %i\n",
    f"{UNITS}/parent.service": "[Unit]\nWants=each@child.service\n[Service]\nType=oneshot\nExecStart=/bin/true\n",
}
ENABLED = ("my-freshclam.timer", "loop.service")
CRONTAB = "0 0 1 1 * freshclam crontab\n"
LOOKED_AT = (*OWN, *ON_SYSTEMD, "/var/spool/cron/crontabs/root", "/etc/crontab")


TOLD = ("line 1 of /etc/cron.d/mixed", "line 1 of /etc/cron.d/patterns", "/etc/cron.daily/patterns")
UNITS_TOLD = (
    f"each@.service ({UNITS}/each@.service)",
    f"loop.service ({UNITS}/loop.service)",
    f"my-freshclam.service ({UNITS}/my-freshclam.service), activated by my-freshclam.timer,",
)


def document(name: str, *, takeover: bool = True) -> documents.Document:
    return documents.clamav(name, "http://127.0.0.1:1", takeover=takeover)


@pytest.fixture
def busy(node: Callable[[str], Node], request: pytest.FixtureRequest) -> Node:
    """A fresh machine on which a dozen things start freshclam."""
    machine = node(request.param)
    machine.renew()
    for path, text in OWN.items():
        machine.write(path, text, mode="0755" if text.startswith("#!") else "0644")
    machine.run(["crontab", "-"], stdin=CRONTAB)
    if request.param == SYSTEMD:
        for path, text in ON_SYSTEMD.items():
            machine.write(path, text)
        machine.run(["systemctl", "daemon-reload"])
        machine.run(["systemctl", "enable", "--now", *ENABLED])
        # Two freshclams can't share their log: the one of the boot has to have ended.
        machine.run("systemctl stop clamav-freshclam-once.service || true; systemctl enable --now clamav-freshclam")
        machine.wait("systemctl is-active clamav-freshclam", why="the distribution's updater runs")
    return machine


@pytest.mark.heavy
@pytest.mark.parametrize("busy", [SYSTEMD], indirect=True)
def test_on_a_machine_with_systemd(busy: Node, ansible: Ansible) -> None:
    before = looks(busy)
    assert active(busy) >= {"clamav-freshclam.service", *ENABLED}
    told_alone(busy, ansible, *UNITS_TOLD)
    assert looks(busy)["files"] == before["files"]
    assert active(busy) & {"clamav-freshclam.service", *ENABLED} == set(ENABLED)
    states = busy.run(["systemctl", "is-enabled", "clamav-freshclam", *ENABLED], check=False)
    assert states.out.split() == ["disabled", "enabled", "enabled"]
    converge(busy, ansible)
    assert active(busy) & {"clamav-freshclam.service", "clamav-freshclam-once.timer", *ENABLED} == set()
    states = busy.run(["systemctl", "is-enabled", "clamav-freshclam", *ENABLED], check=False)
    assert states.out.split() == ["disabled"] * 3
    started_by_hand(busy)
    busy.run(f"rm -f {LOG}; systemctl start parent.service my-freshclam.service each@x.service loop.service")
    assert not busy.exists(LOG)
    assert "loop.service" not in active(busy)
    for again, name in {
        "systemctl enable --now my-freshclam.timer": "my-freshclam.timer",
        f"rm {UNITS}/loop.service.d/*; systemctl daemon-reload; systemctl start loop": "loop.service",
        "chmod +x /etc/cron.daily/patterns": "/etc/cron.daily/patterns",
        "sed -i 's/^#.*# //' /etc/cron.d/patterns": "/etc/cron.d/patterns",
        "crontab -r; echo '@daily freshclam' | crontab -": "/var/spool/cron/crontabs/root",
    }.items():
        busy.run(again)
        drift = busy.apply(document(SYSTEMD), "--check", "--diff").json()
        assert name in str([drift["changes"], drift["drift"]]), again
        assert busy.apply(document(SYSTEMD)).json()["changed"], again
        assert not busy.apply(document(SYSTEMD)).json()["changed"], again
    busy.run(["crontab", "-"], stdin=CRONTAB)
    busy.apply(document(SYSTEMD))
    busy.apply(document(SYSTEMD, takeover=False))
    assert looks(busy)["files"] == before["files"], "a take-over that ends gives back what it took"
    assert active(busy) & {"clamav-freshclam.service", *ENABLED} == set(ENABLED)
    assert not busy.apply(document(SYSTEMD, takeover=False)).json()["changed"]
    assert busy.apply(document(SYSTEMD)).json()["changed"]
    ansible.converge({SYSTEMD: document(SYSTEMD)}, state="absent").demand()
    assert looks(busy) == before
    assert active(busy) >= {"clamav-freshclam.service", *ENABLED}
    states = busy.run(["systemctl", "is-enabled", "clamav-freshclam", *ENABLED])
    assert states.out.split() == ["enabled"] * 3


@pytest.mark.heavy
@pytest.mark.parametrize("busy", [SYSTEMD], indirect=True)
def test_nothing_asks_the_vendor_at_the_next_boot(busy: Node, ansible: Ansible) -> None:
    """Debian 13 enables a service that asks once at each boot."""
    converge(busy, ansible)
    busy.power_off()
    busy.boot()
    busy.wait("systemctl is-system-running | grep -qE 'running|degraded'", why="the machine has booted")
    ran = busy.run("journalctl -b --no-pager -o cat -t freshclam | wc -l").out.strip()
    assert ran == "0"
    assert not [name for name in active(busy) if "freshclam" in name]


@pytest.mark.heavy
@pytest.mark.parametrize("busy", [BARE], indirect=True)
def test_on_a_machine_without_systemd(busy: Node, ansible: Ansible) -> None:
    before = looks(busy)
    told_alone(busy, ansible)
    assert looks(busy)["files"] == before["files"]
    converge(busy, ansible)
    started_by_hand(busy)
    busy.run(["chmod", "+x", "/etc/cron.daily/patterns"])
    assert "/etc/cron.daily/patterns" in str(busy.apply(document(BARE), "--check").json()["changes"])
    busy.apply(document(BARE))
    ansible.converge({BARE: document(BARE)}, state="absent").demand()
    assert looks(busy) == before


def told_alone(node: Node, ansible: Ansible, *units: str) -> None:
    """Without a take-over a warning names everything, in check mode and in a live run, and nothing of it changes."""
    wanted = {node.name: document(node.name, takeover=False)}
    line = node.run("grep -n freshclam /var/spool/cron/crontabs/root").out.partition(":")[0]
    places = (*units, *TOLD, f"line {line} of /var/spool/cron/crontabs/root")
    told = sorted(f"{place} starts freshclam" for place in places)
    for run in (ansible.converge(wanted, check=True), ansible.converge(wanted), ansible.converge(wanted)):
        host = run.demand()[node.name]
        assert sorted(host.task["other_updaters"]) == told
        (warning,) = (one for one in host.task["warnings"] if "by what somebody wrote" in one)
        assert all(one in warning for one in told)
    assert not host.changed


def converge(node: Node, ansible: Ansible) -> None:
    foretold = ansible.converge({node.name: document(node.name)}, check=True).demand()[node.name]
    done = ansible.converge({node.name: document(node.name)}).demand()[node.name]
    assert (foretold.task["changes"], foretold.task["drift"]) == (done.task["changes"], done.task["drift"])

    def settled() -> bool:
        assert not ansible.converge({node.name: document(node.name)}).demand()[node.name].changed
        return node.exists("/var/lib/epp-autoupdate/converge-fingerprint")

    eventually(settled, seconds=60, why="whatever was looked at can be asked again in no time")


def started_by_hand(node: Node) -> None:
    """What cron and run-parts would do in their own time."""
    assert "/patterns" not in node.run("run-parts --test /etc/cron.daily").out
    for table in ("/etc/cron.d/patterns", "/var/spool/cron/crontabs/root"):
        assert node.run(f"grep -v '^#' {table} | grep freshclam", check=False).code == 1
    node.run(f"rm -f {LOG} {LOG}.other; sed -n 's/^[0-9* ]* root //p' /etc/cron.d/mixed | sh")
    assert not node.exists(LOG)
    assert node.exists(f"{LOG}.other"), "what stands beside the updater goes on"


def active(node: Node) -> set[str]:
    shown = node.run("systemctl list-units --no-legend --plain --state=active,activating --type=service,timer")
    return {line.split()[0] for line in shown.out.splitlines()}


def looks(node: Node) -> dict[str, str]:
    """Every path that was switched off, with its owner, mode and content; and all links by which units start."""
    # A user's crontab tells in a comment when it was installed.
    kept = "for path in {}; do stat -c '%n %U:%G %a' $path; grep -v '^# ' $path; done 2>/dev/null"
    script = kept.format(" ".join(LOOKED_AT))
    links = f"find {UNITS} -mindepth 1 \\( -type l -printf '%p %l\\n' \\) -o \\( -type d -print \\) | sort"
    return {"files": node.run(script, check=False).out, "links": node.run(links).out}
