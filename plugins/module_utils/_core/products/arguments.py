# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument lists of definitions: a program by its path, no shell, and placeholders by name (``{config}``)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Union

from ..validation.errors import show
from ..validation.parsers import InvalidValue, Parser, listing
from ..validation.strings import argument, given_arguments, path

Setting = Union[str, "tuple[str, ...]"]
"""What stands for a placeholder: a text, or several arguments."""
PATHS = "paths"
"""The placeholder of what is to be scanned."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SHELLS = frozenset(("sh", "bash", "dash", "ash", "ksh", "mksh", "zsh"))
_OPERATORS = re.compile(r"(?:[0-9&]?>.*|<.*|\|\|?|&&?|;;?)", re.DOTALL)
_EXPANSION = re.compile(r"`|\$[({A-Za-z_]")
_IN_PROGRAM = re.compile(r"[\s|&;<>$`*?'\"\\(){}\[\]]")


def command(names: Collection[str]) -> Parser:
    """A reader of argument lists in which these placeholders are known."""
    arguments = listing(argument, least=1, most=256, unique=False)

    def parse(raw: object) -> tuple[str, ...]:
        argv: tuple[str, ...] = arguments(given_arguments(raw))
        wrong = tuple(_misfits(argv, names))
        if wrong:
            raise InvalidValue("a right list", inside=wrong)
        return argv

    return parse


def expanded(argv: tuple[str, ...], values: Mapping[str, Setting]) -> tuple[str, ...]:
    """The arguments with values in place of placeholders; a list replaces an argument that is nothing else."""
    found: list[str] = []
    for one in argv:
        whole = _PLACEHOLDER.fullmatch(one)
        value = values[whole[1]] if whole else None
        if isinstance(value, tuple):
            found += value
        else:
            found.append(_PLACEHOLDER.sub(lambda match: _text(values[match[1]]), one))
    return tuple(found)


def placeholders(text: str) -> list[str]:
    """The names of the placeholders in a text."""
    return _PLACEHOLDER.findall(text)


def _text(value: Setting) -> str:
    return value if isinstance(value, str) else " ".join(value)


def _misfits(argv: tuple[str, ...], names: Collection[str]) -> Iterator[tuple[int, InvalidValue, object]]:
    for index, one in enumerate(argv):
        try:
            _check(index, one, argv, names)
        except InvalidValue as unfit:
            yield index, unfit, one


def _check(index: int, one: str, argv: tuple[str, ...], names: Collection[str]) -> None:
    if index == 0:
        if not one.startswith("/"):
            raise InvalidValue("a program's absolute path")
        if _IN_PROGRAM.search(one):
            raise InvalidValue("a program's absolute path (one argument for each word; no shell reads the list)")
        path(one)
        return
    if one == "-c" and argv[0].rpartition("/")[2] in _SHELLS:
        raise InvalidValue("allowed: definitions start programs, and no text that a shell reads (make it a script)")
    if _OPERATORS.fullmatch(one) or _EXPANSION.search(one):
        raise InvalidValue("an argument without what only a shell understands (| & ; < > ` $)")
    for name in placeholders(one):
        if name not in names:
            known = ", ".join(f"{{{known}}}" for known in sorted(names)) or "none"
            raise InvalidValue(f"an argument with known placeholders (known: {known})", found=show("{" + name + "}"))
    if "{" in _PLACEHOLDER.sub("", one) or "}" in _PLACEHOLDER.sub("", one):
        raise InvalidValue("an argument whose braces hold a placeholder each ({config})")
