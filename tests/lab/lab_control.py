# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A control node as a user has one: a directory with an inventory and collections, and machines reached by sudo."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lab_root
import yaml
from lab_nodes import Node

USER = "alice"


class ControlNode:
    """A directory in which commands of the documentation are typed; the machines have the names that it gives them."""

    def __init__(self, directory: Path, nodes: dict[str, Node], own: Mapping[str, dict[str, Any]]) -> None:
        """``own`` are further variables of hosts that are the lab's alone."""
        self.nodes = nodes
        self.directory = directory
        (directory / "host_vars").mkdir()
        (directory / "ssh").mkdir()
        for name, node in nodes.items():
            variables = {**self._reached(node), **own.get(name, {})}
            (directory / "host_vars" / f"{name}.yml").write_text(yaml.safe_dump(variables))

    @property
    def collection(self) -> Path:
        """Where the collection is installed."""
        return self.directory / "collections" / "ansible_collections" / "epp" / "autoupdate"

    def run(self, line: str, *, expected: tuple[int, ...] = (0,), directory: Path | None = None) -> str:
        """Type one line; returns all that was printed. Its program is one of Ansible's."""
        words = shlex.split(line)
        own = ("ANSIBLE_", "PYTHONPATH")  # the latter has the tests' own copy of the collection
        environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        environment.update(
            ANSIBLE_COLLECTIONS_PATH=str(self.directory / "collections"),
            ANSIBLE_HOME=str(self.directory / "home"),
            ANSIBLE_NOCOLOR="1",
        )
        done = subprocess.run(
            [str(Path(sys.executable).with_name(words[0])), *words[1:]],
            cwd=directory or self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode in expected, f"{line}\n{done.stdout[-5000:]}"
        return done.stdout

    def _reached(self, node: Node) -> dict[str, Any]:
        checked = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
        return {
            "ansible_host": node.machine.address,
            "ansible_user": USER,
            "ansible_ssh_private_key_file": str(lab_root.KEY),
            "ansible_ssh_args": f"{checked} -o ControlMaster=auto -o ControlPersist=60s",
            "ansible_control_path_dir": str(self.directory / "ssh"),
        }


def let_in(nodes: dict[str, Node], **addresses: str) -> None:
    """Make these machines those of the documentation: a user with sudo, their names, and what they look up."""
    for name, node in nodes.items():
        node.write(f"/etc/sudoers.d/{USER}", f"{USER} ALL=(ALL) NOPASSWD: ALL\n", mode="0440")
        for known, address in addresses.items():
            known_as = f"{known}.example.com"
            node.run(f"sed -i '/ {known_as}$/d' /etc/hosts && echo {address} {known_as} >>/etc/hosts")
        node.run(["hostnamectl", "set-hostname", name], check=False)
