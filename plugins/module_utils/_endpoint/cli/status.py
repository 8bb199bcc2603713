# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``epp-agent status``, for people and (``--json``) for programs."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from ..._core.timestamps import unix
from ..._host.local_host import LocalHost
from ..._host.output import write_document, write_lines
from .. import paths
from ..converge import selftest
from ..converge.machine import host_key
from ..endpoint import Endpoint, NotEnrolled
from ..status.products import each_section, published, with_products
from ..status.status import compose
from . import exit_codes


def status(host: LocalHost, options: argparse.Namespace) -> int:
    """Compose the status anew where that is allowed, otherwise read the last published one."""
    now = host.now()
    current = each_section(_current(host), lambda section: _with_ages(section, now))
    if options.json:
        write_document(current)
    else:
        write_lines(_lines(current))
    return exit_codes.DONE


def _current(host: LocalHost) -> dict[str, Any]:
    if not host.live or os.geteuid() == 0:
        endpoint = Endpoint.load(host)
        evident = selftest.evident(endpoint, host_key=host_key(host))
        return with_products(endpoint, compose(endpoint, endpoint.store.read(), evident=evident))
    content = host.read(paths.STATUS)
    if content is None:
        raise NotEnrolled(f"{paths.STATUS} does not exist: this host is not enrolled")
    return published(host, dict(json.loads(content)))


def _with_ages(current: dict[str, Any], now: float) -> dict[str, Any]:
    """Component ages in seconds belong to the moment of reading, so they are not in the stored status."""
    components = [{**component, "age": _age(component["built"], now)} for component in current["components"]]
    return {**current, "components": components}


def _age(built: str | None, now: float) -> int | None:
    return None if built is None else max(0, int(now - unix(built)))


def _lines(current: dict[str, Any]) -> Iterator[str]:
    domain = f" in {current['domain']}" if current["domain"] else ""
    yield f"endpoint          {current['endpoint']}{domain}"
    yield from _product_lines(current)
    yield from _configuration_lines(current["configuration"])
    yield f"roaming           {'yes' if current['roaming'] else 'no'}"
    yield f"users may         {', '.join(_granted(current['policy']['privileges'])) or 'nothing'}"
    yield from _result_lines(current)
    yield from _report_lines(current.get("report"))  # a status of an older agent has none
    for section in current.get("products", ())[1:]:
        whole = {**section, "configuration": current["configuration"], "switch": current["switch"]}
        yield ""
        yield from (*_product_lines(whole), *_result_lines(whole))


def _product_lines(current: dict[str, Any]) -> Iterator[str]:
    """What a product is, and when it is updated."""
    yield f"product           {current['product']}"
    for component in current["components"]:
        built = f", built {component['built']}" if component["built"] else ""
        yield f"component         {component['name']} {component['version']}{built}"
    if not current["components"]:
        yield "component         none installed"
    yield f"sources           {_sources(current['policy']['sources']['urls'])}"
    yield f"scheduled update  {_schedule(current)}"
    error = current.get("schedule_fault")  # a status of an older agent has none
    yield f"next run          {current['next_run'] or 'none'}{f' ({error})' if error else ''}"
    yield from _blackout_lines(current.get("blackout"))  # a status of an older agent has none
    for found in current.get("selftest", {}).get("errors", ()):  # a status of an older agent has none
        yield f"error             {found}"


def _result_lines(current: dict[str, Any]) -> Iterator[str]:
    """What became of its updates and scans."""
    for trigger, run in current["last"].items():
        why = f" ({run['reason']})" if run["reason"] else ""
        yield f"last {trigger:<12} {run['result']} at {run['finished']}{why}"
    yield from _order_lines(current.get("orders"))  # only where the update server uses a message broker
    yield from _engine_lines(current.get("engine"))  # only where its packages are upgraded
    yield from _probe_lines(current.get("probe"))  # a status of an older agent has none
    yield from _scan_lines(current["scan"])


