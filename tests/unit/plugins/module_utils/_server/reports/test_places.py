# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A place for each registered endpoint, and for nobody else: the web server takes reports by them (R4)."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths, payload
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.places import mend_places, update_places


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    return LocalHost(str(tmp_path), program="epp-server")


def places(host: LocalHost) -> set[str]:
    return {path.name for path in Path(host.real(paths.PLACES)).iterdir()}


def test_a_registration_makes_and_removes_them_and_a_publication_mends_them(host: LocalHost, tmp_path: Path) -> None:
    program = tmp_path / "epp-server"
    program.write_bytes(payload.build(payload.sources(), interpreter=sys.executable))

    def run(*words: str, given: object = None) -> None:
        argv = [sys.executable, "-I", str(program), "--root", host.root, *words]
        subprocess.run(argv, input=json.dumps(given), text=True, check=True, capture_output=True)

    two = {"endpoints": [{"name": "n1"}, {"name": "n2"}]}
    run("register", "--check", given=two)
    assert not host.exists(paths.PLACES)
    run("register", given=two)
    assert places(host) == {"n1", "n2"}
    run("register", given={"endpoints": [{"name": "n1", "address": "192.0.2.1"}, {"name": "n3"}], "absent": ["n2"]})
    assert places(host) == {"n1", "n3"}
    update_places(host, made=["stranger"], removed=["n1"])
    run("publish")
    assert places(host) == {"n1", "n3"}


def test_whatever_lies_in_the_way_is_gone_afterwards(host: LocalHost, tmp_path: Path) -> None:
    update_places(host, made=["a"], removed=[])
    directory = Path(host.real(paths.PLACES))
    (directory / "link").symlink_to(tmp_path)
    (directory / "full/deep").mkdir(parents=True)
    with closing(open_database(host)) as connection:
        assert mend_places(host, connection) == 3
        assert mend_places(host, connection) == 0
    assert places(host) == set()
    update_places(host, made=["a"], removed=["a"])
    update_places(host, made=["a"], removed=[])
    assert places(host) == {"a"}
