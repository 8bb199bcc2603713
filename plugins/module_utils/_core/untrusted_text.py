# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text that somebody else wrote, made such that it is data on whatever screen it lands (R5)."""

from __future__ import annotations

LONGEST_WORD = 200
"""Characters of a name or a version."""
LONGEST_SENTENCE = 500
"""Characters of a reason."""
LONGEST_LINE = 20_000
"""Characters of one line of output, which may hold many words."""
_DEEPEST = 40
_LINES_KEPT = frozenset(("diff", "exception", "module_stderr", "module_stdout", "msg", "stderr", "stdout"))
"""Keys of Ansible's results whose texts have lines."""

TYPE_CHECKING = False  # to import typing for it would cost a start a tenth
if TYPE_CHECKING:
    from typing import Any


def shown(text: str, longest: int = LONGEST_SENTENCE, *, kept: str = "") -> str:
    """A text on one line, bounded, without anything that acts on a screen: the same again for what it returned.

    Control characters, line ends, bidirectional marks, other format characters and lone surrogates are escaped as
    Python does it (``\\x1b``, ``\\u202e``); a longer text ends with an ellipsis. ``kept`` are characters to be left.
    """
    cut = text if len(text) <= longest else text[: longest - 1] + "\u2026"
    if cut.isprintable():
        return cut
    escaped = "".join(one if one.isprintable() or one in kept else _escape(one) for one in cut)
    return escaped if len(escaped) <= longest else escaped[: longest - 1] + "\u2026"


def data(content: Any, *, lines: bool = False, depth: int = 0) -> Any:
    """Plain data with every text and key of it shown; only the texts of an Ansible result that have lines keep them."""
    if isinstance(content, str):
        return shown(content, LONGEST_LINE if not lines else len(content) * 10, kept="\n\t" if lines else "")
    if depth >= _DEEPEST and isinstance(content, (dict, list, tuple)):
        return "\u2026"
    if isinstance(content, dict):
        return {
            data(key): data(one, lines=lines or key in _LINES_KEPT, depth=depth + 1) for key, one in content.items()
        }
    if isinstance(content, (list, tuple)):
        return [data(one, lines=lines, depth=depth + 1) for one in content]
    return content


def _escape(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")