def _sources(urls: Sequence[str]) -> str:
    """Where components come from; a query may be a customer's key."""
    return ", ".join(url.partition("?")[0] for url in urls) or "the product's own"


def _schedule(current: dict[str, Any]) -> str:
    state = "on" if current["scheduled_update"] else "off"
    if current["configuration"] is not None and current["configuration"]["adopted"] is None:
        return f"{state} (nothing was adopted yet)"
    if current["policy"]["privileges"]["toggle_scheduled_update"] and current["switch"] is not None:
        return f"{state} (the user's switch)"
    return f"{state} (policy)"


def _blackout_lines(told: dict[str, Any] | None) -> Iterator[str]:
    if told is not None:
        yield f"blackout          {told['name']} from {told['start']} until {told['end']}"
        for window in told["swallowed"]:
            yield f"no window         on {window}: a blackout swallows it"


def _configuration_lines(told: dict[str, Any] | None) -> Iterator[str]:
    if told is None:
        return
    if told["adopted"] is None:
        yield f"configuration     none yet from {told['server']}: no scheduled update runs"
    else:
        serials = f"tree {told['tree_serial']}, shard {told['shard_serial']}"
        yield f"configuration     {serials} from {told['server']}, adopted {told['adopted']}, expires {told['expires']}"
    if told["result"] is not None:
        why = f" ({told['reason']})" if told["reason"] else ""
        yield f"last asked for    {told['result']} at {told['asked']}{why}"


def _granted(privileges: dict[str, bool]) -> Iterator[str]:
    words = {
        "toggle_scheduled_update": "switch scheduled update",
        "update_now": "Update Now",
        "go_roaming": "switch roaming",
    }
    return (text for key, text in words.items() if privileges[key])


def _scan_lines(scan: dict[str, Any]) -> Iterator[str]:
    last = scan["last"]
    if last is not None:
        result = f"{last['found']} found" if last["ok"] else f"failed: {last['reason']}"
        yield f"last scan         {result} at {last['finished']}"
        for finding in last["findings"]:
            yield f"found             {finding['signature']} in {finding['path']}"
    if scan["due"]:
        yield "scan              due"


def _engine_lines(run: dict[str, Any] | None) -> Iterator[str]:
    if run is not None:
        why = f" ({run['reason']})" if run["reason"] else ""
        yield f"engine packages   {run['result']} at {run['finished']}{why}"


def _order_lines(told: dict[str, Any] | None) -> Iterator[str]:
    if told is None:
        return
    why = f" ({told['reason']})" if told["reason"] else ""
    state = f"connected since {told['connected']}" if told["connected"] else "not connected"
    yield f"message broker    {state}{why}"
    waiting = [one["at"] for one in told["waiting"]]
    yield f"orders            {told['taken']} taken{f', the next begins at {min(waiting)}' if waiting else ''}"
    if told["refused"]:
        counts = ", ".join(f"{count} {code}" for code, count in told["refused"].items())
        yield f"orders refused    {counts}, last at {told['refused_at']}"


def _probe_lines(probe: dict[str, Any] | None) -> Iterator[str]:
    if probe is None:
        return
    versions = ", ".join(f"{name} {version}" for name, version in sorted(probe["versions"].items()))
    why = f" ({probe['reason']})" if probe["reason"] else ""
    yield f"last probe        {'passed' if probe['ok'] else 'failed'} at {probe['at']}: {versions}{why}"


def _report_lines(report: dict[str, Any] | None) -> Iterator[str]:
    if report is None:
        return
    why = f" ({report['reason']})" if report["reason"] else ""
    if report["made"] is not None:
        became = "waits" if report["waiting"] else "taken" if report["taken"] else "kept on this host"
        yield f"last report       {report['occasion']} at {report['made']}, {became}{why}"
    elif why:
        yield f"last report       none{why}"
    if report["waiting"] and report["taken"]:
        yield f"report taken      last at {report['taken']}"
