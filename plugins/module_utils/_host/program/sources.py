# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the library out of source texts that standard input brought, on a host that does not have it yet.

``START`` is the argument of ``python3 -c``: it reads ``packed`` and executes this very file out of it, which therefore
imports nothing of the library. Each source is compiled once at most: what runs here, and what a program that is built
here holds, is the same code. Ansible's own way of bringing a module compiles everything for itself first. A control
node whose Python is of the same version brings the code, too, and nothing is compiled here.
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
_FAST = 1
"""Of zlib's levels: the others save a tenth of the bytes and cost the control node several times as much."""


def packed(start: str, files: Mapping[str, bytes], given: bytes, codes: bytes = b"") -> bytes:
    """What ``START`` reads: ``files`` of the library (path below the package to source), the module ``start``
    (``_endpoint.bring``), whose function ``main`` runs, what it is given (UTF-8), and what ``packed_codes`` made."""
    sources = {name: content.decode() for name, content in files.items()}
    whole = {"start": start, "files": sources, "given": given.decode()}
    return zlib.compress(json.dumps(whole).encode(), _FAST) + codes


def packed_codes(files: Mapping[str, bytes]) -> bytes:
    """The code of ``files``, for a Python that reads the byte code of the one that runs this."""
    codes = {f"{PACKAGE}/{name}": compiled(f"{PACKAGE}/{name}", source) for name, source in files.items()}
    return MAGIC_NUMBER + zlib.compress(marshal.dumps(codes), _FAST)


def _codes_of(packet: bytes) -> dict[str, CodeType]:
    """Code by member's name out of what ``packed_codes`` made; none where that was for another Python."""
    if not packet.startswith(MAGIC_NUMBER):
        return {}
    codes: dict[str, CodeType] = marshal.loads(zlib.decompress(packet[len(MAGIC_NUMBER) :]))  # noqa: S302  # as the sources
    return codes


def compiled(name: str, source: bytes) -> CodeType:
    """The code of a member of a program (``epp_autoupdate/_core/values.py``), without docstrings and assertions."""
    code: CodeType = compile(source, name, "exec", dont_inherit=True, optimize=2)
    return code


class Sources:
    """Finds and loads the library's modules in source texts.

    ``files``: path below the package to source. ``codes``: a member's name to its code, as far as that is known.
    """

    def __init__(self, files: Mapping[str, bytes], codes: Mapping[str, CodeType]) -> None:
        self.files = files
        self._codes = dict(codes)

    def compiled(self, name: str, source: bytes) -> CodeType:
        """As the function of this name; what was compiled before is kept."""
        code = self._codes.get(name)
        if code is None:
            code = self._codes[name] = compiled(name, source)
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


def start(packet: Mapping[str, Any], codes: bytes) -> NoReturn:
    """Run what ``packed`` made, and end the process."""
    sources = Sources({name: text.encode() for name, text in packet["files"].items()}, _codes_of(codes))
    sys.meta_path.insert(0, sources)
    main = importlib.import_module(f"{PACKAGE}.{packet['start']}").main
    raise SystemExit(main(sys.argv[1:], given=packet["given"].encode(), sources=sources))
