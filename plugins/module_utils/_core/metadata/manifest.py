# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manifest by which the product ``files`` publishes one version of a set of files.

A component source is a directory behind any web server or CDN::

    manifest.json                  which files make up the current version; replaced atomically, last of all
    objects/ab/abcd…(64 digits)    the content of one file, named by its SHA-256; never changed once written

Content that is named by its digest may be cached for ever, and a reader who holds a manifest, new or old, finds
exactly the files of that version as long as the publisher keeps its objects: nobody sees half a version.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from ..settings.update_server import CHANNELS
from ..validation.errors import show
from ..values import frozen

FORMAT = 1
NAME = "manifest.json"
MAX_SIZE = 8 * 1024 * 1024
"""Bytes of a manifest; one file takes about 250."""
MAX_FILES = 20000
MAX_FILE_SIZE = 16 * 1024**3

_SHA256 = re.compile(r"[0-9a-f]{64}")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,99}")


class InvalidManifest(ValueError):
    """A manifest is not what it should be; the message names the place."""


class Kind(str, Enum):
    """What a file is to the protection product."""

    PATTERN = "pattern"
    ENGINE = "engine"
    PROGRAM = "program"


@frozen
class ManifestFile:
    """One file of a version. ``path`` is relative, with slashes; ``built`` is Unix seconds, None if unknown."""

    path: str
    component: str
    version: str
    kind: Kind
    size: int
    sha256: str
    built: int | None = None

    @property
    def object_path(self) -> str:
        """Where its content lies, below the source's URL."""
        return object_path(self.sha256)

    @classmethod
    def from_dict(cls, raw: object, where: str) -> ManifestFile:
        """Read one file; ``where`` begins the messages of InvalidManifest."""
        values = _mapping(raw, where)
        built = values.get("built")
        return cls(
            path=_path(values.get("path"), f"{where}.path"),
            component=_word(values.get("component"), f"{where}.component"),
            version=_word(values.get("version"), f"{where}.version"),
            kind=_kind(values.get("kind"), f"{where}.kind"),
            size=_number(values.get("size"), f"{where}.size"),
            sha256=_sha256(values.get("sha256"), f"{where}.sha256"),
            built=None if built is None else _number(built, f"{where}.built"),
        )

    def to_dict(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"path": self.path, "component": self.component, "version": self.version}
        plain.update(kind=self.kind.value, size=self.size, sha256=self.sha256)
        return plain if self.built is None else {**plain, "built": self.built}


@frozen
class Manifest:
    """One version of a set of files, sorted by path; no path twice, none below another file, and one version and one
    kind a component."""

    version: str
    files: tuple[ManifestFile, ...]

    @classmethod
    def of(cls, version: str, files: Iterable[ManifestFile]) -> Manifest:
        """A checked manifest; raises InvalidManifest."""
        ordered = tuple(sorted(files, key=lambda file: file.path))
        _check_paths([file.path for file in ordered])
        _check_components(ordered)
        return cls(_word(version, "version"), ordered)

    @classmethod
    def parse(cls, content: bytes) -> Manifest:
        """Read a manifest's bytes; raises InvalidManifest."""
        if len(content) > MAX_SIZE:
            raise InvalidManifest(f"it is larger than {MAX_SIZE} bytes")
        try:
            raw = json.loads(content)
        except (ValueError, RecursionError):
            raise InvalidManifest("it is not JSON") from None
        values = _mapping(raw, "it")
        if values.get("format") != FORMAT:
            raise InvalidManifest(f"format: {show(values.get('format'))} is not known here (known: {FORMAT})")
        listed = values.get("files")
        if not isinstance(listed, list) or len(listed) > MAX_FILES:
            raise InvalidManifest(f"files: not a list of at most {MAX_FILES} files")
        files = [ManifestFile.from_dict(item, f"files[{index}]") for index, item in enumerate(listed)]
        return cls.of(_word(values.get("version"), "version"), files)

    def to_dict(self) -> dict[str, Any]:
        return {"format": FORMAT, "version": self.version, "files": [file.to_dict() for file in self.files]}


def object_path(sha256: str) -> str:
    """Where the content with this digest lies, below the source's URL."""
    return f"objects/{sha256[:2]}/{sha256}"


def manifest_path(channel: str = "") -> str:
    """Where the manifest of a channel lies below the source's URL; without a channel, that of everybody."""
    return f"{CHANNELS}/{channel}/{NAME}" if channel else NAME


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts versions as people read them: runs of digits count as numbers (1.9 < 1.10), the rest as text.

    A version that goes on where another ends is the newer one (1.2 < 1.2.1), letters sort before numbers
    (1.2.rc1 < 1.2.1); punctuation only separates. There is no special word for pre-releases.
    """
    parts = re.findall(r"[0-9]+|[A-Za-z]+", version)
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)


def is_older(version: str, than: str) -> bool:
    """Whether one version comes before another."""
    return version_key(version) < version_key(than)


def _check_paths(paths: list[str]) -> None:
    """No path twice (case aside, for file systems that fold it), and no file where another needs a directory."""
    folded: set[str] = set()
    for path in paths:
        if path.casefold() in folded:
            raise InvalidManifest(f"files: {show(path)} is there twice")
        folded.add(path.casefold())
    for path in paths:
        parents = path.casefold().split("/")[:-1]
        if any("/".join(parents[: count + 1]) in folded for count in range(len(parents))):
            raise InvalidManifest(f"files: {show(path)} lies below a file")


def _check_components(files: Iterable[ManifestFile]) -> None:
    seen: dict[str, tuple[str, Kind]] = {}
    for file in files:
        if seen.setdefault(file.component, (file.version, file.kind)) != (file.version, file.kind):
            raise InvalidManifest(f"files: component {show(file.component)} has two versions or two kinds")


def _mapping(raw: object, where: str) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise InvalidManifest(f"{where}: not an object")
    return raw


def _path(raw: object, where: str) -> str:
    if not isinstance(raw, str) or not 0 < len(raw) <= 1000 or "\\" in raw or not raw.isprintable():
        allowed = "a relative path of at most 1000 printable characters, without backslash"
        raise InvalidManifest(f"{where}: {show(raw)} is not {allowed}")
    parts = raw.split("/")
    if any(part in ("", ".", "..") or len(part.encode("utf-8", "replace")) > 255 for part in parts):
        raise InvalidManifest(f"{where}: {show(raw)} is not a plain relative path")
    return raw


def _word(raw: object, where: str) -> str:
    if not isinstance(raw, str) or not WORD.fullmatch(raw):
        raise InvalidManifest(f"{where}: {show(raw)} is not a word of at most 100 letters, digits and . _ + ~ -")
    return raw


def _kind(raw: object, where: str) -> Kind:
    try:
        return Kind(raw)
    except ValueError:
        raise InvalidManifest(f"{where}: {show(raw)} is none of {', '.join(kind.value for kind in Kind)}") from None


def _number(raw: object, where: str) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or not 0 <= raw <= MAX_FILE_SIZE:
        raise InvalidManifest(f"{where}: {show(raw)} is not a number from 0 to {MAX_FILE_SIZE}")
    return raw


def _sha256(raw: object, where: str) -> str:
    if not isinstance(raw, str) or not _SHA256.fullmatch(raw):
        raise InvalidManifest(f"{where}: not 64 hexadecimal digits in lower case")
    return raw
