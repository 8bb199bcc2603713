# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status as metrics, for node_exporter's textfile collector (R2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..._core.exposition import Metric, exposition, single
from ..._core.timestamps import unix
from ..._core.version import VERSION
from .. import paths
from ..endpoint import Endpoint


def publish_metrics(endpoint: Endpoint, status: Mapping[str, Any]) -> None:
    """Write the metrics if the collector's directory exists and they differ from what lies there; raises OSError."""
    host, document = endpoint.host, endpoint.document
    directory = document.textfile_directory
    if not host.exists(directory):
        return
    path = f"{directory}/{paths.textfile_name(document.instance)}"
    content = exposition(product_metrics(status) if document.instance else metrics(status)).encode()
    if host.read(path) != content:
        host.write(path, content, mode=0o644)


def metrics(status: Mapping[str, Any]) -> Iterator[Metric]:
    """All metrics of a status; times are Unix seconds. What belongs to a product is labelled with it."""
    who = {"endpoint": str(status["endpoint"]), "domain": str(status["domain"])}
    yield single("agent_info", "The endpoint, and the version of its agent", 1, **who, version=VERSION)
    yield _scheduled(status)
    yield single("roaming", "Whether the endpoint is roaming", int(status["roaming"]))
    yield from _installed_and_run(status)
    yield _selftest(status)
    yield from _configuration(status["configuration"])
    yield from _probed_and_scanned(status)


def product_metrics(status: Mapping[str, Any]) -> Iterator[Metric]:
    """Those of a further product, whose section of the status it is."""
    yield _scheduled(status)
    yield from _installed_and_run(status)
    yield _selftest(status)
    yield from _probed_and_scanned(status)


def _of_product(status: Mapping[str, Any]) -> dict[str, str]:
    return {"product": str(status["product"])}


def _scheduled(status: Mapping[str, Any]) -> Metric:
    on = int(status["scheduled_update"])
    return single("scheduled_update_enabled", "Whether scheduled updates run", on, **_of_product(status))


def _installed_and_run(status: Mapping[str, Any]) -> Iterator[Metric]:
    yield from _components(status["components"], _of_product(status))
    yield from _runs(status, _of_product(status))


def _selftest(status: Mapping[str, Any]) -> Metric:
    errors = len(status["selftest"]["errors"])
    return single("selftest_errors", "How many errors the last self-test found", errors, **_of_product(status))


def _probed_and_scanned(status: Mapping[str, Any]) -> Iterator[Metric]:
    product = _of_product(status)
    probe = status["probe"]
    if probe:
        yield single("probe_passed", "Whether the last probe passed", int(probe["ok"]), **product)
        yield single("probe_timestamp_seconds", "When the last probe ended", unix(probe["at"]), **product)
    scan = status["scan"]["last"]
    if scan:
        yield single("scan_findings", "Findings of the last scan", scan["found"], **product)
        yield single("scan_timestamp_seconds", "When the last scan finished", unix(scan["finished"]), **product)


def _components(components: list[Mapping[str, Any]], product: Mapping[str, str]) -> Iterator[Metric]:
    installed = [({**product, "component": c["name"], "version": c["version"]}, 1) for c in components]
    yield Metric("component_info", "Installed components", tuple(installed))
    built = [({**product, "component": c["name"]}, unix(c["built"])) for c in components if c["built"]]
    yield Metric("component_built_timestamp_seconds", "When the installed version was built", tuple(built))


def _runs(status: Mapping[str, Any], product: Mapping[str, str]) -> Iterator[Metric]:
    last = {trigger: ({**product, "trigger": trigger}, run) for trigger, run in status["last"].items()}
    finished = tuple((labels, unix(run["finished"])) for labels, run in last.values())
    yield Metric("last_run_timestamp_seconds", "When the last run of each trigger finished", finished)
    results = tuple(({**labels, "result": run["result"]}, 1) for labels, run in last.values())
    yield Metric("last_run_result", "The result of the last run of each trigger", results)
    at = unix(status["next_run"]) if status["next_run"] else None
    yield single("next_run_timestamp_seconds", "The next scheduled update", at, **product)


def _configuration(told: Mapping[str, Any] | None) -> Iterator[Metric]:
    """What a managed endpoint has from its update server; an alert on its end notices a server that stands still."""
    if told is None:
        return
    serials = [({"document": kind}, told[f"{kind}_serial"]) for kind in ("tree", "shard") if told["adopted"]]
    yield Metric("configuration_serial", "The serials of the adopted configuration", tuple(serials))
    for name, text in (
        ("asked", "When the endpoint last asked for the configuration"),
        ("adopted", "When the configuration was adopted"),
        ("expires", "When the adopted configuration expires"),
    ):
        yield single(f"configuration_{name}_timestamp_seconds", text, unix(told[name]) if told[name] else None)
    text = "The result of the last request for the configuration"
    yield single("configuration_result", text, 1 if told["result"] else None, result=str(told["result"]))
