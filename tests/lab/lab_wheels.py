# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cvdupdate and what it needs as wheels, for machines that reach no package index."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import lab_root

REQUIREMENT = "cvdupdate==1.2.0"
PYTHON = {"bullseye": "3.9", "bookworm": "3.11", "trixie": "3.13"}.get(lab_root.SUITE, "3.13")
"""That of the lab's machines; some wheels are made for one version."""


def wheels() -> dict[str, Path]:
    """The wheels by name, got from PyPI once. Raises LabError when they can't be."""
    place = lab_root.CACHE / f"wheels-{REQUIREMENT}-{PYTHON}"
    if not any(place.glob("cvdupdate-*.whl")):
        for_debian = ["--only-binary=:all:", "--python-version", PYTHON, "--implementation", "cp"]
        argv = [sys.executable, "-m", "pip", "download", "-q", *for_debian, "--dest", str(place), REQUIREMENT]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            raise lab_root.LabError(done.stderr[-800:])
    return {path.name: path for path in place.glob("*.whl")}


def index(names: list[str]) -> str:
    """A page that pip takes as ``--find-links``."""
    return "".join(f'<a href="{name}">{name}</a>\n' for name in names)
