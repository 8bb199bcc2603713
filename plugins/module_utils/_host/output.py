# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place from which both programs write to their standard output and error (R5).

Text is written as it may be shown; JSON is ASCII, so that nothing in it acts on a screen and programs get it whole.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # to import typing for it would cost a start a tenth
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NoReturn, TextIO


def write_lines(lines: Iterable[str]) -> None:
    """Lines for people."""
    from .._core.untrusted_text import LONGEST_LINE, shown

    sys.stdout.write("".join(f"{shown(line, LONGEST_LINE)}\n" for line in lines))


def write_composed(text: str) -> None:
    """Text whose foreign parts may be shown already: painted lines (``terminal/painting.py``), or a page in ASCII."""
    sys.stdout.write(text)


def standard_output() -> TextIO:
    """The stream, to ask it whether it is a terminal."""
    return sys.stdout


def standard_error() -> TextIO:
    """The stream, to ask it whether it is a terminal, and for the progress line that is painted on it."""
    return sys.stderr


def flush() -> None:
    """Hand over what was written: what follows takes its time."""
    sys.stdout.flush()


def write_logged(lines: Iterable[str]) -> None:
    """Lines for people that the log has already: nothing where standard output is the journal (``$JOURNAL_STREAM``)."""
    if not _is_journal():
        write_lines(lines)


def _is_journal() -> bool:
    import os

    stream = os.environ.get("JOURNAL_STREAM", "")
    if not stream:
        return False
    found = os.fstat(sys.stdout.fileno())
    return stream == f"{found.st_dev}:{found.st_ino}"


def write_document(content: Any, *, sort_keys: bool = False) -> None:
    """One JSON document, on one line."""
    import json

    write_json(json.dumps(content, sort_keys=sort_keys))


def write_json(document: str) -> None:
    """A JSON document in ASCII that has been composed already."""
    sys.stdout.write(document.rstrip("\n").replace("\x7f", "\\u007f") + "\n")


def write_json_and_exit(document: str) -> NoReturn:
    """A JSON document, and the end of the process with status 0; raises OSError where it can't be written.

    Python is not taken down piece by piece: nothing is left open, and that would be a tenth of the cost of a short run.
    """
    import posix

    write_json(document)
    sys.stdout.flush()
    posix._exit(0)  # noqa: SLF001  # its name in os as well


def complain(program: str, error: object) -> None:
    """An error on standard error; only a refused document has several lines, one for each error."""
    from .._core.untrusted_text import LONGEST_LINE, shown
    from .._core.validation.errors import InvalidDocument

    text = str(error) or repr(error)
    lines = text.splitlines() if isinstance(error, InvalidDocument) else [text]
    sys.stderr.write("".join(f"{program}: {shown(line, LONGEST_LINE)}\n" for line in lines))
