# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rings of the library and the floors of their rooms: nothing imports what stands above it or beside it.

An inner ring never imports an outer one, and the core touches nothing of the host. Within a ring, a room (a package or
a single module of the ring) imports rooms of lower floors only, so that there is no circle of rooms.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "plugins" / "module_utils"
# Python 3.9 has no list of its own.
STANDARD = getattr(sys, "stdlib_module_names", None)

RINGS = {
    # A ring and what it may import besides the standard library.
    "_core": {"_core"},
    # `_identity` is written into a built program and says which one it is.
    "_host": {"_core", "_host", "_identity"},
    "_endpoint": {"_core", "_host", "_endpoint"},
    "_server": {"_core", "_host", "_server"},
}

FLOORS: dict[str, tuple[set[str], ...]] = {
    # The rooms of a ring, the highest floor first. Every room of a ring that is listed has its floor.
    "_core": (
        {"reports", "rollout"},
        {"rings"},
        {"audit", "metadata"},
        {"settings"},
        {"products", "schedule"},
        {"holds", "policy"},
        {"cvd_header", "exposition", "probes", "resources", "results", "system_files", "validation"},
        {
            "canonical",
            "durations",
            "exit_codes",
            "masking",
            "sizes",
            "timestamps",
            "timezones",
            "untrusted_text",
            "values",
        }
        | {"version"},
    ),
    "_host": (
        {"local_host", "scheduler"},
        {"cron", "http", "lock", "reconcile", "signed_documents", "systemd"},
        {"boot", "dns_text", "filesystem", "lookup", "packaged", "program", "ssh_signatures", "superuser", "timezone"},
        {"host", "snapshot"},
        {"accounts", "asked_by", "command_line", "identity", "output", "paths", "process", "running", "sshsig"},
    ),
    "_endpoint": (
        {"bring"},
        {"cli", "payload"},
        {"listening"},
        {"reporting", "runner"},
        {"converge"},
        {"sync"},
        {"holds", "status"},
        {"engine"},
        {"endpoint"},
        {"installed", "jobs"},
        {"notify_access", "orders", "privileges", "products", "state", "vendor_updaters"},
        {"packages", "trust"},
        {"clock", "paths", "source_client", "time_limits"},
    ),
    "_server": (
        {"cli", "payload"},
        {"fleet_report", "metrics"},
        {"converge", "fetch", "health", "status"},
        {"reports"},
        {"rollout"},
        {"campaigns", "enrollment"},
        {"audit"},
        {"publication"},
        {"channels"},
        {"components", "fleet"},
        {"database", "jobs", "settings", "web"},
        {"paths", "terminal"},
    ),
}
NOT_PURE = {
    "asyncio", "builtins", "concurrent", "ctypes", "fcntl", "fileinput", "ftplib", "getpass", "glob", "grp", "http",
    "importlib", "io", "locale", "logging", "mmap", "multiprocessing", "os", "pathlib", "platform", "posix", "pty",
    "pwd", "queue", "random", "resource", "sched", "secrets", "select", "selectors", "shelve", "shutil", "signal",
    "socket", "socketserver", "sqlite3", "ssl", "subprocess", "sys", "syslog", "tempfile", "termios", "threading",
    "time", "urllib", "uuid", "webbrowser", "zipfile",
}  # fmt: skip

# Beyond the standard library: where, and nowhere else. It is imported when it is needed, and missing is told plainly.
FOREIGN = {
    ("_server/campaigns/notifiers/mqtt.py", "paho"),
    ("_server/campaigns/notifiers/ssh.py", "paramiko"),
    ("_server/reports/cryptography_keys.py", "cryptography"),
}

CLOCKS = {"now", "utcnow", "today"}


def files(ring: str) -> list[Path]:
    return sorted((LIBRARY / ring).rglob("*.py"))


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only type checkers read."""
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        typing_only = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        todo += node.orelse if isinstance(node, ast.If) and typing_only else ast.iter_child_nodes(node)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each import of a file: how many dots it begins with, and the module."""
    for node in running(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.level, node.module
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.level, alias.name) for alias in node.names)


def ring_of(path: Path, level: int, module: str) -> str:
    """The ring that a relative import in this file leads to."""
    package = path.relative_to(LIBRARY).parent.parts
    base = package[: len(package) - (level - 1)]
    assert len(package) >= level - 1, f"{path}: an import leads out of the library"
    return (*base, *module.split("."))[0]


def offences(path: Path, ring: str) -> Iterator[str]:
    place = path.relative_to(LIBRARY).as_posix()
    for level, module in imports(ast.parse(path.read_text(encoding="utf-8"))):
        top = module.partition(".")[0]
        if level and ring_of(path, level, module) not in RINGS[ring]:
            yield f"{path.name} imports {'.' * level}{module}, which is no ring of {ring}"
        if not level and top == "ansible_collections":
            yield f"{path.name} imports {module} by its full name; the agent is packed under another one"
        elif not level and STANDARD and top not in STANDARD and (place, top) not in FOREIGN:
            yield f"{path.name} imports {module}, which is not of the standard library"
        if not level and ring == "_core" and top in NOT_PURE:
            yield f"{path.name} imports {module}; the core knows no files, processes, clock or randomness"


