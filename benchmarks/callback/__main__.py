# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure what the callback ``progress`` costs beside the default one. See benchmarks/README.md.

    python benchmarks/callback [--hosts 1000] [--rounds 3]

Runs as anybody, in a directory of its own: one cheap task on many hosts that are this machine, at a pseudo-terminal,
with each callback in turn. Prints CPU seconds (user and system) of the main process, and of all its workers.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPOSITORY / "tests"))

from pseudo_terminal import Session, at_terminal  # noqa: E402  # on the path only now

CALLBACKS = ("ansible.builtin.default", "epp.autoupdate.progress")
PLAY = [
    {
        "name": "Benchmark",
        "hosts": "all",
        "gather_facts": False,
        "tasks": [{"name": "Do next to nothing", "ansible.builtin.set_fact": {"x": 1}, "changed_when": True}],
    }
]
MEASURED = """\
import json, os, resource, sys
from ansible.cli.playbook import PlaybookCLI
code = PlaybookCLI(sys.argv[2:]).run()
usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
with open(sys.argv[1], "w") as file:
    json.dump([one.ru_utime + one.ru_stime for one in usage], file)
sys.exit(code)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="CPU seconds of the callback progress and of the default one")
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    costs: dict[str, list[list[float]]] = {name: [] for name in CALLBACKS}
    sizes = dict.fromkeys(CALLBACKS, 0)
    with tempfile.TemporaryDirectory(prefix="epp-bench-") as directory:
        for _round in range(options.rounds):
            for name in CALLBACKS:
                session, cost = _run(Path(directory), name, options.hosts)
                costs[name].append(cost)
                sizes[name] = len(session.lines)
    print(f"{options.hosts} hosts, one task, median of {options.rounds} rounds, CPU seconds")
    print(f"{'callback':26} {'main process':>12} {'workers':>9} {'lines':>7}")
    for name, found in costs.items():
        main_process, workers = (statistics.median(one[part] for one in found) for part in (0, 1))
        print(f"{name:26} {main_process:12.2f} {workers:9.2f} {sizes[name]:7}")
    return 0


def _run(work: Path, callback: str, hosts: int) -> tuple[Session, list[float]]:
    local = {"ansible_connection": "local"}
    inventory = {"all": {"hosts": {f"host{number:05}": {} for number in range(hosts)}, "vars": local}}
    for name, content in (("inventory.json", inventory), ("play.json", PLAY)):
        (work / name).write_text(json.dumps(content))
    argv = [sys.executable, "-c", MEASURED, work / "cost.json", "ansible-playbook", "-f", "10"]
    argv += ["-i", work / "inventory.json", work / "play.json"]
    own = {"ANSIBLE_STDOUT_CALLBACK": callback, "ANSIBLE_HOME": str(work / "home")}
    session = at_terminal(argv, environment={**_collections(), **own}, seconds=3600)
    if session.status != 0:
        raise SystemExit(session.written)
    cost: list[float] = json.loads((work / "cost.json").read_text())
    return session, cost


def _collections() -> dict[str, str]:
    """Where the collection is found: where the environment says, or among what the project's steps build."""
    known = os.environ.get("ANSIBLE_COLLECTIONS_PATH")
    return {"ANSIBLE_COLLECTIONS_PATH": known or str(REPOSITORY / ".cache" / "collections")}


if __name__ == "__main__":
    raise SystemExit(main())
