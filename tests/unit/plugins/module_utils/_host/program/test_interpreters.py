# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs are started by a Python that stays: the system's own; an image's by the image's, of whatever version."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils import _module
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.paths import SYSTEM_PYTHON
from ansible_collections.epp.autoupdate.plugins.module_utils._host.program.interpreters import (
    Interpreter,
    interpreter_of,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._host.program.zipapp import bytecode_tag

OURS = Interpreter(sys.executable, bytecode_tag())


class Live(LocalHost):
    """A folder that passes for the running system."""

    @property
    def live(self) -> bool:
        return True


def test_a_sandbox_has_the_python_that_runs_this(tmp_path: Path) -> None:
    assert interpreter_of(LocalHost(str(tmp_path))) == OURS
    assert interpreter_of(Live(str(tmp_path))) == OURS


@pytest.mark.parametrize(
    ("target", "chosen", "with_libraries"),
    [
        ("python3.9", Interpreter(SYSTEM_PYTHON, "cpython-39"), OURS),
        ("python3.13", Interpreter(SYSTEM_PYTHON, "cpython-313"), OURS),
        ("python3.6", OURS, OURS),  # the program would not run
        ("platform-python", OURS, OURS),  # of an unknown version
    ],
)
def test_a_live_host_has_its_systems_own_where_that_is_new_enough(
    tmp_path: Path, target: str, chosen: Interpreter, with_libraries: Interpreter
) -> None:
    """By the name that stays, whatever Ansible uses: a version's name goes with an upgrade, a home is hidden."""
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/python3").symlink_to(target)
    assert interpreter_of(Live(str(tmp_path))) == chosen
    assert interpreter_of(Live(str(tmp_path)), libraries=True) == with_libraries


@pytest.mark.parametrize("own_libraries", [False, True])
def test_the_same_python_gets_the_name_that_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_libraries: bool
) -> None:
    """But for a program that needs the libraries of the environment that this runs in."""
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/python3").symlink_to(os.path.realpath(sys.executable))
    monkeypatch.setattr(sys, "prefix", "/root/venv" if own_libraries else sys.base_prefix)
    stable = Interpreter(SYSTEM_PYTHON, bytecode_tag())
    assert interpreter_of(Live(str(tmp_path))) == stable
    assert interpreter_of(Live(str(tmp_path)), libraries=True) == (OURS if own_libraries else stable)


@pytest.mark.parametrize(
    ("links", "tag"),
    [
        ({"usr/bin/python3": "python3.9"}, "cpython-39"),  # Debian; here, and below, it leads nowhere
        ({"usr/bin/python3": "python3.13"}, "cpython-313"),
        (
            {"usr/bin/python3": "/etc/alternatives/python3", "etc/alternatives/python3": "/usr/bin/python3.12"},
            "cpython-312",
        ),
        ({"usr/bin/python3": "../../opt/python3.10"}, "cpython-310"),
        ({"usr/bin/python3": "python", "usr/bin/python": "python3"}, bytecode_tag()),  # in a circle
        ({"usr/bin/python3": "pypy3"}, bytecode_tag()),
    ],
)
def test_an_image_has_its_own(tmp_path: Path, links: dict[str, str], tag: str) -> None:
    for path, target in links.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).symlink_to(target)
    assert interpreter_of(LocalHost(str(tmp_path))) == Interpreter(SYSTEM_PYTHON, tag)


@pytest.mark.parametrize(("version", "refused"), [((3, 6, 15), True), ((3, 8, 18), True), ((3, 9, 2), False)])
def test_a_python_that_is_too_old_is_told_before_anything_is_loaded(version: tuple[int, ...], refused: bool) -> None:
    first = Path(_module.__file__)
    script = f"import runpy, sys; sys.version_info = {version!r}; runpy.run_path({str(first)!r})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", int(refused))
    if refused:
        told = json.loads(done.stdout)
        assert told["failed"]
        assert f"is Python 3.{version[1]}, and this collection needs 3.9 or newer" in told["msg"]
