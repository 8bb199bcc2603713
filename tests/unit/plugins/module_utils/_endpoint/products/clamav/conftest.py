# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real clamd of a test's own."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.clamd import Clamd
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.clamav.samples import (
    signature,
)


class OwnClamd:
    """A clamd in a folder: ``clamd.conf``, its socket, and the database directory ``db``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "db"
        self.config = folder / "clamd.conf"
        self.database.mkdir(parents=True)
        (self.database / "first.ndb").write_text(signature("Epp.First", b"EPP-ANOTHER-MARKER"))
        self.config.write_text(
            f"LocalSocket {folder}/socket\nDatabaseDirectory {folder}/db\nForeground yes\nPidFile {folder}/pid\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "output").open("wb") as output:
            command = [shutil.which("clamd") or "clamd", f"--config-file={self.config}"]
            self.process = subprocess.Popen(command, stdout=output, stderr=output)
        deadline = time.monotonic() + 30
        while not Clamd(path=f"{self.folder}/socket").answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"clamd did not start: {(self.folder / 'output').read_text()}")
            time.sleep(0.05)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def own_clamd(tmp_path: Path) -> Iterator[OwnClamd]:
    clamd = OwnClamd(tmp_path / "clamd")
    clamd.start()
    yield clamd
    clamd.kill()


@pytest.fixture
def clamd(own_clamd: OwnClamd) -> Path:
    """The folder of a real clamd."""
    return own_clamd.folder
