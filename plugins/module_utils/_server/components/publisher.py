# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publish a folder as a version that the product ``files`` can take (layout: ``_core/metadata/manifest.py``).

Readers never see half a version: contents go first, each under its digest, the manifest goes last in one rename.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from ..._core.canonical import readable_json
from ..._core.metadata.manifest import NAME, InvalidManifest, Manifest, ManifestFile
from ..._core.values import replace
from ..._host.filesystem.atomic_files import digest_in, write_durably
from ..._host.filesystem.safe_paths import open_file
from .declared import OWN_FILES, Declaration
from .objects import opened, prune, retire, store

_REPOSITORIES = (".git", ".hg", ".svn")
"""What version control keeps in a working directory: no part of the set."""
_UNKNOWN = "0"


def publish(folder: str, target: str, manifest: Manifest) -> None:
    """Publish a manifest of the files of ``folder`` in ``target``, the directory that a web server serves.

    Objects that no longer belong to it are kept for a day, for readers who hold an older manifest. Raises
    InvalidManifest for content that changed since the manifest was made.
    """
    before = published(target)
    store_objects(folder, target, manifest)
    write_durably(os.path.join(target, NAME), readable_json(manifest.to_dict()))
    keep = {file.sha256 for file in manifest.files}
    retire(target, before, keep)
    prune(target, keep)


def store_objects(folder: str, target: str, manifest: Manifest) -> None:
    """Put the contents of a manifest in their places below ``target``; raises InvalidManifest as ``publish`` does."""
    for file in manifest.files:
        store(folder, file, target)


def published(target: str) -> Manifest | None:
    """What a directory publishes now, None when nothing does."""
    try:
        with open(open_file(os.path.join(target, NAME)), "rb") as stream:
            return Manifest.parse(stream.read())
    except (FileNotFoundError, InvalidManifest):
        return None


def described(folder: str, declaration: Declaration) -> list[ManifestFile]:
    """The files of a folder, as yet without versions; raises InvalidManifest for what is never published."""
    return [_described(folder, path, declaration) for path in _paths(folder) if path not in OWN_FILES]


def unchanged(files: Iterable[ManifestFile], before: Manifest) -> bool:
    """Whether these are the files of a manifest: the same content in the same components."""
    return _contents(files) == _contents(before.files)


def manifest_of(files: Iterable[ManifestFile], version: str, before: Manifest | None) -> Manifest:
    """The manifest of these files as a version; a component in which nothing changed keeps its own.

    Raises InvalidManifest for names that no endpoint would take.
    """
    found = list(files)
    known = {file.path: file for file in before.files} if before else {}
    kept = _kept_versions(found, before)
    versioned = []
    for file in found:
        now = replace(file, version=kept.get(file.component, version))
        same = known.get(file.path)
        versioned.append(replace(now, built=same.built) if same and same.sha256 == file.sha256 else now)
    # Checked by reading what endpoints will read.
    return Manifest.parse(readable_json(Manifest.of(version, versioned).to_dict()))


def _kept_versions(files: list[ManifestFile], before: Manifest | None) -> dict[str, str]:
    """The versions of components whose files are those of before."""
    if before is None:
        return {}
    old, new = _contents(before.files), _contents(files)
    versions = {file.component: file.version for file in before.files}
    return {name: version for name, version in versions.items() if old[name] == new.get(name)}


def _contents(files: Iterable[ManifestFile]) -> dict[str, set[tuple[str, str, str]]]:
    """What each component consists of."""
    found: dict[str, set[tuple[str, str, str]]] = {}
    for file in files:
        found.setdefault(file.component, set()).add((file.path, file.kind.value, file.sha256))
    return found


def _described(folder: str, path: str, declaration: Declaration) -> ManifestFile:
    component, kind = declaration.place_of(path)
    with opened(folder, path) as stream:
        state = os.fstat(stream.fileno())
        return ManifestFile(
            path=path,
            component=component,
            version=_UNKNOWN,
            kind=kind,
            size=state.st_size,
            sha256=digest_in(stream),
            built=int(state.st_mtime),
        )


def _paths(folder: str) -> Iterator[str]:
    for parent, directories, names in os.walk(folder):
        directories[:] = sorted(name for name in directories if name not in _REPOSITORIES)
        links = (one for one in directories if os.path.islink(os.path.join(parent, one)))
        for name in sorted([*(name for name in names if name not in _REPOSITORIES), *links]):
            path = os.path.join(parent, name)
            relative = os.path.relpath(path, folder).replace(os.sep, "/")
            # Through a link, whoever fills the folder could publish any file of the server.
            if os.path.islink(path) or not os.path.isfile(path):
                raise InvalidManifest(f"{relative}: not a regular file")
            yield relative
