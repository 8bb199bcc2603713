# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What other distributions call things, imitated on Debian: it is found on the host, or refused before a write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_nodes import Node
from lab_server import ComponentServer

pytestmark = pytest.mark.heavy  # what differs by family is a table that has unit tests

SYSTEMD, BARE = "n44", "b7"
DATABASES = "/var/lib/clamav"
# The user who fetches, the one who scans, clamd's file and service, as Red Hat's packages have them.
AS_RED_HAT = r"""
set -eu
systemctl stop -q 'clamav-daemon.*'
systemctl mask -q clamav-daemon.socket clamav-daemon.service
useradd --system --no-create-home clamupdate
chown clamupdate:clamupdate /var/lib/clamav
mkdir -p /etc/clamd.d
sed -e '/^LocalSocketGroup/d' -e 's/^User .*/User clamav/' /etc/clamav/clamd.conf >/etc/clamd.d/scan.conf
rm -r /etc/clamav
cat >'/etc/systemd/system/clamd@.service' <<'UNIT'
[Service]
ExecStartPre=/usr/bin/install -d -o clamav -g clamav /run/clamav
ExecStart=/usr/sbin/clamd --foreground=true --config-file=/etc/clamd.d/%i.conf
[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload
systemctl enable -q clamd@scan
"""
Databases = Callable[[int], dict[str, Path]]


def test_red_hats_layout_needs_no_settings(
    node: Callable[[str], Node], ansible: Ansible, component_server: ComponentServer, databases: Databases
) -> None:
    machine = node(SYSTEMD)
    machine.renew()
    machine.run(AS_RED_HAT)
    component_server.publish(databases(1))
    document = documents.clamav(SYSTEMD, component_server.url)
    assert ansible.converge({SYSTEMD: document}).demand()[SYSTEMD].task["errors"] == []
    machine.run(["systemctl", "start", "epp-update@manual.service"])
    assert machine.agent_status()["last"]["manual"]["result"] == "updated"
    assert machine.run(["stat", "-c", "%U", f"{DATABASES}/test.cvd"]).out.strip() == "clamupdate"
    ping = "clamdscan --config-file=/etc/clamd.d/scan.conf --ping 1"
    machine.wait(ping, seconds=30, why="clamd was started when its databases had come")
    machine.run(["systemctl", "stop", "clamd@scan"])
    stopped = machine.apply(document).json()
    assert stopped["errors"] == [
        "clamd does not run, though clamd@scan.service is enabled and there are databases: start it"
    ]
    machine.run(["systemctl", "start", "clamd@scan"])
    machine.wait(ping, seconds=30, why="clamd answers")
    assert machine.apply(document).json()["errors"] == []
    component_server.publish(databases(3))
    machine.run(["systemctl", "start", "epp-update@manual.service"])
    assert machine.agent_status()["last"]["manual"]["reason"] == "", "clamd was told, and scans"
    machine.run(["systemctl", "stop", "clamd@scan"])


def test_what_can_not_be_carried_through_is_refused_before_the_first_write(
    node: Callable[[str], Node], ansible: Ansible
) -> None:
    """As on Alpine without shadow and cronie: neither groupadd nor a cron that reads /etc/cron.d."""
    machine = node(BARE)
    machine.renew()
    machine.run("mv /usr/sbin/groupadd /root/; rm -f /usr/sbin/addgroup; mv /usr/sbin/cron /root/")
    machine.run("touch /usr/bin/busybox && ln -s /usr/bin/busybox /usr/sbin/crond")
    granted = {"privileges": {"toggle_scheduled_update": True}}
    document = documents.clamav(BARE, "http://127.0.0.1:9", user_group="lab-users", policy=granted)
    before = machine.manifest()
    for check in (True, False):
        run = ansible.converge({BARE: document}, check=check)
        assert run.code == 2
        said = run[BARE].message
        assert said.startswith("this host can't be converged, and nothing was changed: ")
        assert "the group lab-users can't be made without groupadd or addgroup" in said
        assert "its cron is busybox's, which reads no /etc/cron.d: install cronie" in said
    assert machine.manifest() == before
    machine.run("mv /root/groupadd /usr/sbin/; rm /usr/sbin/crond; mv /root/cron /usr/sbin/")
    assert ansible.converge({BARE: document}).demand()[BARE].changed
    assert machine.run(["getent", "group", "lab-users"]).code == 0
