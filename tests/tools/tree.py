# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work tree where Ansible looks for collections: as a link for quick use, as a copy for ansible-test.

ansible-test insists on a real path that ends in ``ansible_collections/NAMESPACE/NAME``; a link is refused.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

_PLACE = Path("ansible_collections", "epp", "autoupdate")
_NOT_OURS = {".git", ".cache", ".ansible", ".nox", ".venv", ".tox", "__pycache__", "collections", "output"}


def link(root: Path, parent: Path) -> Path:
    """Make ``parent/ansible_collections/epp/autoupdate`` point at the work tree; return ``parent``."""
    place = parent / _PLACE
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_symlink() or os.readlink(place) != str(root):
        place.unlink(missing_ok=True)
        place.symlink_to(root, target_is_directory=True)
    return parent


def copy(root: Path, parent: Path) -> Path:
    """Copy what git would track (committed or not) to ``parent/ansible_collections/epp/autoupdate``; return that."""
    place = parent / _PLACE
    shutil.rmtree(parent, ignore_errors=True)
    for name in files(root):
        source, target = root / name, place / name
        if source.is_symlink() or source.is_file():  # git also names files that were just deleted
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    if shutil.which("git"):
        # ansible-test asks git for the files; without a repository here it asks the outer one, which ignores .cache.
        subprocess.run(["git", "init", "--quiet", str(place)], check=True)
    return place


def files(root: Path) -> list[str]:
    """Every file of the project, relative to its root, sorted; build products and caches are not among them."""
    # The option lets root check a clone that belongs to somebody else.
    git = ["git", "-c", f"safe.directory={root}", "ls-files", "-z", "-co", "--exclude-standard"]
    try:
        listed = subprocess.run(git, cwd=root, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return sorted(_walk(root))
    return sorted({name for name in os.fsdecode(listed).split("\0") if name and (root / name).exists()})


def _walk(root: Path) -> list[str]:
    found = []
    for directory, subdirectories, names in os.walk(root):
        subdirectories[:] = [name for name in subdirectories if name not in _NOT_OURS]
        found += [os.path.relpath(os.path.join(directory, name), root) for name in names]
    return found
