# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signed test databases of ClamAV, as a mirror serves them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from lab_ansible import REPOSITORY
from lab_root import LabError


def published() -> Callable[[int], dict[str, Path]]:
    """A function from a version to the files of a mirror whose newest version that is; LabError without databases."""
    place = Path(os.environ.get("EPP_TESTDATA", REPOSITORY.parent / "shared" / "testdata")) / "clamav"
    if not (place / "test-1.cvd").is_file():
        raise LabError(
            f"no signed ClamAV test databases in {place} (set EPP_TESTDATA to the folder that holds clamav/)"
        )

    def serve(version: int) -> dict[str, Path]:
        files = {"test.cvd": place / f"test-{version}.cvd", "test.cvd.sign": place / f"test-{version}.cvd.sign"}
        for patch in (place / f"test-{number}.cdiff" for number in range(2, version + 1)):
            files[patch.name] = patch
            files[f"{patch.name}.sign"] = patch.with_name(f"{patch.name}.sign")
        return files

    return serve
