# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases of third parties beside the signed ones, by the real freshclam: no source is another's misfortune (R1)."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.product import ClamAV
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.clamav.samples import (
    clamav,
    needs_databases,
    needs_freshclam,
    publish,
    signature,
    versions,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    Answer,
    ScriptedServer,
)

pytestmark = [needs_freshclam, needs_databases]
TIMEOUT = 60.0
Serve = Callable[[], ScriptedServer]


def offer(server: ScriptedServer, name: str, number: int) -> str:
    """Serve a database of a third party in this version; returns its URL."""
    path = Path(server.folder) / name
    path.write_text(signature(f"Epp.Number{number}"))
    os.utime(path, (time.time() + number, time.time() + number))
    return f"{server.url}/{name}"


def content(product: ClamAV, name: str) -> str:
    return (Path(product.directory()) / name).read_text()


@pytest.mark.parametrize("status", [403, 429])
def test_a_third_party_that_refuses_stops_neither_the_signed_databases_nor_another(
    host: LocalHost, serve: Serve, status: int
) -> None:
    official, refusing, other = serve(), serve(), serve()
    publish(official, 1)
    refusing.always(Answer(status))
    urls = [f"{refusing.url}/refused.ndb?key=hunter2", offer(other, "epp.ndb", 1)]
    product = clamav(host, official.url, custom_urls=urls)
    outcome = product.update(TIMEOUT)
    why = f"{refusing.url}/refused.ndb?*** refuses for now (429 or 403)"
    assert (outcome.result, outcome.why) == (Result.UPDATED, f"in part: {why}")
    assert versions(product).keys() == {"test", "epp.ndb"}

    outcome = product.update(TIMEOUT)
    assert outcome.result is Result.COOLING_DOWN
    assert outcome.until is not None
    assert outcome.until > time.time()
    assert outcome.why == f"rate-limited by 127.0.0.1:{refusing.port}"

    refusing.forget()
    publish(official, 3)
    offer(other, "epp.ndb", 2)
    assert product.update(TIMEOUT).result is Result.UPDATED
    assert versions(product)["test"] == "3"
    assert "Epp.Number2" in content(product, "epp.ndb")
    assert refusing.requests == []


def test_a_vendor_that_refuses_does_not_stop_third_parties(host: LocalHost, serve: Serve) -> None:
    official, other = serve(), serve()
    official.always(Answer(403))
    product = clamav(host, official.url, custom_urls=[offer(other, "epp.ndb", 1)])
    outcome = product.update(TIMEOUT)
    assert (outcome.result, outcome.why) == (Result.UPDATED, "in part: the source refuses for now (429 or 403)")
    offer(other, "epp.ndb", 2)
    official.forget()
    outcome = product.update(TIMEOUT)
    assert (outcome.result, outcome.why) == (Result.UPDATED, "in part: freshclam was told to wait; nothing was asked")
    assert "Epp.Number2" in content(product, "epp.ndb")
    assert official.requests == []


@pytest.mark.heavy
def test_a_dead_vendor_does_not_stop_third_parties(host: LocalHost, server: ScriptedServer, dead_url: str) -> None:
    """freshclam itself asks none of them when a signed database fails."""
    product = clamav(host, dead_url, custom_urls=[offer(server, "epp.ndb", 1)])
    outcome = product.update(TIMEOUT)
    assert outcome.result is Result.UPDATED
    assert outcome.why.startswith("in part: ")
    assert content(product, "epp.ndb")
    assert product.update(TIMEOUT).result is Result.FAILED
    server.stop()
    assert product.update(TIMEOUT).result is Result.UNREACHABLE


def test_a_third_party_database_that_was_removed_or_replaced_comes_back(host: LocalHost, serve: Serve) -> None:
    official, other = serve(), serve()
    publish(official, 1)
    product = clamav(host, official.url, custom_urls=[offer(other, "epp.ndb", 1)])
    product.update(TIMEOUT)
    placed = Path(product.directory()) / "epp.ndb"
    for replacement in ("", "by hand\n"):
        placed.unlink()
        if replacement:
            placed.write_text(replacement)
        assert product.update(TIMEOUT).result is Result.UPDATED
        assert "Epp.Number1" in content(product, "epp.ndb")
    assert product.update(TIMEOUT).result is Result.CURRENT


def test_a_third_party_whose_database_is_called_like_a_signed_one(host: LocalHost, serve: Serve) -> None:
    """A whole run of freshclam removes what it does not know by a signed database's suffix."""
    official, other = serve(), serve()
    publish(official, 1)
    shutil.copyfile(Path(official.folder) / "test.cvd", Path(other.folder) / "vendor.cvd")
    product = clamav(host, official.url, custom_urls=[f"{other.url}/vendor.cvd"])
    assert product.update(TIMEOUT).result is Result.UPDATED
    assert versions(product) == {"test": "1", "vendor": "1"}
    assert product.update(TIMEOUT).result is Result.CURRENT
    assert versions(product) == {"test": "1", "vendor": "1"}


def test_the_memory_of_a_third_party_that_policy_no_longer_names_goes(host: LocalHost, serve: Serve) -> None:
    official, other = serve(), serve()
    publish(official, 1)
    other.always(Answer(403))
    url = f"{other.url}/epp.ndb"
    clamav(host, official.url, custom_urls=[url]).update(TIMEOUT)
    assert clamav(host, official.url).update(TIMEOUT).result is Result.CURRENT
    other.script = None
    offer(other, "epp.ndb", 1)
    assert clamav(host, official.url, custom_urls=[url]).update(TIMEOUT).result is Result.UPDATED
