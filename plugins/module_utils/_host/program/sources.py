# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the library out of source texts that standard input brought, on a host that does not have it yet.

``START`` is the argument of ``python3 -c``: it reads ``packed`` and executes this very file out of it, which therefore
imports nothing of the library. Each source is compiled once at most: what runs here, and what a program that is built
here holds, is the same code. Ansible's own way of bringing a module compiles everything for itself first. A control
node whose Python is of the same version brings the program's archive, which has the code: nothing is compiled or put
together here, and only the code that runs is read.
"""

from __future__ import annotations

import importlib
import json
import marshal
import sys
import zlib
from importlib.machinery import ModuleSpec
from importlib.util import MAGIC_NUMBER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import CodeType, ModuleType
    from typing import Any, NoReturn

PACKAGE = "epp_autoupdate"
FILE = "_host/program/sources.py"
START = (
    "import sys;sys.version_info<(3,9)and sys.exit(3);import json,zlib;z=zlib.decompressobj();"
    "g=json.loads(z.decompress(sys.stdin.buffer.read()));n={'__name__':'sources'};"
    f"exec(compile(g['files']['{FILE}'],'{FILE}','exec'),n);n['start'](g,z.unused_data)"
)
"""An older Python could not read the library: it ends without a word."""
_LENGTH = 4
"""Bytes of the length of an archive's index."""
_PYC_HEADER = 16
_FAST = 1
"""Of zlib's levels: the others save a tenth of the bytes and cost the control node several times as much."""


def packed(start: str, files: Mapping[str, bytes], given: bytes, archive: bytes = b"") -> bytes:
    """What ``START`` reads: ``files`` of the library (path below the package to source), the module ``start``
    (``_endpoint.bring``), whose function ``main`` runs, what it is given (UTF-8), and what ``packed_archive`` made,
    beside which only this file is brought."""
    names = [FILE] if archive else list(files)
    whole = {"start": start, "files": {name: files[name].decode() for name in names}, "given": given.decode()}
    return zlib.compress(json.dumps(whole).encode(), _FAST) + archive


def packed_archive(content: bytes, members: Mapping[str, tuple[int, int]]) -> bytes:
    """A program's archive, made by the Python that runs this: ``members`` says where the sources and the byte code of
    the library begin and how long they are, by their paths below the package."""
    index = json.dumps(members).encode()
    return MAGIC_NUMBER + zlib.compress(len(index).to_bytes(_LENGTH, "big") + index + content, _FAST)


class Archive:
    """What ``packed_archive`` made. ``fits`` says whether its byte code is of the running Python."""

    def __init__(self, packet: bytes) -> None:
        whole = zlib.decompress(packet[len(MAGIC_NUMBER) :])
        begin = _LENGTH + int.from_bytes(whole[:_LENGTH], "big")
        self.content = whole[begin:]
        self.fits = packet.startswith(MAGIC_NUMBER)
        self._members: Mapping[str, tuple[int, int]] = json.loads(whole[_LENGTH:begin])

    def sources(self) -> dict[str, bytes]:
        """Path below the package to source."""
        return {name: self._member(name) for name in self._members if name.endswith(".py")}

    def code(self, name: str) -> CodeType | None:
        """The code of a source, by its path; None where there is none for this Python."""
        if not self.fits or name + "c" not in self._members:
            return None
        code: CodeType = marshal.loads(self._member(name + "c")[_PYC_HEADER:])  # noqa: S302  # it came with the sources
        return code

    def _member(self, name: str) -> bytes:
        begin, length = self._members[name]
        return self.content[begin : begin + length]


def compiled(name: str, source: bytes) -> CodeType:
    """The code of a member of a program (``epp_autoupdate/_core/values.py``), without docstrings and assertions."""
    code: CodeType = compile(source, name, "exec", dont_inherit=True, optimize=2)
    return code


class Sources:
    """Finds and loads the library's modules in source texts, or in an archive that was brought.

    ``files``: path below the package to source.
    """

    def __init__(self, files: Mapping[str, bytes], archive: Archive | None = None) -> None:
        self.files = files
        self._archive = archive
        self._codes: dict[str, CodeType] = {}

    @property
    def archive(self) -> bytes | None:
        """The archive of a program for the running Python, where one was brought."""
        return self._archive.content if self._archive is not None and self._archive.fits else None

    def compiled(self, name: str, source: bytes) -> CodeType:
        """As the function of this name; what was compiled before is kept."""
        code = self._codes.get(name)
        if code is None and self._archive is not None:
            code = self._archive.code(name.partition("/")[2])
        if code is None:
            code = compiled(name, source)
        self._codes[name] = code
        return code

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top, _dot, below = fullname.partition(".")
        if top != PACKAGE:
            return None
        loader: Any = self  # that is all the import system asks of one
        place = below.replace(".", "/")
        if not place or f"{place}/__init__.py" in self.files:
            return ModuleSpec(fullname, loader, origin=f"{place}/__init__.py".lstrip("/"), is_package=True)
        return ModuleSpec(fullname, loader, origin=f"{place}.py") if f"{place}.py" in self.files else None

    def create_module(self, _spec: ModuleSpec) -> None:
        """None: an ordinary module will do."""

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        origin = (spec and spec.origin) or ""
        code = self.compiled(f"{PACKAGE}/{origin}", self.files.get(origin, b""))
        exec(code, module.__dict__)  # noqa: S102  # that is what it is to load a module


def start(packet: Mapping[str, Any], brought: bytes) -> NoReturn:
    """Run what ``packed`` made, and end the process."""
    archive = Archive(brought) if brought else None
    files = archive.sources() if archive else {name: text.encode() for name, text in packet["files"].items()}
    sources = Sources(files, archive)
    sys.meta_path.insert(0, sources)
    main = importlib.import_module(f"{PACKAGE}.{packet['start']}").main
    raise SystemExit(main(sys.argv[1:], given=packet["given"].encode(), sources=sources))
