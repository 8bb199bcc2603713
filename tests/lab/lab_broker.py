# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real mosquitto on a machine of its own: TLS, a user for each side, and rules of who may read and write (L3)."""

from __future__ import annotations

import base64
from pathlib import Path

import lab_archives
from lab_certificates import Authority
from lab_nodes import Node, eventually
from lab_server import ComponentServer

PORT = 8883
CA = "/etc/epp-broker-ca.pem"
PASSWORD = "/etc/epp-broker-password"
SERVER_USER = "epp-server"
LOG = "/var/log/mosquitto/mosquitto.log"
CONFIGURATION = f"""
per_listener_settings false
listener {PORT}
certfile /etc/mosquitto/broker.crt
keyfile /etc/mosquitto/broker.key
allow_anonymous false
use_username_as_clientid true
password_file /etc/mosquitto/passwords
acl_file /etc/mosquitto/acl
persistence false
log_dest file {LOG}
log_type all
"""
RULES = f"""
user {SERVER_USER}
topic write epp/#
pattern read epp/fleet
pattern read epp/ring/command/pilot
pattern read epp/endpoint/%u
"""


class Packages:
    """Debian's packages for machines that reach no mirror, from a web server of the lab."""

    def __init__(self, server: ComponentServer) -> None:
        self._server = server

    def install(self, node: Node, *names: str) -> None:
        found = lab_archives.packages(*names)
        self._server.publish(found)
        fetched = " ".join(f"-O {self._server.url}/{name}" for name in found)
        node.run(f"mkdir /var/tmp/debs && cd /var/tmp/debs && curl -fsS {fetched}")
        node.run("DEBIAN_FRONTEND=noninteractive apt-get -q -y install /var/tmp/debs/*.deb && rm -r /var/tmp/debs")


class Broker:
    """The broker, and what its log tells."""

    def __init__(self, node: Node, directory: Path) -> None:
        self.node = node
        self.address = node.machine.address
        self._authority = Authority(directory)

    def set_up(self, packages: Packages, users: dict[str, str]) -> None:
        """Install and start it; ``users`` have passwords."""
        packages.install(self.node, "mosquitto", "mosquitto-clients")
        certificate, key = self._authority.issue(self.address)
        self.node.write("/etc/mosquitto/broker.crt", certificate.read_text())
        self.node.write("/etc/mosquitto/broker.key", key.read_text(), mode="0640", owner="mosquitto")
        self.node.write("/etc/mosquitto/conf.d/lab.conf", CONFIGURATION)
        self.node.run("sed -i '/^persistence\\|^log_dest/d' /etc/mosquitto/mosquitto.conf")
        self.node.write("/etc/mosquitto/acl", RULES, mode="0640", owner="mosquitto")
        self.node.run("touch /etc/mosquitto/passwords && chown mosquitto /etc/mosquitto/passwords")
        for user, password in users.items():
            self.node.run(["mosquitto_passwd", "-b", "/etc/mosquitto/passwords", user, password])
        # A test kills it more often than systemd starts a service in ten seconds.
        drop_in = "/etc/systemd/system/mosquitto.service.d"
        self.node.run(["mkdir", "-p", drop_in])
        self.node.write(f"{drop_in}/lab.conf", "[Unit]\nStartLimitIntervalSec=0\n")
        start = "systemctl daemon-reload && systemctl restart mosquitto"
        self.node.run(f"chown mosquitto /etc/mosquitto/passwords && {start}")
        self.admit(self.node)

    def admit(self, node: Node, password: str = "", owner: str = "root") -> None:
        """What a machine needs to come in."""
        node.write(CA, self._authority.certificate.read_text())
        if password:
            node.write(PASSWORD, f"{password}\n", mode="0600", owner=owner)

    def publish(self, user: str, password: str, topic: str, content: bytes) -> None:
        """Publish as a user, from the broker's own machine; what a broker takes it may still not pass on."""
        self.node.run("base64 -d >/var/tmp/message", stdin=base64.b64encode(content).decode())
        way = ["-h", self.address, "-p", str(PORT), "--cafile", CA, "-u", user, "-P", password, "-q", "1"]
        self.node.run(["mosquitto_pub", *way, "-t", topic, "-f", "/var/tmp/message"])

    def published(self, topic: str) -> int:
        """How many messages at a topic the update server has published since the last ``forget``."""
        lines = self.node.read(LOG).splitlines()
        return sum(f"Received PUBLISH from {SERVER_USER}" in line and f"'{topic}'" in line for line in lines)

    def wait_for(self, words: str) -> None:
        """Until the log says it after the last ``forget``."""
        eventually(lambda: words in self.node.read(LOG), seconds=30, why=words)

    def log(self) -> str:
        return "\n".join(self.node.read(LOG).splitlines()[-40:])

    def forget(self) -> None:
        self.node.run(["truncate", "-s", "0", LOG])
