# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent as one file: deterministic, honest about what it holds, standard library only, Python 3.9 and later."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.version import VERSION
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import payload

LIBRARY = Path(payload.__file__).parent.parent


def imported(path: str) -> Iterator[str]:
    """The files of the library that one of its files imports, at once or later, with the packages around them."""
    tree = ast.parse((LIBRARY / path).read_text(encoding="utf-8"))
    typing_only = [
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for node in ast.walk(ast.Module(block.body, []))
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and node not in typing_only:
            base = Path(path).parents[node.level - 1] / (node.module or "").replace(".", "/")
            for place in (base, *(base / alias.name for alias in node.names)):
                for parent in (place, *place.parents):
                    for file in (f"{parent}.py", f"{parent}/__init__.py"):
                        if (LIBRARY / file).is_file() and file != "./__init__.py":
                            yield file


def test_the_sources_are_what_the_agent_and_its_first_converge_import() -> None:
    needed, todo = {"_core/__init__.py"}, ["_endpoint/cli/main.py", "_endpoint/bring.py", "_host/program/sources.py"]
    while todo:
        file = todo.pop()
        if file not in needed:
            needed.add(file)
            todo += imported(file)
    assert set(payload.sources()) == needed


def test_the_digest_depends_on_names_and_contents() -> None:
    one = payload.digest({"a": b"1", "b": b"2"})
    assert one == payload.digest({"b": b"2", "a": b"1"})
    assert len({one, payload.digest({"a": b"1", "c": b"2"}), payload.digest({"a": b"12", "b": b""})}) == 3


def test_an_agent_tells_what_it_really_holds(agent: Path, tmp_path: Path) -> None:
    content = agent.read_bytes()
    assert payload.identity_of(content) == (payload.digest(payload.sources()), payload.bytecode_tag())
    assert payload.identity_of(b"#!/bin/sh\n") is None
    edited = tmp_path / "edited"
    edited.write_bytes(content.replace(b"Keeps the components", b"Eats  the components"))
    assert payload.identity_of(edited.read_bytes()) is None
    assert payload.identity_of(content + b"\n") is None
    assert payload.identity_of(content.replace(b"#!/", b"#! /", 1)) is None


def test_an_installed_agent_is_kept_unless_it_is_another(agent: Path) -> None:
    installed, files = agent.read_bytes(), payload.sources()
    assert payload.renewed(installed, files, interpreter=sys.executable) is installed
    older = {**files, "_core/version.py": b"VERSION = '0.1'\n"}
    for other, interpreter in ((None, sys.executable), (b"", sys.executable), (installed, "/usr/bin/other")):
        assert payload.renewed(other, files, interpreter=interpreter).startswith(f"#!{interpreter} -IS".encode())
    assert payload.identity_of(payload.renewed(installed, older, interpreter=sys.executable)) == (
        payload.digest(older),
        payload.bytecode_tag(),
    )


def test_an_agent_for_another_python_is_the_one_that_this_python_would_want(tmp_path: Path) -> None:
    """It is kept by whoever asks for that Python, replaced for any other, and starts without byte code of ours."""
    files, python = payload.sources(), sys.executable
    other = "cpython-399"
    program = payload.build(files, interpreter=python, tag=other)
    assert payload.identity_of(program) == (payload.digest(files), other)
    assert payload.renewed(program, files, interpreter=python, tag=other) is program
    assert payload.identity_of(payload.renewed(program, files, interpreter=python)) == (
        payload.digest(files),
        payload.bytecode_tag(),
    )
    path = tmp_path / "agent"
    path.write_bytes(program)
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".pyc")]
    told = subprocess.run([python, "-IS", path, "--version"], capture_output=True, text=True, check=True)
    assert told.stdout == f"epp-agent {VERSION}\n"


@pytest.mark.parametrize(("padding", "ending"), [("", b"__main__"), ("x" * 80, b"-IS")], ids=["straight", "runpy"])
def test_its_first_line_starts_it_however_long_the_interpreters_path_is(padding: str, ending: bytes) -> None:
    with tempfile.TemporaryDirectory() as place:
        interpreter, program = Path(place, f"python{padding}"), Path(place, "epp-agent")
        interpreter.symlink_to(sys.executable)
        program.write_bytes(payload.build(payload.sources(), interpreter=str(interpreter)))
        program.chmod(0o755)
        first_line = program.read_bytes().partition(b"\n")[0]
        assert first_line.endswith(ending)
        assert len(first_line) < 127
        for argv, code, told in ((["--version"], 0, f"epp-agent {VERSION}\n"), (["status", "--root"], 64, "")):
            done = subprocess.run([program, *argv], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout) == (code, told), done.stderr
            by_python = [sys.executable, "-IS", program, *argv]
            same = subprocess.run(by_python, capture_output=True, text=True, check=False)
            assert (same.returncode, same.stdout, same.stderr) == (code, told, done.stderr)


def test_it_starts_and_converges_on_every_python(agent: Path, tmp_path: Path, python: Path) -> None:
    """Byte code of another Python is passed over: the sources beside it work."""
    version = subprocess.run([python, "-IS", agent, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"epp-agent {VERSION}\n"
    policy = {"schedule": {"timezone": "Europe/Berlin"}, "sources": {"urls": ["http://127.0.0.1:1"]}}
    document = {"format": 1, "endpoint": "n1", "policy": policy}
    apply = [python, "-IS", agent, "--root", tmp_path, "apply"]
    results = [
        json.loads(subprocess.run(apply, input=json.dumps(document), capture_output=True, text=True, check=True).stdout)
        for _run in range(2)
    ]
    assert [result["changed"] for result in results] == [True, False]


@pytest.mark.skipif(sys.version_info < (3, 10), reason="sys.stdlib_module_names came with Python 3.10")
def test_it_runs_with_everything_but_the_standard_library_blocked(agent: Path, tmp_path: Path) -> None:
    """Every module of the agent is imported while anything that is not the standard library's is refused."""
    with zipfile.ZipFile(agent) as archive:
        modules = [name[:-3].replace("/", ".") for name in archive.namelist() if name.endswith(".py")]
    modules = [name.removesuffix(".__init__") for name in modules if not name.endswith("__main__")]
    script = f"""
import sys
import tempfile
class Block:
    def find_spec(self, name, path=None, target=None):
        top = name.partition('.')[0]
        if top != 'epp_autoupdate' and top not in sys.stdlib_module_names:
            raise ImportError('blocked: ' + name)
sys.meta_path.insert(0, Block())
sys.path.insert(0, {str(agent)!r})
import importlib
for name in {modules!r}:
    importlib.import_module(name)
print(len({modules!r}))
"""
    done = subprocess.run([sys.executable, "-IS", "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert int(done.stdout) == len(modules) > 40
