# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory that holds the components of the product ``files``.

::

    current -> releases/7-1f2e3d4c/files     what the protected product reads; replaced by one atomic rename
    releases/7-1f2e3d4c/files/…              one version, complete; unchanged files are hard links into the one before
    releases/7-1f2e3d4c/release.json         its manifest and the modification times by which hand edits are noticed
    releases/6-…/                            versions before, kept to go back to
    incoming/<sha256>[.part]                 downloads, whole and partial, named by what they are to be
    sources.json                             validators and cool-downs of the sources

Whatever moment a run is killed at, ``current`` leads to a complete version; the next run sweeps what lies about.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from ...._core.canonical import digest, readable_json
from ...._core.holds import Hold, Holds
from ...._core.metadata.manifest import InvalidManifest, Manifest, ManifestFile
from ...._core.settings.trust import RestoreSettings
from ...._core.values import frozen
from ...._host.filesystem.atomic_files import digest_of
from ...._host.filesystem.open_directory import OpenDirectory, temporary_name
from ...._host.filesystem.removal import remove
from ...._host.filesystem.safe_paths import open_directory, open_file, open_parent

_CURRENT = "current"
_RECORD = "release.json"
_UNFINISHED = ".new"
_OWN_TEMPORARIES = (temporary_name(_CURRENT), temporary_name("sources.json"))


@frozen
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


@frozen
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
        return os.path.join(self.directory, _CURRENT)

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
        with open_directory(self.incoming, make=True), open_directory(self._releases, make=True) as releases:
            for name in releases.names():
                if name.endswith(_UNFINISHED):
                    remove(releases, name)
        with open_directory(self.directory) as directory:
            for name in _OWN_TEMPORARIES:  # by name: whatever else is in this directory may be somebody's
                directory.unlink(name)

    def install(self, manifest: Manifest, intact: Mapping[str, str]) -> Release:
        """Make this version current, from ``intact`` installed files and the downloads in ``incoming``: all of it or
        nothing."""
        name = self._free_name(f"{manifest.version}-{digest(manifest.to_dict())[:8]}")
        with open_directory(self._releases) as releases:
            with releases.inner(name + _UNFINISHED, make=True) as staging:
                with staging.inner("files", make=True) as files:
                    times = {file.path: self._stage(file, files, intact) for file in manifest.files}
                    _sync_folders(files, manifest)
                record = {"manifest": manifest.to_dict(), "times": times}
                staging.write(_RECORD, readable_json(record), mode=0o644)
            releases.rename(name + _UNFINISHED, releases, name)
            releases.sync()
        self._point_to(name)
        return Release(os.path.join(self._releases, name), manifest, times)

    def restore(self, holds: Holds) -> Release | None:
        """Make the newest other version current that is whole and not held, and remove those that are newer.

        Returns None, and changes nothing, where there is none.
        """
        others = self._others()
        for place, name in enumerate(others):
            release = self._read_release(os.path.join(self._releases, name))
            if release is None or held_in(release.manifest, holds) is not None or release.damaged():
                continue
            bad = self.installed()
            self._point_to(name)
            with open_directory(self._releases) as releases:
                for newer in (*others[:place], *([bad.name] if bad else [])):
                    remove(releases, newer)
            return release
        return None

    def prune(self, settings: RestoreSettings) -> None:
        """Keep the current version and as many before it as the settings allow, no download.

        The one before it is within any space.
        """
        installed, taken = self.installed(), 0
        seen = set(installed.manifest.files) if installed else set()
        with open_directory(self._releases) as releases:
            for place, name in enumerate(self._others()):
                release = self._read_release(os.path.join(self._releases, name))
                new = set(release.manifest.files) - seen if release else set()
                taken += sum(file.size for file in new)
                seen |= new
                if place >= settings.keep_versions or (place and taken > settings.keep_space):
                    with suppress(OSError):
                        remove(releases, name)
        self.drop_incoming(keep=())

    def _others(self) -> list[str]:
        """The versions that are not current, the newest first."""
        installed = self.installed()
        current = os.path.basename(installed.directory) if installed else ""
        own = (name for name in os.listdir(self._releases) if name != current and self._is_release(name))
        return sorted(own, key=self._age, reverse=True)

    def drop_incoming(self, *, keep: Iterable[str]) -> None:
        """Remove downloads other than those of these digests."""
        kept = set(keep)
        with open_directory(self.incoming) as incoming:
            for name in incoming.names():
                if name.partition(".")[0] not in kept:
                    incoming.unlink(name)

    def check_space(self, files: Iterable[ManifestFile]) -> None:
        """Raise OSError (ENOSPC) now, when the downloads can't fit, and not after an hour."""
        state = os.statvfs(self.directory)
        needed = sum(file.size for file in files)
        free = state.f_bavail * state.f_frsize + sum(item.stat().st_size for item in os.scandir(self.incoming))
        if needed > free:
            import errno

            why = f"no space left on device: {needed} bytes are needed, {free} are free"
            raise OSError(errno.ENOSPC, why, self.directory)

    def _stage(self, file: ManifestFile, files: OpenDirectory, intact: Mapping[str, str]) -> int:
        """Put one file into a version that is being made; returns its modification time."""
        folder, _slash, name = file.path.rpartition("/")
        source = intact.get(file.sha256) or os.path.join(self.incoming, file.sha256)
        with files.descend(folder, make=True) as target, open_parent(source) as origin:
            # A link and not a rename: two files of one version may have the same content.
            origin.hard_link(os.path.basename(source), target, name)
            return os.lstat(name, dir_fd=target.descriptor).st_mtime_ns

    def _point_to(self, name: str) -> None:
        with open_directory(self.directory) as directory:
            state = directory.status(_CURRENT)
            if state is not None and stat.S_ISDIR(state.st_mode):
                with open_directory(self._releases) as releases:
                    directory.rename(_CURRENT, releases, self._free_name("made-by-hand"))
            directory.link(_CURRENT, f"releases/{name}/files")

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
            with open(open_file(os.path.join(directory, _RECORD)), "rb") as stream:
                raw: dict[str, Any] = json.load(stream)
            manifest = Manifest.parse(json.dumps(raw["manifest"]).encode())
            return Release(directory, manifest, dict(raw["times"]))
        except (OSError, ValueError, KeyError, TypeError, InvalidManifest):
            return None


def held_in(manifest: Manifest, holds: Holds) -> tuple[str, Hold] | None:
    """What of a version is held, in words, and its hold: the version as a whole, or that of one of its components."""
    versions = {file.component: file.version for file in manifest.files}
    for hold in holds.entries:
        if not hold.component and hold.version == manifest.version:
            return f"version {manifest.version}", hold
        if hold.component and versions.get(hold.component) == hold.version:
            return f"{hold.component} {hold.version}", hold
    return None


def _sync_folders(files: OpenDirectory, manifest: Manifest) -> None:
    """Make the names in a tree durable; the contents are already."""
    folders = {""}
    for file in manifest.files:
        parts = file.path.split("/")
        folders |= {"/".join(parts[:length]) for length in range(1, len(parts))}
    for folder in folders:
        with files.descend(folder) as directory:
            directory.sync()
