# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Property tests judge results, never the speed of the machine: on a busy one they must not fail.

A test with an argument ``python`` runs on every Python of endpoints that is here, those between the oldest and the
newest one as heavy cases.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

_PLACES = [Path(f"/usr/bin/python3.{number}") for number in range(9, 15)]
_OLDEST = 9


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., None]:
    """``once(place, make)``: a file's first test makes what lies at ``place``, every other one gets a copy of it.

    Where a file needs more than one such thing, a third argument says which.
    """
    directory = tmp_path_factory.mktemp("once")

    def have(place: Path, make: Callable[[], object], which: str = "kept") -> None:
        kept = directory / which
        if kept.exists():
            shutil.copytree(kept, place, symlinks=True, dirs_exist_ok=True)
        else:
            make()
            shutil.copytree(place, kept, symlinks=True)

    return have


def pytest_configure(config: pytest.Config) -> None:
    """Name the mark for ansible-test, too, which has a configuration of its own and knows no other marks."""
    config.addinivalue_line("markers", "heavy: one of many cases, or a long one; not for every day")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "python" in metafunc.fixturenames:
        found = [*filter(Path.exists, _PLACES), *sorted(Path.home().glob(".pyenv/versions/3.*/bin/python3"))]
        known = {python: _minor(python) for python in found}
        supported = [python for python in found if known[python] >= _OLDEST] or [Path(sys.executable)]
        minors = sorted(known[python] for python in supported if python in known)
        ends = [python for python in supported if known.get(python) in (*minors[:1], *minors[-1:])]
        cases = [python if python in ends else pytest.param(python, marks=pytest.mark.heavy) for python in supported]
        metafunc.parametrize("python", cases, ids=lambda python: f"3.{known.get(python, 'x')}")


def _minor(python: Path) -> int:
    done = subprocess.run([python, "-c", "import sys; print(sys.version_info[1])"], capture_output=True, check=True)
    return int(done.stdout)
