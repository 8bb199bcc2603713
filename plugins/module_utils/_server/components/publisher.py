# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: publish a folder as a version that the product ``files`` can take (layout: ``_core/manifest.py``).

Readers never see half a version: contents go first, each under its digest, the manifest goes last in one rename.
The first directory of a path says the kind of a file (``patterns/``, ``engines/``, ``programs/``); a file elsewhere
is a program. Its component is named after its path: ``patterns/a.dat`` is ``patterns-a``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator

from ..._core.canonical import readable_json
from ..._core.manifest import NAME, InvalidManifest, Kind, Manifest, ManifestFile
from ..._host.durable import digest_in, write_durably
from .objects import opened, prune, retire, store

_KINDS = {"patterns": Kind.PATTERN, "engines": Kind.ENGINE, "programs": Kind.PROGRAM}


def publish(folder: str, target: str, version: str, *, without: Collection[str] = ()) -> Manifest:
    """Publish the files of ``folder``, but for the paths ``without``, as ``version`` in ``target``, the directory that
    a web server serves.

    A file whose content did not change keeps the version that its component had. Objects that no longer
    belong to it are kept for a day, for readers who hold an older manifest. Raises InvalidManifest for names that no
    endpoint would take.
    """
    before = published(target)
    manifest = _manifest(folder, version, before, without)
    for file in manifest.files:
        store(folder, file, target)
    write_durably(os.path.join(target, NAME), readable_json(manifest.to_dict()))
    os.chmod(os.path.join(target, NAME), 0o644)
    keep = {file.sha256 for file in manifest.files}
    retire(target, before, keep)
    prune(target, keep)
    return manifest


def published(target: str) -> Manifest | None:
    """What a directory publishes now, None when nothing does."""
    try:
        with open(os.path.join(target, NAME), "rb") as stream:
            return Manifest.parse(stream.read())
    except (FileNotFoundError, InvalidManifest):
        return None


def unchanged(folder: str, before: Manifest, *, without: Collection[str] = ()) -> bool:
    """Whether a folder holds exactly the files of a manifest."""
    if sorted(path for path in _paths(folder) if path not in without) != [file.path for file in before.files]:
        return False
    return all(_holds(folder, file) for file in before.files)


def _holds(folder: str, file: ManifestFile) -> bool:
    with opened(folder, file.path) as stream:
        return os.fstat(stream.fileno()).st_size == file.size and digest_in(stream) == file.sha256


def _manifest(folder: str, version: str, before: Manifest | None, without: Collection[str]) -> Manifest:
    known = {file.path: file for file in before.files} if before else {}
    files = []
    for path in (path for path in _paths(folder) if path not in without):
        file = _described(folder, path, version)
        same = known.get(path)
        files.append(same if same and same.sha256 == file.sha256 else file)
    # Checked by reading what endpoints will read.
    return Manifest.parse(readable_json(Manifest.of(version, files).to_dict()))


def _described(folder: str, path: str, version: str) -> ManifestFile:
    with opened(folder, path) as stream:
        state = os.fstat(stream.fileno())
        return ManifestFile(
            path=path,
            component=_component(path),
            version=version,
            kind=_KINDS.get(path.partition("/")[0], Kind.PROGRAM),
            size=state.st_size,
            sha256=digest_in(stream),
            built=int(state.st_mtime),
        )


def _paths(folder: str) -> Iterator[str]:
    for parent, directories, names in os.walk(folder):
        directories.sort()
        for name in sorted([*names, *(one for one in directories if os.path.islink(os.path.join(parent, one)))]):
            path = os.path.join(parent, name)
            relative = os.path.relpath(path, folder).replace(os.sep, "/")
            # Through a link, whoever fills the folder could publish any file of the server.
            if os.path.islink(path) or not os.path.isfile(path):
                raise InvalidManifest(f"{relative}: not a regular file")
            yield relative


def _component(path: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+~]+", "-", os.path.splitext(path)[0]).strip("-.")
