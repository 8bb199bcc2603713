# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-rulebook with the collection's rulebook on loopback, and endpoints that are directories."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RULEBOOK = ROOT / "extensions" / "eda" / "rulebooks" / "update_endpoint.yml"
SECONDS = 120
"""Longer than the rule engine, a Java program, takes to start on a busy machine."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def eventually(condition: Callable[[], bool], why: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, why
        time.sleep(0.1)


def post(url: str, content: Any, **headers: str) -> int:
    """The status of the answer to a document; 0 where nobody answers."""
    own = {"Content-Type": "application/json", **headers}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(content).encode(), own), timeout=30) as done:
            return int(done.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


class Rulebook:
    """A running rulebook, and the endpoints of its inventory."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.port = free_port()
        self.token = secrets.token_hex()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._log = work / "rulebook.log"
        self._process: subprocess.Popen[bytes] | None = None

    def converge(self, *names: str) -> None:
        """Endpoints whose update copies the file ``offered`` to one of their own."""
        hosts = {name: self._variables(name) for name in names}
        groups = {"autoupdate_servers": {"hosts": {}}, "autoupdate_endpoints": {"hosts": dict.fromkeys(names)}}
        common = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        inventory = {"all": {"hosts": hosts, "vars": common, "children": groups}}
        (self.work / "inventory.json").write_text(json.dumps(inventory))
        command = ["ansible-playbook", "-i", "inventory.json", "epp.autoupdate.site"]
        subprocess.run(command, cwd=self.work, env=self._environment(), check=True, stdin=subprocess.DEVNULL)

    def _variables(self, name: str) -> dict[str, Any]:
        installed = self.work / f"{name}.installed"
        installed.write_text("1\n")
        update = ["/bin/cp", str(self.work / "offered"), str(installed)]
        return {
            "autoupdate_installroot": str(self.work / name),
            "autoupdate_product": "command",
            "autoupdate_command": {"update": update, "version": ["/bin/cat", str(installed)]},
            "autoupdate_scheduler": "systemd",
        }

    def installed(self, name: str) -> str:
        """The version that an endpoint has."""
        return (self.work / f"{name}.installed").read_text().strip()

    def start(self) -> None:
        """Start the rulebook of alerts, and wait until it listens."""
        self.run(RULEBOOK, {"listen_port": self.port, "listen_token": self.token})
        eventually(self._answers, "the rulebook listens")

    def run(self, rulebook: Path, given: dict[str, Any]) -> None:
        """Start a rulebook with its variables."""
        variables = self.work / "variables.yml"
        variables.write_text(json.dumps(given))
        command = ["ansible-rulebook", "--rulebook", str(rulebook), "-i", "inventory.json", "--vars", variables.name]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--print-events"],
                cwd=self.work,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.said()
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def post(self, *alerts: dict[str, Any], token: str | None = None) -> int:
        """Send alerts as Alertmanager does; returns the status of the answer."""
        content = {"version": "4", "status": "firing", "alerts": alerts}
        return post(self.url, content, Authorization=f"Bearer {self.token if token is None else token}")

    def _environment(self) -> dict[str, str]:
        java = Path(shutil.which("java") or "").resolve()
        return {**os.environ, "JAVA_HOME": os.environ.get("JAVA_HOME") or str(java.parents[1])}
