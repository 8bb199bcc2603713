# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product files on file systems that are full, fill up or can't be written (R1)."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.files.product import Files
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.files.samples import (
    DIRECTORY,
    MANIFEST,
    Source,
    installed,
    update,
    versions,
)


def test_a_full_disk_fails_early_and_leaves_nothing(
    files: Files, host: LocalHost, source: Source, small_disk: Callable[[Path, str], None]
) -> None:
    directory = Path(host.real(DIRECTORY))
    small_disk(directory, "size=256k")
    update(files)
    source.write(a="x" * 1_000_000)
    source.publish("2")
    source.seen()
    outcome = update(files)
    assert outcome.result is Result.FAILED
    assert "no space left on device: 1000000 bytes are needed" in outcome.why
    assert source.seen() == [MANIFEST]
    assert installed(host) == {"patterns/a.dat": "one", "patterns/b.dat": "bee"}
    small_disk(directory, "size=4m")
    assert update(files).result is Result.UPDATED


def test_a_disk_that_fills_up_on_the_way(
    files: Files, host: LocalHost, source: Source, small_disk: Callable[[Path, str], None]
) -> None:
    directory = Path(host.real(DIRECTORY))
    small_disk(directory, "size=256k")
    update(files)
    source.write(a="x" * 150_000)
    source.publish("2")

    def fill(path: str, headers: dict[str, str]) -> None:
        if path.startswith("/objects/"):
            (directory / "filler").write_bytes(bytes(120_000))

    source.server.script = fill
    outcome = update(files)
    assert outcome.result is Result.FAILED
    assert "No space left on device" in outcome.why
    assert installed(host) == {"patterns/a.dat": "one", "patterns/b.dat": "bee"}
    assert list((directory / "incoming").iterdir()) == []


def test_a_read_only_file_system_is_a_failure(
    files: Files, host: LocalHost, source: Source, small_disk: Callable[[Path, str], None]
) -> None:
    directory = Path(host.real(DIRECTORY))
    small_disk(directory, "size=1m")
    update(files)
    small_disk(directory, "ro")
    source.write(a="two")
    source.publish("2")
    outcome = update(files)
    assert outcome.result is Result.FAILED
    assert "Read-only file system" in outcome.why
    assert versions(files) == {"patterns-a": "1", "patterns-b": "1"}
