# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A package source of the real apt-get, and a root directory whose packages come from it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

needs_apt = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("apt-get", "dpkg-deb", "dpkg-query"))),
    reason="packages are installed into a directory by root, with apt-get and dpkg-deb",
)
NAMES = ("clamav", "libclamav12")
"""What stands for the packages of an engine, without the engine."""


class Repository:
    """A directory of packages with its index, as ``deb copy:... ./`` reads it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()
        self._entries: list[str] = []
        self._write_index()

    def publish(self, version: str, *names: str, depends: str = "") -> None:
        """Add a version of these packages, by default of all of the engine."""
        for name in names or NAMES:
            self._add(name, version, depends)
        self._write_index()

    def withdraw(self) -> None:
        """Offer nothing any more, and keep what was fetched out of reach."""
        for path in self.directory.glob("*.deb"):
            path.unlink()
        self._entries.clear()
        self._write_index()

    def lose(self) -> None:
        """Be gone."""
        shutil.rmtree(self.directory)

    def _add(self, name: str, version: str, depends: str) -> None:
        control = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Tests <tests@example.com>\n"
        control += "" if name == "clamav" else "Source: clamav\n"
        control += f"Depends: {depends}\n" if depends else ""
        control += "Description: stands for a package\n"
        tree = self.directory / "tree"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(control)
        (tree / "etc/clamav").mkdir(parents=True)
        (tree / f"etc/clamav/{name}.conf").write_text(f"as packed in {version}\n")
        (tree / "DEBIAN/conffiles").write_text(f"/etc/clamav/{name}.conf\n")
        file = self.directory / f"{name}_{version}_all.deb"
        build = ["dpkg-deb", "-Znone", "--root-owner-group", "--build", str(tree), str(file)]
        subprocess.run(build, check=True, capture_output=True)
        shutil.rmtree(tree)
        content = file.read_bytes()
        facts = f"Filename: ./{file.name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"
        self._entries.append(control + facts)

    def _write_index(self) -> None:
        (self.directory / "Packages").write_text("\n".join(self._entries))


def prepare(root: Path, repository: Repository) -> None:
    """What dpkg and apt-get need below a root directory, with that source."""
    for name in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "var/lib/apt/lists/partial", "var/log/apt"):
        (root / name).mkdir(parents=True)
    for name in ("var/cache/apt/archives/partial", "var/lib/dpkg/updates", "var/lib/dpkg/info", "usr/bin"):
        (root / name).mkdir(parents=True)
    for name in ("var/lib/dpkg/status", "var/lib/dpkg/available", "usr/bin/apt-get", "usr/bin/dpkg-query"):
        (root / name).touch()
    (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] copy:{repository.directory} ./\n")


def install(root: Path, repository: Repository, version: str) -> None:
    """Install this version of the packages by dpkg itself."""
    files = [repository.directory / f"{name}_{version}_all.deb" for name in NAMES]
    subprocess.run(["dpkg", f"--root={root}", "--install", *files], check=True, capture_output=True)
