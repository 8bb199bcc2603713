# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A promotion job that is killed at any moment: the next one finishes its work, and no ring has too much (G2)."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.channels import store
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database

from .conftest import HOUR, NAMES, Server

_COLLECTIONS = str(Path(paths.__file__).parents[6])
_JOB = """
import sys
from contextlib import closing
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.rollout.promote import promote

class Moved(LocalHost):
    def now(self):
        return float(sys.argv[2])

print("ready", flush=True)
host = Moved(sys.argv[1])
with closing(open_database(host)) as connection:
    promote(host, connection)
"""


def killed_job(server: Server, after: float) -> None:
    """The job in a process of its own, killed so many seconds after it had begun."""
    argv = [sys.executable, "-c", _JOB, server.host.real("/"), str(server.host.clock)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env={"PYTHONPATH": _COLLECTIONS, "PATH": "/usr/bin"}) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == b"ready\n"
        time.sleep(after)
        job.send_signal(signal.SIGKILL)


def allowed(server: Server) -> dict[str, set[str]]:
    """The versions that each ring was ever offered, by the records."""
    found = {ring: {"1"} for ring in NAMES}
    with closing(open_database(server.host)) as connection:
        for event in store.recent_events(connection, "files", 10_000):
            if event["kind"] == "offered":
                found[event["ring"]].add(event["version"])
    return found


@pytest.mark.heavy
def test_a_job_that_is_killed_at_fifty_moments_leaves_nothing_undone(server: Server) -> None:
    draw = random.Random(11)
    for number in range(50):
        if number % 10 == 0:
            (server.upstream / "patterns/a.dat").write_text(f"content {number}")
            assert server.run("fetch") == 0
        server.host.clock += HOUR
        killed_job(server, draw.uniform(0.0, 0.25))
        for name, one in server.endpoints.items():
            try:
                one.update()
            except AssertionError:
                # Between two files of the job the channel is not the one that the catalog names: agents wait then.
                continue
            assert set(one.taken) <= allowed(server)[_ring(name)]
    assert server.run("promote") == 0
    server.hours(12, step=1)
    assert len({one.version for one in server.endpoints.values()}) == 1
    assert server.run("verify") == 0


def _ring(name: str) -> str:
    return next(ring for ring, names in NAMES.items() if name in names)
