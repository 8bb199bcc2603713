# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archives unpacked into an empty folder: plain files and directories, and nothing outside of it."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from ..._core.validation.errors import show
from ..._host.filesystem.open_directory import OpenDirectory
from ..._host.filesystem.safe_paths import open_directory

MAX_FILES = 20_000
MAX_SIZE = 16 * 1024**3
"""Bytes of all files together; an archive of a few kilobytes can hold more than any disk."""


class InvalidArchive(ValueError):
    """An archive is not one, or holds what is not taken from strangers; the message says which."""


def unpack(archive: str, folder: str) -> None:
    """Unpack a tar archive (plain, gzip, bzip2, xz) or a zip archive at a real path into a real, empty folder.

    Raises InvalidArchive for links, devices, names that lead out, and for too much of anything.
    """
    size = 0
    try:
        with open_directory(folder) as base:
            for number, (name, length, stream) in enumerate(_members(archive)):
                size += length
                if number >= MAX_FILES or size > MAX_SIZE:
                    raise InvalidArchive(f"more than {MAX_FILES} files or {MAX_SIZE} bytes")
                with stream:
                    _write(base, _parts(name), stream)
    except _broken() as error:
        raise InvalidArchive(str(error)) from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise InvalidArchive(f"a name is there twice ({show(error.filename)})") from error
    except OSError as error:
        if error.errno is None:  # gzip and bzip2 say so that the data are damaged; the system has a number
            raise InvalidArchive(str(error)) from error
        raise


def _write(base: OpenDirectory, parts: list[str], content: IO[bytes]) -> None:
    with base.descend("/".join(parts[:-1]), make=True) as directory:
        descriptor = directory.create(parts[-1], 0o644)
    with open(descriptor, "wb") as file:
        shutil.copyfileobj(content, file)


def _broken() -> tuple[type[Exception], ...]:
    """What archives raise that are damaged or none; a Python may have been built without the last of these."""
    archives = (tarfile.TarError, zipfile.BadZipFile, RuntimeError, NotImplementedError)
    found: list[type[Exception]] = [*archives, EOFError, zlib.error]
    with suppress(ImportError):
        from lzma import LZMAError

        found.append(LZMAError)
    return tuple(found)


def _members(archive: str) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Name, size and content of each file of an archive."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for entry in zipped.infolist():
                if entry.external_attr >> 28 == 0o12:  # a symbolic link, as Unix programs store it
                    raise InvalidArchive(f"{show(entry.filename)} is a link")
                if not entry.is_dir():
                    yield entry.filename, entry.file_size, zipped.open(entry)
        return
    with tarfile.open(archive) as tarred:
        for member in tarred:
            content = tarred.extractfile(member) if member.isreg() else None
            if content is not None:
                yield member.name, member.size, content
            elif not member.isdir():
                raise InvalidArchive(f"{show(member.name)} is neither a file nor a directory")


def _parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or not parts or "\\" in name or "\0" in name:
        raise InvalidArchive(f"{show(name)} leads out of the archive")
    if not name.isprintable():
        raise InvalidArchive(f"{show(name)} has characters that can't be shown, such as control characters")
    return parts
