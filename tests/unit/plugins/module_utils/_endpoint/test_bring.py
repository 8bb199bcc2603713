# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A converge that brings the agent: one process on a host that holds nothing of ours, on every Python."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import payload
from ansible_collections.epp.autoupdate.plugins.module_utils._host.program.sources import (
    FILE,
    START,
    packed,
)

POLICY = {"schedule": {"timezone": "Europe/Berlin"}, "sources": {"urls": ["http://127.0.0.1:1"]}}
DOCUMENT = {"format": 1, "endpoint": "n1", "policy": POLICY}
PYTHON = Path(sys.executable)
AGENT = "usr/local/bin/epp-agent"


def bring(python: Path, root: Path, *flags: str, archive: bytes = b"") -> dict[str, Any]:
    """What a converge of this directory tells that brings the agent."""
    packet = packed("_endpoint.bring", payload.sources(), json.dumps(DOCUMENT).encode(), archive)
    argv = [python, "-IS", "-c", START, "--root", root, "apply", *flags]
    told = subprocess.run(argv, input=packet, capture_output=True, check=True).stdout
    result: dict[str, Any] = json.loads(told)
    return result


def test_it_installs_the_agent_that_then_finds_nothing_to_change(python: Path, tmp_path: Path) -> None:
    """Whether the code that a control node brings is for this Python or for another one."""
    first = bring(python, tmp_path, archive=payload.packed(payload.sources()))
    assert first["changed"] is True
    assert {"path": f"/{AGENT}", "action": "create"} in first["changes"]
    agent = tmp_path / AGENT
    digest = payload.digest(payload.sources())
    own, tag = payload.identity_of(agent.read_bytes()) or ("", "")
    assert own == digest
    assert tag.startswith("cpython-3")
    apply = [python, "-IS", agent, "--root", tmp_path, "apply", "--digest", digest]
    again = subprocess.run(apply, input=json.dumps(DOCUMENT).encode(), capture_output=True, check=True).stdout
    assert json.loads(again)["changed"] is False
    assert bring(python, tmp_path)["changed"] is False


def test_the_agent_is_the_one_that_a_build_of_the_running_library_makes(tmp_path: Path, agent: Path) -> None:
    bring(PYTHON, tmp_path)
    assert payload.identity_of((tmp_path / AGENT).read_bytes()) == payload.identity_of(agent.read_bytes())


def test_check_mode_writes_nothing_and_foretells_the_converge(tmp_path: Path) -> None:
    foretold = bring(PYTHON, tmp_path, "--check", "--diff")
    assert list(tmp_path.iterdir()) == []
    assert bring(PYTHON, tmp_path, "--diff")["changes"] == foretold["changes"]
    assert bring(PYTHON, tmp_path, "--absent")["changed"] is True
    assert not (tmp_path / AGENT).exists()


def test_a_refused_document_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    argv = [PYTHON, "-IS", "-c", START, "--root", tmp_path, "apply"]
    packet = packed("_endpoint.bring", payload.sources(), b'{"format": 1, "endpoint": "n1", "prodct": "files"}')
    done = subprocess.run(argv, input=packet, capture_output=True, check=False)
    assert "prodct" in json.loads(done.stdout)["msg"]
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_compiled_where_the_code_was_brought(tmp_path: Path) -> None:
    """But what says which agent this is, and where it starts, and the one file that starts it all."""
    own = {f"epp_autoupdate/{name}" for name in ("__init__.py", "__main__.py", "_identity.py", FILE)}
    assert set(compilations(tmp_path, payload.packed(payload.sources()))) <= own


def test_each_source_is_compiled_once(tmp_path: Path) -> None:
    """The code that runs is the code that is built in; the one file that starts it all is not there yet."""
    seen = compilations(tmp_path)
    assert {f"epp_autoupdate/{name}" for name in payload.sources()} <= set(seen)
    assert set(seen.values()) == {1}


def compilations(root: Path, archive: bytes = b"") -> dict[str, int]:
    """How often a converge that brings the agent compiles each file of it."""
    script = f"""
import collections, sys
seen = collections.Counter()
def hook(event, arguments):
    if event == "compile" and str(arguments[1]).startswith("epp_autoupdate/"):
        seen[arguments[1]] += 1
sys.addaudithook(hook)
try:
    exec({START!r})
except SystemExit as end:
    assert end.code == 0
sys.stderr.write(repr(dict(seen)))
"""
    packet = packed("_endpoint.bring", payload.sources(), json.dumps(DOCUMENT).encode(), archive)
    argv = [PYTHON, "-IS", "-c", script, "--root", root, "apply"]
    done = subprocess.run(argv, input=packet, capture_output=True, check=True)
    seen: dict[str, int] = ast.literal_eval(done.stderr.decode())
    return seen


def test_a_python_that_is_too_old_ends_without_a_word(python: Path) -> None:
    script = f"import sys;sys.version_info=(3,8);exec({START!r})"
    done = subprocess.run([python, "-IS", "-c", script], input=b"", capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"", b"")
