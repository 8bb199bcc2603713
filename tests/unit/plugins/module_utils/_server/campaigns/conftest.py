# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sandbox endpoints with real agents, a real sshd on loopback, and both ways to them."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.rollout.authorized_keys import authorized_line
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.notify import NotifySettings
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import payload
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.converge import converge
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.base import Notifier, Target
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.notifiers.select import select_notifier
from ansible_collections.epp.autoupdate.plugins.module_utils._server.campaigns.store import CampaignStore
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.key_files import ensure_key

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@pytest.fixture
def connection(server_host: LocalHost) -> Iterator[sqlite3.Connection]:
    opened = open_database(server_host)
    yield opened
    opened.close()


@pytest.fixture
def store(connection: sqlite3.Connection) -> CampaignStore:
    return CampaignStore(connection)


def register(connection: sqlite3.Connection, *names: str, domain: str = "", policy: Any = None) -> None:
    start = connection.execute("SELECT count(*) FROM endpoints").fetchone()[0]
    for number, name in enumerate(names, start=start):
        text = json.dumps(policy) if policy else None
        row = (name, domain, number, text, f"/fleet/{name}")
        connection.execute("INSERT INTO endpoints (name, domain, ordinal, policy, address) VALUES (?, ?, ?, ?, ?)", row)
    connection.commit()


class SandboxEndpoint:
    """A directory that stands for an endpoint, with its agent.

    ``pause`` is how long its update takes, in seconds; while ``hold`` exists it does not end.
    """

    def __init__(self, root: Path, agent: bytes) -> None:
        self.root = root
        self.name = root.name
        self.upstream = root.parent / f"{self.name}.upstream"
        self.pause = root.parent / f"{self.name}.pause"
        self.hold = root.parent / f"{self.name}.hold"
        self.updates = root.parent / f"{self.name}.updates"
        self.installed = root.parent / f"{self.name}.installed"
        self.agent = root / "usr/local/bin/epp-agent"
        self._content = agent
        self.upstream.write_text("1")
        self.pause.write_text("0")
        self.installed.write_text("0")

    def enroll(self, **policy: Any) -> None:
        held = f"for _ in $(seq 3000); do test -e {self.hold} || break; sleep 0.02; done"
        work = f"sleep $(cat {self.pause}); cat {self.upstream} >{self.installed}"
        update = f"echo run >>{self.updates}; {held}; {work}"
        command = {"update": ["/bin/sh", "-c", update], "version": ["/bin/cat", str(self.installed)]}
        base = {"format": 1, "endpoint": self.name, "product": "command", "scheduler": "systemd", "command": command}
        self.root.mkdir(exist_ok=True)
        self.converge(EndpointDocument.from_dict({**base, "policy": policy}))

    def converge(self, document: EndpointDocument) -> None:
        converge(document, LocalHost(str(self.root)), agent=self._content, check=False)

    def make_host_key(self) -> str:
        """What OpenSSH's server makes when it is installed; the public key."""
        path = self.root / "etc/ssh/ssh_host_ed25519_key"
        path.parent.mkdir(parents=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
        return " ".join(path.with_suffix(".pub").read_text().split()[:2])

    def switch_off(self) -> None:
        """As good as off: there is no agent to talk to."""
        self.agent.rename(self.agent.with_suffix(".off"))

    def switch_on(self) -> None:
        self.agent.with_suffix(".off").rename(self.agent)

    def runs(self) -> int:
        return self.updates.read_text().count("run") if self.updates.exists() else 0

    def taken(self) -> list[str]:
        """The campaigns that its own log says it took, in their order."""
        log = self.root / "var/log/epp-agent.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line.split("notice ")[1].split()[0] for line in lines if " taken: version " in line]


class Sshd:
    """A real sshd on loopback whose only key line is the one that endpoints get. ``command`` replaces the agent."""

    def __init__(
        self, directory: Path, public_key: str, command: str, *, line: str | None = None, first: str = ""
    ) -> None:
        """``first`` are settings that come before the others, so that they count."""
        self.directory = directory
        directory.mkdir()
        self.host_key = self._make_host_key()
        keys = directory / "authorized_keys"
        keys.write_text((line or authorized_line(public_key, command=command)) + "\n")
        self.port = free_port()
        self.configuration = directory / "sshd_config"
        self.configuration.write_text(
            f"{first}\nPort {self.port}\nListenAddress 127.0.0.1\nHostKey {directory / 'host_key'}\nPidFile none\n"
            f"AuthorizedKeysFile {keys}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nPermitRootLogin yes\nAllowTcpForwarding yes\nAllowAgentForwarding yes\n"
            "X11Forwarding yes\nSubsystem sftp internal-sftp\nMaxStartups 500\n"
        )
        self.start()

    def _make_host_key(self) -> str:
        path = self.directory / "host_key"
        path.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
        return " ".join((self.directory / "host_key.pub").read_text().split()[:2])

    def start(self) -> None:
        assert SSHD is not None
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        log = (self.directory / "log").open("ab")
        self._process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(self.configuration)], stderr=log)
        log.close()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError((self.directory / "log").read_text())

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    def change_host_key(self) -> None:
        self.stop()
        for name in ("host_key", "host_key.pub"):
            (self.directory / name).unlink()
        self._make_host_key()
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


