# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real ansible-playbook runs of the collection, with every host's results as values."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playbook_runner import PlaybookRunner

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
TASK = "epp.autoupdate.endpoint"
INSTALLED = ("meta", "playbooks", "plugins", "roles")


@dataclass(frozen=True)
class HostResult:
    """What a run came to on one host; ``task`` is the last result of the collection's endpoint task (or {})."""

    name: str
    changed: bool
    failed: bool
    task: dict[str, Any] = field(repr=False)
    results: tuple[dict[str, Any], ...] = field(repr=False)

    @property
    def message(self) -> str:
        return "\n".join(str(line["result"].get("msg", "")) for line in self.results if line["kind"] != "ok")

    @property
    def diff(self) -> list[dict[str, Any]]:
        diff = self.task.get("diff") or []
        return diff if isinstance(diff, list) else [diff]


@dataclass(frozen=True)
class Run:
    """A finished ansible-playbook run."""

    code: int
    output: str = field(repr=False)
    hosts: dict[str, HostResult]

    def __getitem__(self, host: str) -> HostResult:
        return self.hosts[host]

    def demand(self) -> Run:
        assert self.code == 0, self.output[-6000:]
        return self


class Ansible:
    """Runs the collection's playbooks and modules against a fleet."""

    def __init__(self, *, inventory: Path, work: Path, prepare: Callable[..., None], patience: float = 300) -> None:
        """``prepare`` gets the names of a run's hosts before it starts, which takes ``patience`` seconds at most."""
        self._prepare = prepare
        self._patience = patience
        self._inventory = inventory
        self._work = work
        self._count = 0
        self._collections = work / "collections"
        # A copy: an edit of the sources while the tests run must not look like drift of the machines.
        place = self._collections / "ansible_collections" / "epp" / "autoupdate"
        for part in INSTALLED:
            shutil.copytree(REPOSITORY / part, place / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(REPOSITORY / "galaxy.yml", place)
        (work / "runner").mkdir()
        self._runner = PlaybookRunner(work / "runner", self._environment())

    def converge(
        self,
        hosts: dict[str, dict[str, Any]],
        *,
        check: bool = False,
        diff: bool = False,
        state: str | None = None,
        fast: bool = True,
    ) -> Run:
        """Run the module ``epp.autoupdate.endpoint`` once on every host, each with its own options.

        Without ``fast`` it is by su, which passes no standard input on: there is no way but the module's own.
        """
        task: dict[str, Any] = {"name": "Converge", TASK: "{{ lab_options }}"}
        options = {name: {**values, **({"state": state} if state else {})} for name, values in hosts.items()}
        by_su = {} if fast else {"ansible_become": True, "ansible_become_method": "ansible.builtin.su"}
        variables = {name: {"lab_options": values, **by_su} for name, values in options.items()}
        return self.play([task], variables, check, diff)

    def site(
        self,
        hosts: dict[str, dict[str, Any]],
        *,
        check: bool = False,
        diff: bool = False,
        loud: bool = False,
        source: Path | None = None,
        limit: tuple[str, ...] = (),
    ) -> Run:
        """Run the collection's own playbook ``epp.autoupdate.site`` with these variables for each host.

        ``loud`` is with ``-vvv``. ``source`` is one more source of the inventory, whose groups ``limit`` may name.
        """
        self._prepare(*hosts)
        start = functools.partial(self._start, "epp.autoupdate.site", hosts, source=source, limit=limit)
        return start(check=check, diff=diff, loud=loud)

    def check(self, hosts: dict[str, dict[str, Any]], directory: Path) -> Run:
        """Run the collection's own playbook ``epp.autoupdate.check`` as the program itself, as a pipeline does.

        It runs in ``directory``, with a home and a place for temporary files below it and the callback for pipelines.
        """
        self._prepare(*hosts)
        places = {name: directory.parent / f"{directory.name}.{name.lower()}" for name in ("HOME", "TMPDIR")}
        for place in (directory, *places.values()):
            place.mkdir(exist_ok=True)
        own = {"ANSIBLE_CALLBACKS_ENABLED": "lab_results,epp.autoupdate.check_report", **places}
        words = [f"{name}={value}" for name, value in own.items()]
        return self._start(
            "epp.autoupdate.check", hosts, around=["env", "-u", "ANSIBLE_HOME", f"-C{directory}", *words]
        )

    def playbook(self, name: str, hosts: dict[str, dict[str, Any]]) -> Run:
        """Run another playbook of the collection."""
        return self._run(f"epp.autoupdate.{name}", hosts, check=False, diff=False)

    def play(
        self, tasks: list[dict[str, Any]], hosts: dict[str, dict[str, Any]], check: bool = False, diff: bool = False
    ) -> Run:
        """Run these tasks as one play."""
        return self._run(self._play(tasks), hosts, check, diff)

    def plays(
        self,
        plays: list[dict[str, Any]],
        hosts: dict[str, dict[str, Any]],
        *,
        check: bool = False,
        limit: tuple[str, ...] = (),
    ) -> Run:
        """Run a playbook of these plays, for hosts that may have other names than their machines, which run already."""
        path = self._work / f"plays-{self._count}.json"
        path.write_text(json.dumps(plays))
        return self._start(str(path), hosts, check=check, limit=limit)

    def inventory(self, source: Path) -> dict[str, Any]:
        """What ``ansible-inventory`` makes of one source: its groups, and the variables of its hosts.

        It marks what is never a template, and the mark is left out.
        """
        own = {**os.environ, **self._environment(), "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}
        argv = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(source), "--list"]
        done = subprocess.run(
            argv, env=own, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=self._patience
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return dict(json.loads(done.stdout, object_hook=lambda found: found.get("__ansible_unsafe", found)))

    def converge_tree(self, options: dict[str, Any], *, around: list[str]) -> HostResult:
        """Run the module on the control node, for a directory that stands for a host (``options["installroot"]``).

        ``around`` are words in front of ansible-playbook's own that show it the directory.
        """
        task = {"name": "Converge", TASK: "{{ lab_options }}"}
        # The Python of the tests' environment, which no image has.
        variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        play = self._play([task])
        return self._start(play, {"tree": {**variables, "lab_options": options}}, around=around).demand()["tree"]

    def _run(self, playbook: str, hosts: dict[str, dict[str, Any]], check: bool, diff: bool) -> Run:
        self._prepare(*hosts)
        return self._start(playbook, hosts, check=check, diff=diff)

    def _play(self, tasks: list[dict[str, Any]]) -> str:
        """The path of a playbook of one play."""
        play = [{"name": "Lab", "hosts": "all", "gather_facts": False, "tasks": tasks}]
        path = self._work / f"play-{self._count}.json"
        path.write_text(json.dumps(play))
        return str(path)

    def _start(
        self,
        playbook: str,
        hosts: dict[str, dict[str, Any]],
        *,
        check: bool = False,
        diff: bool = False,
        around: list[str] | None = None,
        limit: tuple[str, ...] = (),
        loud: bool = False,
        source: Path | None = None,
    ) -> Run:
        self._count += 1
        results = self._work / f"results-{self._count}.jsonl"
        variables = self._work / f"inventory-{self._count}.json"
        variables.write_text(json.dumps({"all": {"hosts": hosts, "children": _who_is_what(hosts)}}))
        argv = [
            playbook,
            "-i",
            str(self._inventory),
            "-i",
            str(variables),
            "--limit",
            ",".join([*(limit or hosts), ""]),
        ]
        argv += ["-i", str(source)] if source else []
        argv += ["--check"] * check + ["--diff"] * diff + ["-vvv"] * loud
        own = {"EPP_LAB_RESULTS": str(results)}
        if around:
            code, output = self._program(around, argv, own)
        else:
            code, output = self._runner.run(argv, own, seconds=self._patience)
        text = results.read_text() if results.exists() else ""
        lines = [json.loads(line) for line in text.splitlines()]
        return Run(code, output, {name: _gather(name, lines) for name in hosts})

    def _program(self, around: list[str], argv: list[str], own: dict[str, str]) -> tuple[int, str]:
        """The exit code and the output of the program itself, behind the words of another one."""
        done = subprocess.run(
            [*around, str(Path(sys.executable).with_name("ansible-playbook")), *argv],
            env={**os.environ, **self._environment(), **own},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=self._patience,
        )
        return done.returncode, done.stdout + done.stderr

    def close(self) -> None:
        self._runner.close()

    def _environment(self) -> dict[str, str]:
        return {
            "ANSIBLE_COLLECTIONS_PATH": str(self._collections),
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "lab_results",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORKS": "10",
            "ANSIBLE_LOCALHOST_WARNING": "0",
        }


def _gather(name: str, lines: list[dict[str, Any]]) -> HostResult:
    own = tuple(line for line in lines if line["host"] == name)
    endpoint = [line["result"] for line in own if line["action"].endswith("endpoint") and line["kind"] != "unreachable"]
    return HostResult(
        name=name,
        changed=any(line["result"].get("changed") for line in own),
        failed=any(line["kind"] != "ok" for line in own),
        task=endpoint[-1] if endpoint else {},
        results=own,
    )


def _who_is_what(hosts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The groups of an inventory: a host with a server's URL is an update server, any other one an endpoint."""
    servers = {name: None for name, variables in hosts.items() if "autoupdate_server_url" in variables}
    endpoints = {name: None for name in hosts if name not in servers}
    return {"autoupdate_servers": {"hosts": servers}, "autoupdate_endpoints": {"hosts": endpoints}}
