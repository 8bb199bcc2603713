# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The byte code of a program's members: the same bytes for the same source, whatever this process has done with it."""

from __future__ import annotations

import marshal
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._host.program.sources import compiled
from ansible_collections.epp.autoupdate.plugins.module_utils._host.program.zipapp import _bytecode

SOURCE = b"""
WORDS = ("tree", "shard")
def cut(text, *, end="..."):
    return text[:3] + text[3:-1] + end
"""
"""Slices with constant ends are constants themselves since Python 3.14."""
HEADER = 16


def test_code_of_any_kind_is_written_and_alike_after_it_has_run() -> None:
    fresh = _bytecode(SOURCE, compiled("epp_autoupdate/cut.py", SOURCE))
    used = compiled("epp_autoupdate/cut.py", SOURCE)
    names: dict[str, Any] = {}
    exec(used, names)  # as the import system does it
    kept = (names["cut"].__code__.co_consts, names["WORDS"])
    assert names["cut"]("abcdef") == "abcde..."
    assert _bytecode(SOURCE, used) == fresh, kept
    again: dict[str, Any] = {}
    exec(marshal.loads(fresh[HEADER:]), again)  # as the import system does it
    assert again["cut"]("abcdef") == "abcde..."
