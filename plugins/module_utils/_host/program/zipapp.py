# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A program as one file, a zipapp of this very library.

The sources are read through each module's own loader, so this works alike from files on the control node and from
inside the archive in which Ansible brings a module to a host. Compiled code is added where the program is for the
Python that builds it: without it each start compiles some thirty files. For another Python (an image's) none is added,
as none can be made here; the program says for which Python it is, and is the one that this Python would want.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import pkgutil
import sys
import zipfile
from collections.abc import Iterator, Mapping
from types import CodeType, ModuleType
from typing import Any, Callable

from ..._core.values import frozen
from .checksum import BLANK, append_checksum, has_valid_checksum
from .sources import PACKAGE, Sources, compiled, packed_archive

Compiler = Callable[[str, bytes], CodeType]
"""From a member's name (``epp_autoupdate/_core/values.py``) and its source to code."""
_STRAIGHT = f"import sys;del sys.argv[0];sys.path[:0]=sys.argv[:1];import {PACKAGE}.__main__"
_LONGEST_SHEBANG = 127
"""Bytes; Linux before 5.1 reads no more."""
_LOCAL_HEADER = 30
"""Bytes of a ZIP file before a member's name and, without extra fields, its content."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


@frozen
class Program:
    """One of the library's programs.

    ``rings`` are the packages that it is made of, by name; ``start`` is the module with its function ``main``;
    ``flags`` are the interpreter's. ``without`` are files of the rings that it has no use for: each would be brought
    to every host, and compiled there.
    """

    rings: tuple[tuple[str, ModuleType], ...]
    start: str
    flags: str
    without: frozenset[str] = frozenset()

    def sources(self) -> dict[str, bytes]:
        """Path below the package (``_core/schedule/slots.py``) to source text, for every file of the program."""
        found: dict[str, bytes] = {}
        for name, package in self.rings:
            found.update(_sources(package.__loader__, package.__path__[0], name))
        return {name: source for name, source in found.items() if name not in self.without}

    def build(
        self,
        files: Mapping[str, bytes],
        *,
        interpreter: str,
        tag: str | None = None,
        brought: Sources | None = None,
    ) -> bytes:
        """The executable file for ``interpreter``, whose byte code has the ``tag``; by default the running one's.

        Where the files were ``brought``, their archive or some of their code may be known; by default everything
        is compiled.
        """
        tag = tag or bytecode_tag()
        archive = brought.archive if brought and tag == bytecode_tag() else None
        if archive is None:
            archive = self._archive(files, tag, brought.compiled if brought else compiled)
        return append_checksum(self._shebang(interpreter) + archive)

    def packed(self, files: Mapping[str, bytes]) -> bytes:
        """The archive for the running Python as ``sources.packed`` takes it."""
        archive = self._archive(files, bytecode_tag(), compiled)
        with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
            places = {info.filename: (_begin(info), info.file_size) for info in zipped.infolist()}
        members = {name: places[f"{PACKAGE}/{name}"] for source in files for name in (source, source + "c")}
        return packed_archive(archive, members)

    def _archive(self, files: Mapping[str, bytes], tag: str, compiler: Compiler) -> bytes:
        """The program without its first line and its checksum."""
        identity = f'DIGEST = "{digest(files)}"\nBYTECODE = "{tag}"\n'
        members = {
            f"{PACKAGE}/__init__.py": b"",
            f"{PACKAGE}/_identity.py": identity.encode(),
            f"{PACKAGE}/__main__.py": f"from .{self.start} import main\n\nraise SystemExit(main())\n".encode(),
            **{f"{PACKAGE}/{name}": content for name, content in files.items()},
        }
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as zipped:
            zipped.comment = BLANK
            _add(zipped, "__main__.py", f"import {PACKAGE}.__main__\n".encode())
            for name in sorted(members):
                _add(zipped, name, members[name])
                if tag == bytecode_tag():
                    _add(zipped, name + "c", _bytecode(members[name], compiler(name, members[name])))
        return archive.getvalue()

    def renewed(
        self,
        installed: bytes | None,
        files: Mapping[str, bytes],
        *,
        interpreter: str,
        tag: str | None = None,
        brought: Sources | None = None,
    ) -> bytes:
        """The file for ``interpreter``: the installed one where it is that already, so that a converge finds no change.

        Before Python 3.11, compiling the same source twice may give different byte code, which means the same.
        """
        tag = tag or bytecode_tag()
        same_start = installed is not None and installed.startswith(self._shebang(interpreter))
        if same_start and installed is not None and identity_of(installed) == (digest(files), tag):
            return installed
        return self.build(files, interpreter=interpreter, tag=tag, brought=brought)

    def _shebang(self, interpreter: str) -> bytes:
        """The first line, which starts the program itself where it may be long enough.

        Without it Python finds ``__main__`` in the archive by ``runpy``, whose imports are a quarter of a start that
        has nothing to do. All behind the interpreter is one argument to it (execve(2)).
        """
        straight = f"#!{interpreter} {self.flags}c{_STRAIGHT}\n".encode()
        return straight if len(straight) <= _LONGEST_SHEBANG else f"#!{interpreter} {self.flags}\n".encode()


def digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 (hex) over names and contents: which program, of which version, this is."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{len(files[name])}\0".encode())
        total.update(files[name])
    return total.hexdigest()


def bytecode_tag() -> str:
    """Which byte code the running Python understands (``cpython-311``); it is settled within a minor version."""
    return str(sys.implementation.cache_tag)


def identity_of(program: bytes) -> tuple[str, str] | None:
    """Digest of the sources that a program's file really holds, and its byte code's tag; None for anything else.

    A file that was edited, in its sources, its byte code or anywhere else, is something else.
    """
    if not has_valid_checksum(program):
        return None
    prefix = PACKAGE + "/"
    try:
        with zipfile.ZipFile(io.BytesIO(program)) as zipped:
            names = [name for name in zipped.namelist() if name.startswith(prefix + "_") and name.endswith(".py")]
            files = {name[len(prefix) :]: zipped.read(name) for name in names}
    except (zipfile.BadZipFile, ValueError, OSError):
        return None
    for added in ("__init__.py", "__main__.py"):
        files.pop(added, None)
    stated = files.pop("_identity.py", b"").decode("utf-8", "replace")
    tag = stated.partition('BYTECODE = "')[2].partition('"')[0]
    return digest(files), tag


def _sources(loader: Any, directory: str, name: str) -> Iterator[tuple[str, bytes]]:
    """Path and source of each file of a package and of those below it. Nothing of them is imported, or even looked for
    by name: a control node does this at the start of each playbook."""
    yield f"{name}/__init__.py", loader.get_data(f"{directory}/__init__.py")
    for module in pkgutil.iter_modules([directory]):
        path = f"{directory}/{module.name}"
        if module.ispkg:
            yield from _sources(loader, path, f"{name}/{module.name}")
        else:
            yield f"{name}/{module.name}.py", loader.get_data(f"{path}.py")


def _begin(info: zipfile.ZipInfo) -> int:
    """Where the content of a member begins that is stored as ``_add`` stores it."""
    return info.header_offset + _LOCAL_HEADER + len(info.filename.encode())


def _add(zipped: zipfile.ZipFile, name: str, content: bytes) -> None:
    zipped.writestr(zipfile.ZipInfo(name, _EPOCH), content)


def _bytecode(source: bytes, code: CodeType) -> bytes:
    """A ``.pyc`` that is used without looking at its source's date (PEP 552, unchecked hash).

    marshal writes what else refers to a value into its bytes, so code that has been run would give others. Its format 2
    does not, and what is read from that is written alike. Since Python 3.14 code has slices, which only the newest
    format knows: read from that, it is written alike, too. Before Python 3.11 the order of sets still varies.
    """
    import marshal

    unchecked_hash, without_references = 0b01, 2
    header = importlib.util.MAGIC_NUMBER + unchecked_hash.to_bytes(4, "little") + importlib.util.source_hash(source)
    whole = marshal.dumps(code, without_references if sys.version_info < (3, 14) else marshal.version)
    return header + marshal.dumps(marshal.loads(whole))  # noqa: S302  # just written
