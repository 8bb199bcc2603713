# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Input and output of commands: JSON documents, tables, rejections."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..._core.exit_codes import BAD_DOCUMENT, DONE
from ..._core.untrusted_text import LONGEST_LINE, shown
from ..._core.validation.errors import InvalidDocument, ValidationError, ValidationErrors
from ..._core.validation.parsers import duration, read_mapping
from ..._host.output import write_document, write_lines

_LONGEST_S = 7 * 86400


def read_stdin_json() -> Any:
    """The JSON on standard input; raises InvalidDocument."""
    try:
        return json.loads(sys.stdin.buffer.read())
    except (ValueError, RecursionError):
        raise InvalidDocument((ValidationError("document", "standard input", "JSON"),)) from None


class Rejection:
    """Whether a command's input was refused, and so its exit status."""

    status = DONE


@contextmanager
def report_rejections(*, as_json: bool = True) -> Iterator[Rejection]:
    """Tell a refused document as a result of its own, for the modules that wait for one; people get it as an error."""
    refusal = Rejection()
    try:
        yield refusal
    except InvalidDocument as invalid:
        if not as_json:
            raise
        refusal.status = BAD_DOCUMENT
        print_json({"failed": True, "changed": False, "msg": str(invalid)})


def print_json(result: object) -> None:
    """One result, as one line of JSON."""
    write_document(result)


def seconds(text: str) -> float:
    """What ``--timeout`` says; raises InvalidDocument."""
    errors = ValidationErrors()
    values = read_mapping({"timeout": text}, path="", known={"timeout": duration(1, _LONGEST_S)}, errors=errors)
    errors.check()
    return float(values["timeout"])


def print_table(rows: list[tuple[str, ...]]) -> None:
    """Print rows as aligned columns."""
    plain = [[shown(word, LONGEST_LINE) for word in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*plain)]
    lines = ("  ".join(word.ljust(width) for word, width in zip(row, widths)) for row in plain)
    write_lines(line.rstrip() for line in lines)


def format_versions(known: Mapping[str, str]) -> str:
    """Component versions in one word for people."""
    return ", ".join(f"{name} {version}" for name, version in sorted(known.items())) or "unknown"
