# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a converge put on machines, as values: to compare two deployments, and to deploy the same by other means."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

# What machines write by themselves, whoever deploys.
NOISE = (
    "/etc/.pwd.lock",
    "/etc/.updated",
    "/etc/machine-id",
    "/root/.ansible",
    "/root/.cache",
    "/run",
    "/tmp",
    "/var/.updated",
    "/var/lib/systemd",
    "/var/log",
    "/var/tmp",
)

# What the agent writes when it works, and freshclam when the agent tries it: not deployed but made on the machine.
AGENT_RECORDS = (
    "/var/lib/epp-autoupdate/report.json",
    "/var/lib/epp-autoupdate/reporting.json",
    "/var/lib/epp-autoupdate/state.json",
    "/var/lib/epp-autoupdate/status.json",
    "/var/lib/clamav/freshclam.dat",
)


@dataclass(frozen=True)
class Item:
    """One directory, file, link or deletion; ``text`` is the content, or where the link points."""

    kind: str
    mode: str
    owner: str
    text: bytes = b""

    def __str__(self) -> str:
        digest = hashlib.sha256(self.text).hexdigest()[:12] if self.kind == "file" else self.text.decode()
        return " ".join(filter(None, (self.kind, self.mode, self.owner, digest)))


Manifest = dict[str, Item]


def manifest(upper: Path, lower: Path) -> Manifest:
    """Everything in the overlay ``upper`` that is not in the shared root ``lower``, but for noise and records."""
    found: Manifest = {}
    for directory, names, files in os.walk(upper):
        for name in (*names, *files):
            path = Path(directory, name)
            inside = f"/{path.relative_to(upper)}"
            item = None if _ignored(inside) else _item(path, lower / inside[1:])
            if item:
                found[inside] = item
    return found


def differences(wanted: Manifest, found: Manifest) -> list[str]:
    """One line for every path that is not the same in both."""
    paths = [path for path in sorted(wanted.keys() | found.keys()) if wanted.get(path) != found.get(path)]
    return [f"{path}: {wanted.get(path, 'nothing')} became {found.get(path, 'nothing')}" for path in paths]


def _ignored(path: str) -> bool:
    return path in AGENT_RECORDS or any(path == noise or path.startswith(f"{noise}/") for noise in NOISE)


def _item(path: Path, below: Path) -> Item | None:
    facts = path.lstat()
    mode, owner = f"{stat.S_IMODE(facts.st_mode):04o}", f"{facts.st_uid}:{facts.st_gid}"
    if stat.S_ISDIR(facts.st_mode):
        # The overlay keeps a copy of every directory in which something was ever changed.
        return None if below.is_dir() and not below.is_symlink() else Item("directory", mode, owner)
    if stat.S_ISLNK(facts.st_mode):
        return Item("link", "", "", os.readlink(path).encode())
    if stat.S_ISREG(facts.st_mode):
        return Item("file", mode, owner, path.read_bytes())
    if stat.S_ISCHR(facts.st_mode) and facts.st_rdev == 0:
        return Item("deletion", "", "") if os.path.lexists(below) else None
    return None
