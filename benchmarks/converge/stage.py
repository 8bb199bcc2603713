# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes what the contenders need, each into a directory of its own, and makes them from it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import lab_root
from contenders import (
    FLOOR,
    MANAGED,
    OURS,
    WITHOUT,
    Contender,
    ContenderFailed,
    ansible_changes,
    pyinfra_changes,
)
from machines import Machines
from recipe import Recipe

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent

# Everything that a policy can ask for, except what would wake up while the benchmark runs.
POLICY = {
    "events": {"update_on_reconnect": False},
    "schedule": {"frequency": "daily", "window": "2h", "timezone": "UTC"},
    "privileges": {"toggle_scheduled_update": True, "update_now": True, "go_roaming": True},
}


class Stage:
    """Writes what contenders need into ``work`` and makes them from it."""

    def __init__(self, work: Path, machines: Machines, start: str, *, server: str = "") -> None:
        self._work = work
        self._machines = machines
        self._server = server
        self._names = [name for name in machines.names if name != server]
        self._start = start
        self._bin = Path(sys.executable).parent
        _copy_collection(work / "collections" / "ansible_collections" / "epp" / "autoupdate")
        (work / "ansible.cfg").write_text(_ansible_cfg(len(machines.names)))

    def floor(self) -> Contender:
        inventory = self._ansible_inventory("floor", {}, {})
        return self._ansible(FLOOR, str(HERE / "floor.yml"), inventory, deploys=False)

    def ours(self) -> Contender:
        policy = {**POLICY, "schedule": {**POLICY["schedule"], "start": self._start}}
        policy["sources"] = {"urls": [f"http://{self._machines.gateway}:8080"]}
        shared = {
            "autoupdate_policy": policy,
            "autoupdate_domain": "emea/finance",
            "autoupdate_domain_policies": {"emea": {"schedule": {"window": "3h"}}},
            "autoupdate_product": "clamav",
        }
        own = {name: {"autoupdate_ordinal": number} for number, name in enumerate(self._names)}
        inventory = self._ansible_inventory("ours", shared, own)
        return self._ansible(OURS, "epp.autoupdate.site", inventory)

    def without(self, what: str) -> Contender:
        """Ours from a copy of the collection that lacks one thing; raises ValueError where it is not found there."""
        _title, name, text, instead = WITHOUT[what]
        collections = self._work / f"without-{what}" / "collections"
        place = collections / "ansible_collections" / "epp" / "autoupdate"
        _copy_collection(place)
        whole = (place / name).read_text()
        if whole.count(text) != 1:
            raise ValueError(f"{name} has {whole.count(text)} times {text!r}")
        (place / name).write_text(whole.replace(text, instead))
        ours = self.ours()
        return replace(ours, name=what, env={**ours.env, "ANSIBLE_COLLECTIONS_PATH": str(collections)})

    def managed(self) -> Contender:
        """The same endpoints with the update server, whose own converge is part of the run."""
        policy = {**POLICY, "schedule": {**POLICY["schedule"], "start": self._start}}
        shared = {
            "autoupdate_policy": policy,
            "autoupdate_domain": "emea/finance",
            "autoupdate_domain_policies": {"emea": {"schedule": {"window": "3h"}}, "emea/finance": {}},
            "autoupdate_product": "clamav",
        }
        server = {
            "autoupdate_server_url": f"http://{self._machines.addresses[self._server]}",
            "autoupdate_server_fetch": {"every": "1d", "offset": "12h"},
        }
        inventory = self._ansible_inventory("managed", shared, {self._server: server}, more=(self._server,))
        return self._ansible(MANAGED, "epp.autoupdate.site", inventory, more=1)

    def reset(self) -> Contender:
        """Not measured: takes everything of ours off, whoever put it there."""
        ours = self.ours()
        return Contender(
            name="reset",
            argv=(*ours.argv, "-e", json.dumps({"autoupdate_state": "absent"})),
            cwd=ours.cwd,
            changes=ours.changes,
            env=ours.env,
        )

    def builtin(self, recipe: Recipe) -> Contender:
        return self._builtin("builtin", recipe)

    def mitogen(self, recipe: Recipe) -> Contender:
        found = importlib.util.find_spec("ansible_mitogen")
        if found is None or found.origin is None:
            raise ContenderFailed("mitogen is not installed")
        plugins = Path(found.origin).parent / "plugins" / "strategy"
        env = {"ANSIBLE_STRATEGY_PLUGINS": str(plugins), "ANSIBLE_STRATEGY": "mitogen_linear"}
        return self._builtin("mitogen", recipe, **env)

    def pyinfra(self, recipe: Recipe) -> Contender:
        directory = self._work / "pyinfra"
        recipe.write(directory / "sources")
        (directory / "inventory.py").write_text(self._pyinfra_inventory(recipe, directory / "sources"))
        argv = (
            str(self._bin / "pyinfra"), "--yes", "--json", "--parallel", str(len(self._machines.names)),
            str(directory / "inventory.py"), str(HERE / "pyinfra_deploy.py"),
        )  # fmt: skip
        env = {**_clean_environment(), "TERM": "dumb"}
        count = len(self._machines.names)
        return Contender("pyinfra", argv, directory, env, lambda text: pyinfra_changes(text, count))

    def _builtin(self, name: str, recipe: Recipe, **env: str) -> Contender:
        sources = self._work / name / "sources"
        recipe.write(sources)
        shared = {**recipe.shared, "bench_sources": str(sources)}
        inventory = self._ansible_inventory(name, shared, recipe.own)
        return self._ansible(name, str(HERE / "builtin.yml"), inventory, **env)

    def _ansible(
        self, name: str, playbook: str, inventory: Path, *, deploys: bool = True, more: int = 0, **env: str
    ) -> Contender:
        count = len(self._names) + more
        environment = {
            **_clean_environment(),
            "ANSIBLE_CONFIG": str(self._work / "ansible.cfg"),
            "ANSIBLE_HOME": str(self._work / "ansible-home"),
            "ANSIBLE_COLLECTIONS_PATH": str(self._work / "collections"),
            **env,
        }
        return Contender(
            name=name,
            argv=(str(self._bin / "ansible-playbook"), "-i", str(inventory), playbook),
            cwd=inventory.parent,
            changes=lambda text: ansible_changes(text, count),
            env=environment,
            deploys=deploys,
        )

    def _ansible_inventory(
        self, name: str, shared: dict[str, Any], own: dict[str, Any], *, more: tuple[str, ...] = ()
    ) -> Path:
        """An inventory with the variables of one contender; values are JSON in files that Ansible reads as YAML."""
        directory = self._work / name
        for part in ("group_vars", "host_vars"):
            (directory / part).mkdir(parents=True, exist_ok=True)
        connection = {
            "ansible_user": "root",
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_private_key_file": str(lab_root.KEY),
            "ansible_ssh_args": " ".join(self._machines.ssh_options),
        }
        (directory / "group_vars" / "all.json").write_text(json.dumps({**connection, **shared}))
        for host, values in own.items():
            (directory / "host_vars" / f"{host}.json").write_text(json.dumps(values))
        addresses = self._machines.addresses
        lines = [f"{host} ansible_host={addresses[host]}\n" for host in (*self._names, *more)]
        for group, members in (("autoupdate_servers", more), ("autoupdate_endpoints", self._names)):
            lines += [f"[{group}]\n", *(f"{host}\n" for host in members)]
        (directory / "inventory.ini").write_text("".join(lines))
        return directory / "inventory.ini"

    def _pyinfra_inventory(self, recipe: Recipe, sources: Path) -> str:
        shared = {
            "ssh_user": "root",
            "ssh_key": str(lab_root.KEY),
            "ssh_allow_agent": False,
            "ssh_look_for_keys": False,
            "ssh_known_hosts_file": os.devnull,
            "ssh_strict_host_key_checking": "no",
            "bench_recipe": recipe.shared,
            "bench_sources": str(sources),
        }
        hosts = [
            (host, {"ssh_hostname": address, "bench_values": recipe.own[host]})
            for host, address in self._machines.addresses.items()
        ]
        return f"machines = ({hosts!r}, {shared!r})\n"


def _copy_collection(place: Path) -> None:
    """What an installation has: the work tree may be edited while this runs."""
    place.mkdir(parents=True)
    for name in ("meta", "plugins", "roles", "playbooks"):
        shutil.copytree(REPOSITORY / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "galaxy.yml", place)


def _ansible_cfg(forks: int) -> str:
    return f"""\
[defaults]
forks = {forks}
host_key_checking = False
retry_files_enabled = False
nocolor = True
localhost_warning = False

[connection]
pipelining = True
"""


def _clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON", "PYINFRA"))}
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