class Way:
    """A notifier and its targets; endpoints are put on its network by ``target``."""

    def __init__(self, notifier: Notifier, target: Callable[[SandboxEndpoint], Target]) -> None:
        self.notifier = notifier
        self.target = target


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def current_user() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture(scope="session")
def agent() -> bytes:
    return payload.build(payload.sources(), interpreter=sys.executable)


@pytest.fixture
def make_endpoint(tmp_path: Path, agent: bytes) -> Callable[[str], SandboxEndpoint]:
    (tmp_path / "fleet").mkdir()
    return lambda name: SandboxEndpoint(tmp_path / "fleet" / name, agent)


@pytest.fixture
def endpoint(make_endpoint: Callable[[str], SandboxEndpoint]) -> SandboxEndpoint:
    made = make_endpoint("n1")
    made.enroll()
    return made


@pytest.fixture
def server_host(tmp_path: Path) -> LocalHost:
    """The sandbox of the server."""
    (tmp_path / "server").mkdir()
    return LocalHost(str(tmp_path / "server"))


@pytest.fixture
def ssh_settings() -> NotifySettings:
    return NotifySettings.from_dict({"user": current_user(), "key": "/keys/notify", "connect_timeout": "5s"})


@pytest.fixture
def sshd(tmp_path: Path, server_host: LocalHost) -> Iterator[Callable[..., Sshd]]:
    """Starts one more sshd that lets the server's key run this command only."""
    if SSHD is None:
        pytest.skip("sshd is not installed")
    public = ensure_key(server_host, "/keys/notify")
    started: list[Sshd] = []

    def start(command: str, *, line: str | None = None, first: str = "") -> Sshd:
        started.append(Sshd(tmp_path / f"sshd{len(started)}", public, command, line=line, first=first))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture(params=["local", "ssh"])
def way(request: pytest.FixtureRequest, server_host: LocalHost) -> Way:
    """Each way to endpoints in turn."""
    if request.param == "local":
        notifier = select_notifier(NotifySettings.from_dict({"notifier": "local"}), server_host)
        return Way(notifier, lambda endpoint: Target(endpoint.name, str(endpoint.root)))
    pytest.importorskip("paramiko", reason="paramiko is not installed")
    start, settings = request.getfixturevalue("sshd"), request.getfixturevalue("ssh_settings")

    def target(endpoint: SandboxEndpoint) -> Target:
        server = start(f"{endpoint.agent} --root {endpoint.root} notice")
        address = server.address if endpoint.agent.exists() else f"127.0.0.1:{free_port()}"
        return Target(endpoint.name, address, server.host_key)

    return Way(select_notifier(settings, server_host), target)
