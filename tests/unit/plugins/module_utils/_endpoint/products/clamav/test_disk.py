# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Updates by the real freshclam on a disk that is full, read-only, or holds leftovers (R1)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.clamav.samples import (
    clamav,
    database_directory,
    needs_databases,
    needs_freshclam,
    publish,
    versions,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)

pytestmark = [needs_freshclam, needs_databases]
TIMEOUT = 60.0


def test_a_full_disk_is_a_failure_although_freshclam_ends_well(
    host: LocalHost, server: ScriptedServer, small_disk: Callable[[Path, str], None]
) -> None:
    product = clamav(host, server.url)
    directory = database_directory(host)
    small_disk(directory, "size=64k,mode=777")
    publish(server, 3)
    assert product.update(TIMEOUT).result is Result.UPDATED
    (directory / "filler").write_bytes(bytes(64 * 1024 - 20 * 1024))
    publish(server, 4)
    outcome = product.update(TIMEOUT)
    assert (outcome.result, outcome.why) == (Result.FAILED, f"no space left on the file system of {directory}")
    assert versions(product) == {"test": "3"}
    (directory / "filler").unlink()
    small_disk(directory, "size=1m,mode=777")
    assert product.update(TIMEOUT).result is Result.UPDATED


def test_a_read_only_file_system_is_a_failure(
    host: LocalHost, server: ScriptedServer, small_disk: Callable[[Path, str], None]
) -> None:
    directory = database_directory(host)
    small_disk(directory, "size=1m,mode=777")
    small_disk(directory, "ro")
    publish(server, 1)
    outcome = clamav(host, server.url).update(TIMEOUT)
    assert (outcome.result, outcome.why) == (Result.FAILED, f"the file system of {directory} is read-only")


def test_leftovers_of_killed_runs_are_swept(host: LocalHost, server: ScriptedServer) -> None:
    publish(server, 1)
    left = database_directory(host) / "tmp.0123456789"
    left.mkdir(parents=True)
    (left / "half.cvd").write_bytes(b"x")
    mine = database_directory(host) / "tmp.mine"
    mine.mkdir()
    young = database_directory(host) / "tmp.abcdefabcd"
    young.mkdir()
    os.utime(left, (time.time() - 7200, time.time() - 7200))
    clamav(host, server.url).update(TIMEOUT)
    assert not left.exists()
    assert mine.exists()
    assert young.exists()
