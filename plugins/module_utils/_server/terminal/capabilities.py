# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the terminal behind a stream can show; the environment and the stream are arguments."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..._core.values import frozen

USUAL_COLUMNS = 80
_BLOCKS = "\u2588\u258f\u2581\u2591"
_NO_BLOCKS = frozenset(("linux",))
"""Terminals whose fonts lack the narrow blocks, whatever the encoding is."""


@frozen
class Terminal:
    """A terminal of so many columns. ``rewrites``: a line can be taken back; ``blocks``: it has block characters."""

    columns: int = USUAL_COLUMNS
    colors: bool = False
    blocks: bool = True
    rewrites: bool = True


def terminal_of(stream: Any, environment: Mapping[str, str]) -> Terminal | None:
    """The terminal that a text stream ends at; None for a pipe, a file, or a stream that is closed or missing."""
    try:
        if not stream.isatty():
            return None
        columns = os.get_terminal_size(stream.fileno()).columns
    except (AttributeError, OSError, ValueError):
        return None
    kind = environment.get("TERM", "")
    able = kind not in ("", "dumb")
    return Terminal(
        columns=columns or USUAL_COLUMNS,
        colors=able and not environment.get("NO_COLOR"),
        blocks=kind not in _NO_BLOCKS and _carries(stream, _BLOCKS),
        rewrites=able,
    )


def progress_terminal(stream: Any, environment: Mapping[str, str]) -> Terminal | None:
    """The terminal for a line that is rewritten; None where there is none, and in continuous integration (``CI``)."""
    found = None if environment.get("CI") else terminal_of(stream, environment)
    return found if found is not None and found.rewrites else None


def _carries(stream: Any, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
