# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product files: which source is asked, when, and for how long (N3)."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Scope, Sources
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import (
    EndpointDocument,
    FilesSettings,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products import select_product
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.files.product import Files
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.files.samples import (
    MANIFEST,
    Source,
    update,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    Answer,
    ScriptedServer,
)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "120"}, 120),
        (429, {}, 3600),
        (403, {}, 3600),
        (503, {"Retry-After": "60"}, 60),
        (429, {"Retry-After": "99999999"}, 86400),
        (429, {"Retry-After": "soon"}, 3600),
        (429, {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}, 86400),
    ],
)
def test_refusal_is_a_cool_down_in_which_nothing_is_asked(
    files: Files, host: Any, source: Source, status: int, headers: dict[str, str], seconds: int
) -> None:
    host.stopped_at = 1795348800.0  # 2026-11-22T12:00:00Z
    source.server.always(Answer(status, b"", headers))
    outcome = update(files)
    assert outcome.result is Result.COOLING_DOWN
    assert outcome.until == int(host.now()) + seconds
    source.server.script = None
    source.server.forget()
    again = update(files)
    assert (again.result, again.until) == (Result.COOLING_DOWN, outcome.until)
    assert source.server.requests == []
    host.ahead = seconds + 1
    assert update(files).result is Result.UPDATED


def test_a_server_at_its_cap_is_asked_again(files: Files, source: Source) -> None:
    """N3: neither a failure nor a cool-down."""
    turned_away: list[str] = []

    def busy(path: str, _headers: dict[str, str]) -> Answer | None:
        turned_away.append(path)
        return Answer(503, b"", {"Retry-After": "0"}) if len(turned_away) in (1, 3) else None

    source.server.script = busy
    assert update(files).result is Result.UPDATED
    assert source.seen()[:2] == [MANIFEST, MANIFEST]


def test_sources_are_tried_in_order(
    host: LocalHost,
    document: Callable[..., EndpointDocument],
    source: Source,
    serve: Callable[[], ScriptedServer],
    dead_url: str,
) -> None:
    refusing, lacking = serve(), serve()
    refusing.always(Answer(429))
    urls = [dead_url, refusing.url, lacking.url, source.server.url]
    product = select_product(document("files", urls=urls), host)
    assert product.update(20).result is Result.UPDATED
    refusing.forget()
    assert product.update(20).result is Result.CURRENT
    assert refusing.requests == []


def test_the_most_telling_ending_is_reported(
    host: LocalHost,
    document: Callable[..., EndpointDocument],
    serve: Callable[[], ScriptedServer],
    dead_url: str,
) -> None:
    refusing, lacking = serve(), serve()
    refusing.always(Answer(429))

    def result(*urls: str) -> Result:
        return select_product(document("files", urls=list(urls)), host).update(20).result

    assert result(dead_url) is Result.UNREACHABLE
    assert result(dead_url, refusing.url) is Result.COOLING_DOWN
    assert result(dead_url, refusing.url, lacking.url) is Result.FAILED


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(200, bytes(1_000_000), {}, 10, drips=True), "the update took longer than 1 s"),
        (Answer(200, bytes(1_000_000), {}, 10, stalls=True), "/manifest.json: the download broke off"),
    ],
    ids=["drips", "says nothing"],
)
def test_a_server_that_never_ends_its_answer_does_not_outlast_the_limit(
    files: Files, source: Source, answer: Answer, why: str
) -> None:
    source.server.always(answer)
    outcome = update(files, timeout=1)
    assert outcome.result is Result.FAILED
    assert why in outcome.why
    assert source.server.deserted.wait(30)


def test_no_source_at_all_is_a_failure(host: LocalHost) -> None:
    outcome = Files(host, FilesSettings(), Sources(), Scope.PATTERNS).update(5)
    assert (outcome.result, outcome.why) == (Result.FAILED, "sources.urls is empty: set at least one source")


def test_reachable_connects_and_asks_nothing(files: Files, source: Source) -> None:
    assert files.reachable(5)
    source.server.stop()
    assert not files.reachable(1)
    assert source.server.requests == []
