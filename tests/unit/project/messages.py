# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts in the code of ``plugins/``, and whether a message that a guide quotes is made of them."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator

from . import repository

_VALUE = "\0"
"""Stands for a value in a text: guides write ``...`` there."""


@functools.cache
def texts() -> list[str]:
    """Every text of the code, with a mark for each value that is put into it; docstrings are none."""
    return [
        text
        for path in sorted((repository.ROOT / "plugins").rglob("*.py"))
        for text in _texts(ast.parse(path.read_text(encoding="utf-8")))
    ]


def _texts(tree: ast.Module) -> Iterator[str]:
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else _VALUE for part in node.values)
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def missing(message: str, known: list[str]) -> list[str]:
    """The pieces of a quoted message, cut at its values, that no text of the code has.

    "PATH: FOUND is not ALLOWED" is put together of an error's parts, so what is allowed is looked for by itself.
    """
    pieces = (piece.strip() for piece in re.split(r"\.{3,4}|(?<= is not )", message))
    return [piece for piece in pieces if not any(piece in text for text in known)]
