# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status as metrics in Prometheus's text format, for node_exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..._core.settings.endpoint import EndpointDocument
from ..._core.timestamps import unix
from ..._core.untrusted_text import LONGEST_WORD, shown
from ..._host.host import Host
from .. import paths

_PREFIX = "epp_autoupdate_"


def publish_metrics(host: Host, document: EndpointDocument, status: Mapping[str, Any]) -> None:
    """Write the metrics if the collector's directory exists and they differ from what lies there; raises OSError."""
    directory = document.textfile_directory
    if not host.exists(directory):
        return
    path = f"{directory}/{paths.TEXTFILE_NAME}"
    content = "".join(f"{line}\n" for line in metrics(status)).encode()
    if host.read(path) != content:
        host.write(path, content, mode=0o644)


def metrics(status: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the text format; times are Unix seconds."""
    yield from _metric(
        "scheduled_update_enabled", "Whether scheduled updates run", [({}, int(status["scheduled_update"]))]
    )
    yield from _metric("roaming", "Whether the endpoint is roaming", [({}, int(status["roaming"]))])
    yield from _metric(
        "component_info",
        "Installed components",
        [({"component": c["name"], "version": c["version"]}, 1) for c in status["components"]],
    )
    yield from _metric(
        "component_built_timestamp_seconds",
        "When the installed version was built",
        [({"component": c["name"]}, unix(c["built"])) for c in status["components"] if c["built"]],
    )
    last = status["last"].items()
    yield from _metric(
        "last_run_timestamp_seconds",
        "When the last run of each trigger finished",
        [({"trigger": trigger}, unix(run["finished"])) for trigger, run in last],
    )
    yield from _metric(
        "last_run_result",
        "The result of the last run of each trigger",
        [({"trigger": trigger, "result": run["result"]}, 1) for trigger, run in last],
    )
    if status["next_run"]:
        yield from _metric("next_run_timestamp_seconds", "The next scheduled update", [({}, unix(status["next_run"]))])
    yield from _metric(
        "selftest_errors", "How many errors the last self-test found", [({}, len(status["selftest"]["errors"]))]
    )
    yield from _configuration(status["configuration"])
    scan = status["scan"]["last"]
    if scan:
        yield from _metric("scan_findings", "Findings of the last scan", [({}, scan["found"])])
        yield from _metric("scan_timestamp_seconds", "When the last scan finished", [({}, unix(scan["finished"]))])


def _configuration(told: Mapping[str, Any] | None) -> Iterator[str]:
    """What a managed endpoint has from its update server; an alert on its end notices a server that stands still."""
    if told is None:
        return
    serials = [({"document": kind}, told[f"{kind}_serial"]) for kind in ("tree", "shard") if told["adopted"]]
    yield from _metric("configuration_serial", "The serials of the adopted configuration", serials)
    for name, text in (
        ("asked", "When the endpoint last asked for the configuration"),
        ("adopted", "When the configuration was adopted"),
        ("expires", "When the adopted configuration expires"),
    ):
        if told[name]:
            yield from _metric(f"configuration_{name}_timestamp_seconds", text, [({}, unix(told[name]))])
    results = [({"result": told["result"]}, 1)] if told["result"] else []
    yield from _metric("configuration_result", "The result of the last request for the configuration", results)


def _metric(name: str, text: str, samples: list[tuple[dict[str, str], int]]) -> Iterator[str]:
    if not samples:
        return
    yield f"# HELP {_PREFIX}{name} {text}."
    yield f"# TYPE {_PREFIX}{name} gauge"
    for labels, value in samples:
        pairs = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
        yield f"{_PREFIX}{name}{{{pairs}}} {value}" if pairs else f"{_PREFIX}{name} {value}"


def _escaped(label: str) -> str:
    return shown(label, LONGEST_WORD).replace("\\", "\\\\").replace('"', '\\"')
