# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian's packages of products, for machines that reach no mirror: what the shared root lacks, downloaded once."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import lab_root


def packages(*names: str) -> dict[str, Path]:
    """The packages and what they depend on, by file name; raises LabError when they can't be had."""
    root = lab_root.path()
    key = hashlib.sha256(" ".join((root.name, *sorted(names))).encode()).hexdigest()[:12]
    place = lab_root.CACHE / f"packages-{key}"
    done = place / "done"
    if not done.exists():
        for part in ("archives/partial", "lists/partial"):
            (place / part).mkdir(parents=True, exist_ok=True)
        (place / "sources.list").write_text(f"deb {lab_root.MIRROR} {lab_root.SUITE} main\n")
        _apt(place, root, "update")
        _apt(place, root, "install", "--download-only", *names)
        done.touch()
    return {path.name.replace("%3a", "-"): path for path in sorted((place / "archives").glob("*.deb"))}


def _apt(place: Path, root: Path, *words: str) -> None:
    """apt of this host, which sees the sources of ``place`` and the installed packages of ``root`` alone."""
    options = {
        "Dir::Cache": place,
        "Dir::Cache::archives": place / "archives",
        "Dir::State::lists": place / "lists",
        "Dir::State::status": root / "var/lib/dpkg/status",
        "Dir::State::extended_states": place / "extended_states",
        "Dir::Etc::sourcelist": place / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::trustedparts": root / "etc/apt/trusted.gpg.d",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Debug::NoLocking": "true",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
    }
    argv = ["apt-get", "-q", "-y", *(f"-o{name}={value}" for name, value in options.items()), *words]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600, env=environment)
    if done.returncode:
        raise lab_root.LabError(f"{' '.join(words)}: {done.stderr[-800:]}")
