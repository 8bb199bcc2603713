# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real message brokers on a machine of their own, each set up by its example in the guide (L3).

A witness, which is the lab's own user, hears everything that a broker passes on.
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import lab_archives
from lab_broker_guide import Example, Values
from lab_certificates import Authority
from lab_nodes import Node, eventually
from lab_server import ComponentServer

PORT = 8883
CA = "/etc/epp-broker-ca.pem"
PASSWORD = "/etc/epp-broker-password"
SERVER_USER = "epp-server"
PRODUCT, RING = "command", "pilot"
WITNESS = "lab-witness"
THIEF = "lab-thief"
PROBE = "epp/endpoint/probe"


@dataclass(frozen=True)
class BrokerKind:
    """A broker's program. ``all_topics`` is what of its rules stands in the place of which others for the witness."""

    name: str
    package: str
    directory: str
    user: str
    all_topics: tuple[str, str]

    @property
    def unit(self) -> str:
        return self.package

    def widen(self, name: str, rules: str) -> str:
        """The rules of a user, which are others for the witness."""
        return rules.replace(*self.all_topics) if name == WITNESS else rules


MOSQUITTO = BrokerKind(
    "Mosquitto", "mosquitto", "/etc/mosquitto", "mosquitto", (f"read epp/ring/{PRODUCT}/{RING}", "read epp/#")
)
NATS = BrokerKind("NATS", "nats-server", "/etc/nats", "nats", ('"epp.fleet"', '"epp", "epp.>"'))
RABBITMQ = BrokerKind(
    "RabbitMQ",
    "rabbitmq-server",
    "/etc/rabbitmq",
    "rabbitmq",
    (rf"epp\.(fleet|ring\.{PRODUCT}\.{RING}|endpoint\.{WITNESS})$", r"epp\."),
)


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
    """A broker, and what it passes on. ``passwords`` are those of its users."""

    def __init__(self, kind: BrokerKind, node: Node, directory: Path, passwords: Mapping[str, str]) -> None:
        self.kind = kind
        self.node = node
        self.address = node.machine.address
        self._authority = Authority(directory)
        self._passwords = {**passwords, WITNESS: "of the witness"}

    def set_up(self, packages: Packages) -> None:
        """Install and start it by the guide."""
        # As Debian's installer writes it; RabbitMQ does not start on a host that does not know its own name.
        self.node.run("echo 127.0.1.1 $(hostname) >>/etc/hosts")
        # A test kills it more often than systemd starts a service in ten seconds.
        drop_in = f"/etc/systemd/system/{self.kind.unit}.service.d"
        self.node.run(["mkdir", "-p", drop_in, self.kind.directory])
        self.node.write(f"{drop_in}/lab.conf", "[Unit]\nStartLimitIntervalSec=0\n")
        packages.install(self.node, self.kind.package, "mosquitto-clients")
        certificate, key = self._authority.issue(self.address)
        self.node.write(f"{self.kind.directory}/broker.crt", certificate.read_text())
        self.node.write(f"{self.kind.directory}/broker.key", key.read_text(), mode="0400", owner=self.kind.user)
        endpoints = {user: password for user, password in self._passwords.items() if user != SERVER_USER}
        values = Values(self._passwords[SERVER_USER], endpoints, PRODUCT, RING, self.kind.widen)
        example = Example.of(self.kind.name)
        for path, content in example.files.items():
            self.node.write(path, values.filled(content), mode="0600", owner=self.kind.user)
        for command in values.filled(example.commands).splitlines():
            self.node.run(command)
        self.admit(self.node)
        self._listen(WITNESS, WITNESS, "epp/#")
        self.forget()

    def admit(self, node: Node, password: str = "", owner: str = "root") -> None:
        """What a machine needs to come in."""
        node.write(CA, self._authority.certificate.read_text())
        if password:
            node.write(PASSWORD, f"{password}\n", mode="0600", owner=owner)

    def publish(self, user: str, topic: str, content: bytes, *, may: bool = True, qos: int = 1) -> None:
        """Publish as a user, from the broker's own machine; one that ``may`` not gets any answer or none."""
        self.node.run("base64 -d >/var/tmp/message", stdin=base64.b64encode(content).decode())
        publisher = ["timeout", "20", "mosquitto_pub", *self._way(user), "-q", str(qos), "-t", topic]
        self.node.run([*publisher, "-f", "/var/tmp/message"], check=may)

    def published(self, topic: str) -> int:
        """How many messages at a topic it has passed on since the last ``forget``."""
        return self._heard(WITNESS).count(topic)

    def forget(self) -> None:
        """Once the witness is there, which comes back by itself after the broker."""

        def hears() -> bool:
            self.publish(SERVER_USER, PROBE, b"probe", may=False)
            return PROBE in self._heard(WITNESS)

        self.node.run(["truncate", "-s", "0", _file(WITNESS)])
        try:
            eventually(hears, seconds=60, why="the witness hears what is published")
        except AssertionError:
            print(self.log())
            raise
        self.node.run(["truncate", "-s", "0", _file(WITNESS)])

    def eavesdrop(self, user: str, topic: str) -> None:
        """Listen as a user, from the broker's own machine, until ``hush``; returns once the broker has answered.

        One topic at a time, so that no refusal stands for another.
        """
        self._listen(THIEF, user, topic)
        self.node.wait(f"grep -q '^Subscribed' {_file(THIEF)}", why=f"the broker answers {user}")

    def hush(self) -> list[str]:
        """End it; the topics of what was heard."""
        self.node.run(["systemctl", "stop", THIEF])
        return self._heard(THIEF)

    def log(self) -> str:
        logs = "tail -n 40 /var/log/mosquitto/*.log /var/log/rabbitmq/*.log 2>/dev/null"
        return self.node.run(f"{logs}; tail -n 20 {_file(WITNESS)}; journalctl -u {self.kind.unit} -n 40").out

    def _listen(self, unit: str, user: str, topic: str) -> None:
        """A service that writes down what it hears, line by line."""
        listener = ["mosquitto_sub", "-d", "-i", user, *self._way(user), "-q", "1", "-F", "heard %t", "-t", topic]
        # A script, because systemd would take what begins with $ or % for its own.
        self.node.write(f"/var/tmp/{unit}", f"exec stdbuf -oL {shlex.join(listener)}\n", mode="0600")
        file = _file(unit)
        options = ["Restart=always", "RestartSec=1", "StartLimitIntervalSec=0"]
        options += [f"StandardOutput=append:{file}", f"StandardError=append:{file}"]
        start = ["systemd-run", "-q", "--collect", f"--unit={unit}", *(f"--property={one}" for one in options)]
        self.node.run(f"rm -f {file}; touch {file}")
        self.node.run([*start, "sh", f"/var/tmp/{unit}"])

    def _heard(self, unit: str) -> list[str]:
        lines = self.node.read(_file(unit)).splitlines()
        return [line.removeprefix("heard ") for line in lines if line.startswith("heard ")]

    def _way(self, user: str) -> list[str]:
        at = ["-h", self.address, "-p", str(PORT), "--cafile", CA, "-V", "mqttv311"]
        return [*at, "-u", user, "-P", self._passwords[user]]


def _file(unit: str) -> str:
    return f"/var/tmp/{unit}.heard"
