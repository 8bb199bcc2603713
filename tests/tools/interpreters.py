# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which real Pythons this machine has.

Version managers put shims on PATH that may answer "command not found"; ansible-test dies of that, and a virtual
environment must not be built on one. So shims are left out, and the interpreters behind them are put in.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CONTROLLER_VERSIONS = ((3, 11), (3, 12), (3, 13))
"""What ansible-core 2.19 runs on."""

OLDEST_TARGET = (3, 9)
"""The oldest Python that endpoints may have."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that starts; ``version`` is major and minor."""

    path: str
    version: tuple[int, int]

    @property
    def dotted(self) -> str:
        """As ansible-test wants it: ``3.11``."""
        return "{}.{}".format(*self.version)


def search_path() -> str:
    """PATH without shims, and with every interpreter that pyenv has installed at its end."""
    managed = sorted(Path.home().glob(".pyenv/versions/*/bin"))
    found = [part for part in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(part).name != "shims"]
    return os.pathsep.join([*found, *map(str, managed)])


def find(version: tuple[int, int]) -> Interpreter | None:
    """The first interpreter of this version, the running one before all others."""
    running = sys.executable if sys.version_info[:2] == version else None
    path = running or shutil.which("python{}.{}".format(*version), path=search_path())
    if path is None or not _answers(path, version):
        return None
    return Interpreter(path, version)


def controller() -> Interpreter:
    """The interpreter for ansible-core: the running one if it will do, else the oldest that does."""
    wanted = sorted(CONTROLLER_VERSIONS, key=lambda version: version != sys.version_info[:2])
    for version in wanted:
        interpreter = find(version)
        if interpreter is not None:
            return interpreter
    names = ", ".join("{}.{}".format(*version) for version in CONTROLLER_VERSIONS)
    raise LookupError(f"no Python of {names} found on PATH or under ~/.pyenv; ansible-core 2.19 needs one of them")


def _answers(path: str, version: tuple[int, int]) -> bool:
    code = f"import sys; sys.exit(sys.version_info[:2] != {version!r})"
    return subprocess.run([path, "-c", code], check=False, capture_output=True).returncode == 0
