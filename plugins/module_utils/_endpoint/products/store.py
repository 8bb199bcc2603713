# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: the directory that holds the components of the product ``files``.

::

    current -> releases/7-1f2e3d4c/files     what the protected product reads; replaced by one atomic rename
    releases/7-1f2e3d4c/files/…              one version, complete; unchanged files are hard links into the one before
    releases/7-1f2e3d4c/release.json         its manifest and the modification times by which hand edits are noticed
    releases/6-…/                            the version before, kept
    incoming/<sha256>[.part]                 downloads, whole and partial, named by what they are to be
    sources.json                             validators and cool-downs of the sources

Whatever moment a run is killed at, ``current`` leads to a complete version; the next run sweeps what lies about.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from typing import Any

from ..._core.canonical import digest, readable_json
from ..._core.manifest import InvalidManifest, Manifest, ManifestFile
from ..._core.values import value
from ..._host.durable import digest_of, sync_directory, write_durably

_RECORD = "release.json"
_OWN_TEMPORARIES = ("current.new", "sources.json.new")


@value
class Release:
    """An installed version: its files as they should be, and its (real) directory.

    ``times`` are modification times in ns, by path.
    """

    directory: str
    manifest: Manifest
    times: dict[str, int]

    @property
    def name(self) -> str:
        return os.path.basename(self.directory)

    def place(self, file: ManifestFile) -> str:
        return os.path.join(self.directory, "files", file.path)

    def holds(self, file: ManifestFile) -> bool:
        """Whether the file is there with the right content. Read in full only when its size or time is not as left."""
        path = self.place(file)
        try:
            state = os.lstat(path)
            if not os.path.isfile(path) or os.path.islink(path) or state.st_size != file.size:
                return False
            return state.st_mtime_ns == self.times.get(file.path) or digest_of(path) == file.sha256
        except OSError:
            return False

    def damaged(self) -> tuple[ManifestFile, ...]:
        """Files that are missing or not what they should be."""
        return tuple(file for file in self.manifest.files if not self.holds(file))

    def intact(self) -> dict[str, str]:
        """Real paths of the files that are as they should be, by their SHA-256: what hard links can be made from."""
        return {file.sha256: self.place(file) for file in self.manifest.files if self.holds(file)}


@value
class Store:
    """The directory, by its real path."""

    directory: str

    @property
    def incoming(self) -> str:
        return os.path.join(self.directory, "incoming")

    @property
    def _releases(self) -> str:
        return os.path.join(self.directory, "releases")

    @property
    def _current(self) -> str:
        return os.path.join(self.directory, "current")

    def installed(self) -> Release | None:
        """The version that ``current`` leads to; None when there is none or its record can't be read."""
        try:
            target = os.readlink(self._current)
        except OSError:
            return None
        match = re.fullmatch(r"releases/([^/]+)/files", target)
        return self._read_release(os.path.join(self._releases, match[1])) if match else None

    def sweep(self) -> None:
        """Make the directories and remove what a killed run left half done; downloads stay, to be resumed."""
        for directory in (self._releases, self.incoming):
            os.makedirs(directory, mode=0o755, exist_ok=True)
        for name in os.listdir(self._releases):
            if name.endswith(".new"):
                shutil.rmtree(os.path.join(self._releases, name))
        for name in _OWN_TEMPORARIES:  # by name: whatever else is in this directory may be somebody's
            try:
                os.unlink(os.path.join(self.directory, name))
            except FileNotFoundError:
                pass

    def install(self, manifest: Manifest, intact: Mapping[str, str]) -> Release:
        """Make this version current, from ``intact`` installed files and the downloads in ``incoming``: all of it or
        nothing."""
        name = self._free_name(f"{manifest.version}-{digest(manifest.to_dict())[:8]}")
        staging = os.path.join(self._releases, name + ".new")
        os.makedirs(os.path.join(staging, "files"))
        times = {file.path: self._stage(file, staging, intact) for file in manifest.files}
        record = {"manifest": manifest.to_dict(), "times": times}
        write_durably(os.path.join(staging, _RECORD), readable_json(record))
        _settle_tree(staging)
        final = os.path.join(self._releases, name)
        os.rename(staging, final)
        sync_directory(self._releases)
        self._point_to(name)
        return Release(final, manifest, times)

    def prune(self) -> None:
        """Keep the current version and the one before it, no download."""
        installed = self.installed()
        current = os.path.basename(installed.directory) if installed else ""
        own = (name for name in os.listdir(self._releases) if name != current and self._is_release(name))
        others = sorted(own, key=self._age, reverse=True)
        for name in others[1:]:
            shutil.rmtree(os.path.join(self._releases, name), ignore_errors=True)
        self.drop_incoming(keep=())

    def drop_incoming(self, *, keep: Iterable[str]) -> None:
        """Remove downloads other than those of these digests."""
        kept = set(keep)
        for name in os.listdir(self.incoming):
            if name.partition(".")[0] not in kept:
                os.unlink(os.path.join(self.incoming, name))

    def check_space(self, files: Iterable[ManifestFile]) -> None:
        """Raise OSError (ENOSPC) now, when the downloads can't fit, and not after an hour."""
        state = os.statvfs(self.directory)
        needed = sum(file.size for file in files)
        free = state.f_bavail * state.f_frsize + sum(item.stat().st_size for item in os.scandir(self.incoming))
        if needed > free:
            import errno

            why = f"no space left on device: {needed} bytes are needed, {free} are free"
            raise OSError(errno.ENOSPC, why, self.directory)

    def _stage(self, file: ManifestFile, staging: str, intact: Mapping[str, str]) -> int:
        """Put one file into a version that is being made; returns its modification time."""
        target = os.path.join(staging, "files", file.path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        # A link and not a rename: two files of one version may have the same content.
        os.link(intact.get(file.sha256) or os.path.join(self.incoming, file.sha256), target)
        return os.lstat(target).st_mtime_ns

    def _point_to(self, name: str) -> None:
        if os.path.isdir(self._current) and not os.path.islink(self._current):
            os.rename(self._current, os.path.join(self._releases, self._free_name("made-by-hand")))
        temporary = self._current + ".new"
        os.symlink(f"releases/{name}/files", temporary)
        os.replace(temporary, self._current)
        sync_directory(self.directory)

    def _free_name(self, wanted: str) -> str:
        """A release is never written to again, so mending one takes another name."""
        name, number = wanted, 1
        while os.path.lexists(os.path.join(self._releases, name)):
            number += 1
            name = f"{wanted}.{number}"
        return name

    def _is_release(self, name: str) -> bool:
        """Whether a directory is ours to remove: what was there by hand has no record."""
        return os.path.lexists(os.path.join(self._releases, name, _RECORD))

    def _age(self, name: str) -> float:
        return os.lstat(os.path.join(self._releases, name)).st_mtime

    def _read_release(self, directory: str) -> Release | None:
        try:
            with open(os.path.join(directory, _RECORD), "rb") as stream:
                raw: dict[str, Any] = json.load(stream)
            manifest = Manifest.parse(json.dumps(raw["manifest"]).encode())
            return Release(directory, manifest, dict(raw["times"]))
        except (OSError, ValueError, KeyError, TypeError, InvalidManifest):
            return None


def _settle_tree(directory: str) -> None:
    """Make a tree readable for every user whatever our umask, and its names durable; the contents are already."""
    for parent, _directories, _files in os.walk(directory):
        os.chmod(parent, 0o755)  # noqa: S103  components are public
        sync_directory(parent)
