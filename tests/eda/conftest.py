# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rulebook of alerts for all tests of this directory, and others by themselves."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eda_rulebook import Rulebook


@pytest.fixture(scope="module")
def rulebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rulebook]:
    if shutil.which("java") is None:
        pytest.skip("no java here")
    made = Rulebook(tmp_path_factory.mktemp("eda"))
    (made.work / "offered").write_text("2\n")
    made.converge("n1", "n2", "n3")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def rulebook_of(tmp_path: Path) -> Callable[[Path, dict[str, Any]], Rulebook]:
    """Starts a rulebook with two endpoints of its own."""
    if shutil.which("java") is None:
        pytest.skip("no java here")

    def start(path: Path, given: dict[str, Any]) -> Rulebook:
        made = Rulebook(tmp_path)
        (made.work / "offered").write_text("1\n")
        made.converge("n1", "n2")
        made.run(path, given)
        return made

    return start