def rooms_imported(path: Path, ring: str) -> Iterator[str]:
    """The rooms of its own ring that a file imports, one for each name."""
    package = path.relative_to(LIBRARY).parent.parts
    for node in running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = (*package[: len(package) - (node.level - 1)], *(node.module.split(".") if node.module else ()))
            targets = ((*base, alias.name) for alias in node.names)
            yield from (target[1] for target in targets if target[0] == ring and target[1:])


def floor_offences(path: Path, ring: str) -> Iterator[str]:
    """Imports of a room that is not below the one that this file belongs to."""
    floors = {room: floor for floor, rooms in enumerate(FLOORS[ring]) for room in rooms}
    name = path.relative_to(LIBRARY / ring).parts[0]
    own = name.removesuffix(".py")
    if own == "__init__":
        return
    if own not in floors:
        yield f"{own} has no floor in {ring}"
        return
    for room in rooms_imported(path, ring):
        if room != own and floors.get(room, -1) <= floors[own]:
            yield f"{path.name} imports {room}, which is not below {own}"


def calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield f".{node.func.attr}"


@pytest.mark.parametrize("ring", [ring for ring in RINGS if (LIBRARY / ring).is_dir()])
def test_no_ring_imports_an_outer_one(ring: str) -> None:
    assert files(ring)
    assert [offence for path in files(ring) for offence in offences(path, ring)] == []


@pytest.mark.parametrize("ring", FLOORS)
def test_no_room_imports_one_that_is_not_below_it(ring: str) -> None:
    assert [offence for path in files(ring) for offence in floor_offences(path, ring)] == []


@pytest.mark.parametrize("path", files("_core"), ids=lambda path: path.name)
def test_the_core_opens_nothing_and_reads_no_clock(path: Path) -> None:
    forbidden = {"open", "input", "print", "eval", "exec", "compile", "__import__", *(f".{name}" for name in CLOCKS)}
    assert forbidden.isdisjoint(calls(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    ("ring", "code"),
    [
        ("_core", "import os"),
        ("_core", "def f():\n    from time import time"),
        ("_core", "import yaml"),
        ("_core", "from .._endpoint import host"),
        ("_core", "from .. import _endpoint"),
        ("_endpoint", "from .._module import x"),
        ("_endpoint", "from ansible.module_utils.basic import AnsibleModule"),
        ("_endpoint", "from ansible_collections.epp.autoupdate.plugins.module_utils._core import slots"),
    ],
)
def test_an_offence_would_be_found(ring: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "LIBRARY", tmp_path)
    (tmp_path / ring).mkdir()
    bad = tmp_path / ring / "bad.py"
    bad.write_text(code, encoding="utf-8")
    if "yaml" in code and STANDARD is None:
        pytest.skip("Python 3.9 does not know its standard library by name")
    assert len(list(offences(bad, ring))) == 1


@pytest.mark.parametrize(
    ("place", "code", "found"),
    [
        ("fleet/bad.py", "from ..campaigns.store import leave", ["bad.py imports campaigns, which is not below fleet"]),
        ("fleet/bad.py", "from .. import campaigns", ["bad.py imports campaigns, which is not below fleet"]),
        ("fleet/deep/bad.py", "from ... import cli", ["bad.py imports cli, which is not below fleet"]),
        ("fleet/bad.py", "def f():\n    from ..cli import x", ["bad.py imports cli, which is not below fleet"]),
        ("fleet/bad.py", "from ..components.base import x", ["bad.py imports components, which is not below fleet"]),
        ("fetch.py", "from .status import overview", ["fetch.py imports status, which is not below fetch"]),
        ("fleet/bad.py", "from ..._server.cli import x", ["bad.py imports cli, which is not below fleet"]),
        ("fleet/bad.py", "from ..nowhere import x", ["bad.py imports nowhere, which is not below fleet"]),
        ("new/bad.py", "import json", ["new has no floor in _server"]),
        ("fleet/good.py", "from . import nodes\nfrom ..database import database\nfrom ..._core import values", []),
        ("jobs/bad.py", "from ..converge import desired", ["bad.py imports converge, which is not below jobs"]),
        ("jobs/good.py", "from .job_plan import JobPlan\nfrom .. import paths", []),
    ],
)
def test_an_import_of_a_room_that_is_not_below_would_be_found(
    place: str, code: str, found: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "LIBRARY", tmp_path)
    file = tmp_path / "_server" / place
    file.parent.mkdir(parents=True)
    file.write_text(code, encoding="utf-8")
    assert list(floor_offences(file, "_server")) == found
