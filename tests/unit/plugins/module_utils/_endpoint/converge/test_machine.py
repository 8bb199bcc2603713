# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One machine is one endpoint, however many names an inventory has for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.converge import converge
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.remove import remove
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.result import Converged
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost

ID, OTHER = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    host = LocalHost(str(tmp_path))
    host.write("/etc/machine-id", f"{ID}\n".encode())
    return host


def converged(host: LocalHost, name: str, *, check: bool = False, **more: Any) -> Converged:
    policy = {"sources": {"urls": ["http://127.0.0.1:9"]}}
    document = {"format": 1, "endpoint": name, "scheduler": "systemd", "policy": policy, **more}
    return converge(EndpointDocument.from_dict(document), host, agent=None, check=check)


@pytest.mark.parametrize("check", [True, False])
def test_a_second_name_is_refused_with_what_to_do_and_changes_nothing(host: LocalHost, check: bool) -> None:
    assert converged(host, "h1").changed
    with pytest.raises(InvalidDocument) as refused:
        converged(host, "h2", check=check)
    text = str(refused.value)
    assert text.startswith('endpoint: "h2" is not the name of this machine, which is the endpoint "h1" already. ')
    for way in ("remove one of them", "autoupdate_endpoint_name: h1", "autoupdate_state: absent", "a machine ID"):
        assert way in text
    assert not converged(host, "h1").changed


def test_whoever_is_removed_may_come_back_under_another_name(host: LocalHost) -> None:
    converged(host, "h1")
    remove(host, check=False)
    assert converged(host, "h2").changed
    assert not converged(host, "h2").changed


@pytest.mark.parametrize("before", [None, "", "uninitialized", ID], ids=repr)
def test_a_copy_and_an_image_become_endpoints_of_their_own(host: LocalHost, before: str | None) -> None:
    if before is None:
        host.remove("/etc/machine-id")
    else:
        host.write("/etc/machine-id", before.encode())
    converged(host, "image")
    host.write("/etc/machine-id", f"{OTHER}\n".encode())
    assert converged(host, "h2").changed
    with pytest.raises(InvalidDocument):
        converged(host, "h3")


def test_two_directories_without_an_id_are_told_apart_by_their_places(host: LocalHost) -> None:
    host.remove("/etc/machine-id")
    converged(host, "h1")
    with pytest.raises(InvalidDocument):
        converged(host, "h2")
