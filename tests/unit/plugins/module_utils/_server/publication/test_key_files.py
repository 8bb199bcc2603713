# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The key by which endpoints let the server in is made once, however many processes want it first."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.publication.key_files import ensure_key


def _wants_it(root: str, told: Path) -> None:
    told.write_text(ensure_key(LocalHost(root), paths.NOTIFY_KEY))


def test_processes_that_want_it_at_once_get_the_same_one(tmp_path: Path) -> None:
    root, fork = str(tmp_path / "server"), multiprocessing.get_context("fork")
    told = [tmp_path / f"told-{number}" for number in range(6)]
    processes = [fork.Process(target=_wants_it, args=(root, one)) for one in told]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    (line,) = {one.read_text() for one in told}
    assert ensure_key(LocalHost(root), paths.NOTIFY_KEY) == line
    kept = {path.name for path in Path(root + paths.KEYS).iterdir()}
    assert kept == {"notify", "notify.pub"}
