# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each product tries of itself: the real freshclam and clamd, real directories, real programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.trust import ProbeSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products import select_product
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.files.product import Files
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.clamav.samples import (
    LiveHost,
    clamav,
    needs_databases,
    needs_freshclam,
    publish,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    Answer,
    ScriptedServer,
)

TIMEOUT = 60.0


@needs_freshclam
@needs_databases
def test_freshclam_works_with_and_without_databases_and_asks_nobody(host: LocalHost, server: ScriptedServer) -> None:
    product = clamav(host, server.url)
    assert product.trial(TIMEOUT) == ()
    assert server.requests == []
    publish(server, 1)
    product.update(TIMEOUT)
    server.forget()
    (Path(product.directory()) / "daily.cvd").write_bytes(b"of somebody else")
    before = {path.name: path.read_bytes() for path in Path(product.directory()).iterdir()}
    assert product.trial(TIMEOUT) == ()
    assert {path.name: path.read_bytes() for path in Path(product.directory()).iterdir()} == before
    assert server.requests == []


@needs_freshclam
def test_a_sample_that_is_not_there_is_told_before_a_probe_passes_it_over(
    host: LocalHost, server: ScriptedServer
) -> None:
    host.write("/srv/there", b"sample")
    product = clamav(host, server.url)
    probing = ProbeSettings(find=("/srv/there", "/srv/gone"))
    assert replace(product, probing=probing).trial(TIMEOUT) == ("probe.find: there is no file /srv/gone",)
    assert replace(product, probing=replace(probing, enabled=False)).trial(TIMEOUT) == ()


@needs_freshclam
def test_a_cool_down_is_no_fault(host: LocalHost, server: ScriptedServer) -> None:
    product = clamav(host, server.url)
    server.always(Answer(429, b"", {"Retry-After": "1000"}))
    product.update(TIMEOUT)
    assert product.cooling_until() is not None
    assert product.trial(TIMEOUT) == ()
    assert product.cooling_until() is not None


@needs_freshclam
def test_a_directory_that_is_none_is_a_fault(host: LocalHost, server: ScriptedServer) -> None:
    product = clamav(host, server.url)
    databases = Path(host.real("/var/lib/clamav"))
    databases.parent.mkdir(parents=True)
    databases.write_text("no directory")
    (error,) = product.trial(TIMEOUT)
    assert error.startswith("freshclam does not work here: ")


@needs_freshclam
@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes the databases' owner")
def test_a_directory_that_its_owner_may_not_write_to_is_a_fault(tmp_path: Path) -> None:
    databases = tmp_path / "databases"
    databases.mkdir(mode=0o700)
    product = clamav(LiveHost(tmp_path), database_directory=str(databases), database_owner="nobody")
    (error,) = product.trial(TIMEOUT)
    assert error.startswith("freshclam does not work here: ")


def test_an_owner_who_does_not_exist_is_a_fault(tmp_path: Path) -> None:
    owner = {"database_owner": "nobody-of-that-name", "database_directory": str(tmp_path / "databases")}
    errors = clamav(LiveHost(tmp_path), **owner).trial(TIMEOUT)
    if os.geteuid() == 0:
        assert errors == ("the user nobody-of-that-name does not exist",)


@pytest.mark.parametrize("service", ["clamav-daemon.service", "clamd@scan.service", "clamd.service"])
def test_clamd_that_is_enabled_and_off_while_there_are_databases(tmp_path: Path, service: str) -> None:
    product = clamav(NothingRuns(tmp_path), database_directory=str(tmp_path / "databases"))
    wants = tmp_path / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / service).symlink_to("/dev/null")
    assert product.idle() == ()
    (tmp_path / "databases").mkdir()
    (tmp_path / "databases/test.cld").write_bytes(b"")
    assert product.idle() == (f"clamd does not run, though {service} is enabled and there are databases: start it",)
    (wants / service).unlink()
    assert product.idle() == ()


class NothingRuns(LiveHost):
    def runs(self, _names: Any) -> bool:
        return False


def test_files_that_can_not_be_written_are_a_fault(files: Files, host: LocalHost) -> None:
    assert files.trial(TIMEOUT) == ()
    directory = Path(host.real(files.settings.directory))
    assert list(directory.iterdir()) == []
    directory.rmdir()
    directory.write_text("no directory")
    (error,) = files.trial(TIMEOUT)
    assert error.startswith(f"{files.settings.directory}: nothing can be written there (")


@pytest.mark.parametrize(
    ("script", "mode", "error"),
    [
        ("exit 1", 0o755, ""),  # it may know no version before the first update
        ("echo 1", 0o755, ""),
        ("echo 1", 0o644, "{path} can't be started: Permission denied"),
        (None, 0, ""),  # told as missing
    ],
)
def test_a_version_command_that_can_not_be_started_is_a_fault(
    host: LocalHost,
    document: Callable[..., EndpointDocument],
    tmp_path: Path,
    script: str | None,
    mode: int,
    error: str,
) -> None:
    path = tmp_path / "version"
    if script is not None:
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(mode)
    command = {"update": ["/bin/true"], "version": [str(path)]}
    product = select_product(document("command", urls=[], command=command), host)
    assert product.trial(TIMEOUT) == ((error.format(path=path),) if error else ())
