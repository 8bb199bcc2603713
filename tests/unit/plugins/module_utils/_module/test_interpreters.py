# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image's programs are started by the image's own Python, of whatever version."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.live_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.zipped import bytecode_tag
from ansible_collections.epp.autoupdate.plugins.module_utils._module.interpreters import (
    SYSTEM_PYTHON,
    Interpreter,
    interpreter_of,
)

OURS = Interpreter(sys.executable, bytecode_tag())


def test_a_sandbox_and_a_live_host_have_the_python_that_runs_this(tmp_path: Path) -> None:
    assert interpreter_of(LocalHost(str(tmp_path))) == OURS
    assert interpreter_of(LocalHost("")) == OURS


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
