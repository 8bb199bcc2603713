# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cvdupdate and what it needs as wheels, for machines that reach no package index."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import lab_root
from packaging.markers import Marker

LOCK = Path(__file__).resolve().parents[2] / "roles" / "server" / "files" / "cvdupdate.txt"
PYTHON = {"bullseye": "3.9", "bookworm": "3.11", "trixie": "3.13"}.get(lab_root.SUITE, "3.14")
"""That of the lab's machines; some wheels are made for one version."""


def wheels() -> dict[str, Path]:
    """The wheels of the role's lock file by name, got from PyPI once. Raises LabError when they can't be."""
    place = lab_root.CACHE / f"wheels-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}-{PYTHON}"
    if not any(place.glob("cvdupdate-*.whl")):
        place.mkdir(parents=True, exist_ok=True)
        wanted = place / "wanted.txt"
        wanted.write_text(for_python(LOCK.read_text(encoding="utf-8"), PYTHON), encoding="utf-8")
        exact = ["--require-hashes", "--no-deps", "--only-binary=:all:"]
        for_debian = ["--python-version", PYTHON, "--implementation", "cp"]
        argv = [sys.executable, "-m", "pip", "download", "-q", *exact, *for_debian]
        argv += ["--dest", str(place), "-r", str(wanted)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            raise lab_root.LabError(done.stderr[-800:])
    return {path.name: path for path in place.glob("*.whl")}


def for_python(lock: str, version: str) -> str:
    """What a lock file has for a version of Python: pip takes markers for the Python that it runs on itself."""
    blocks = re.split(r"\n(?=[A-Za-z])", re.sub(r"^#.*\n|^\n", "", lock, flags=re.MULTILINE))
    environment = {"python_full_version": f"{version}.1", "python_version": version}
    chosen = []
    for block in blocks:
        requirement, _backslash, hashes = block.partition(" \\\n")
        name, _semicolon, marker = requirement.partition(" ; ")
        if not marker or Marker(marker).evaluate(environment):
            chosen.append(f"{name} \\\n{hashes}")
    return "\n".join(chosen) + "\n"


def index(names: list[str]) -> str:
    """A page that pip takes as ``--find-links``."""
    return "".join(f'<a href="{name}">{name}</a>\n' for name in names)
