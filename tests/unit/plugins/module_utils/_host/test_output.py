# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What both programs write."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.output import write_logged


@pytest.mark.parametrize(
    ("named", "written"), [("", "said\n"), ("own", ""), ("another", "said\n"), ("1:2:3", "said\n")]
)
def test_what_is_in_the_log_is_not_written_to_the_journal_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str, written: str
) -> None:
    """Programs below a service inherit the variable, and may write elsewhere: the stream itself decides."""
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    path = tmp_path / "stream"
    with path.open("w", encoding="utf-8") as stream:
        own = os.fstat(stream.fileno())
        streams = {"own": f"{own.st_dev}:{own.st_ino}", "another": f"{own.st_dev}:{own.st_ino + 1}"}
        if named:
            monkeypatch.setenv("JOURNAL_STREAM", streams.get(named, named))
        monkeypatch.setattr(sys, "stdout", stream)
        write_logged(["said"])
    assert path.read_text(encoding="utf-8") == written
