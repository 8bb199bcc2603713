# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The intake of reports: an inbox full of signed ones, taken by one process of the real program."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from program import Cost, Program

from plugins.module_utils._core.metadata.envelope import pack
from plugins.module_utils._core.reports.report import NAMESPACE, Occasion, Report
from plugins.module_utils._host.local_host import LocalHost
from plugins.module_utils._host.ssh_signatures import sign_all
from plugins.module_utils._server import paths

AT = 1_795_348_800
KEY = "/key"
_INSTANT = "2026-11-29T12:00:00Z"
_RUN = {"result": "updated", "reason": "", "started": _INSTANT, "finished": _INSTANT, "until": None, "joined": None}
STATUS: dict[str, Any] = {
    "product": "clamav",
    "domain": "region-1/site-1",
    "scheduler": "systemd",
    "configuration": {
        "result": "adopted",
        "reason": "",
        **dict.fromkeys(("asked", "adopted", "expires"), _INSTANT),
        **dict.fromkeys(("tree_serial", "shard_serial"), AT),
    },
    "switch": None,
    "roaming": False,
    "scheduled_update": True,
    "components": [
        {"name": name, "version": "27002", "built": _INSTANT} for name in ("main", "daily", "bytecode", "local")
    ],
    "running": None,
    "last": {trigger: {**_RUN, "changed": ["daily"]} for trigger in ("download", "schedule", "manual")},
    "next_run": _INSTANT,
    "schedule_fault": None,
    "selftest": {"at": _INSTANT, "errors": []},
    "scan": {"due": False, "last": None},
}


def fill(program: Program, count: int) -> None:
    """Register so many endpoints, all of one host key, and put a signed report of each into the inbox."""
    names = [f"endpoint-{number:06}.example.com" for number in range(count)]
    key = Path(f"{program.root}{KEY}")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    program.run(["register"], {"endpoints": [{"name": name, "host_key": public} for name in names]})
    documents = [_document(name) for name in names]
    inbox = Path(f"{program.root}{paths.INBOX}")
    inbox.mkdir(parents=True)
    signatures = sign_all(LocalHost(str(program.root)), documents, KEY, NAMESPACE)
    for name, document, signature in zip(names, documents, signatures):
        (inbox / name).write_bytes(pack(document, signature, NAMESPACE))


def take(program: Program, count: int) -> Cost:
    """Take them all; raises SystemExit where one is not taken."""
    cost = program.run(["ingest", "--json"])
    report = json.loads(cost.told)
    if report["taken"] != count:
        raise SystemExit(f"ingest: {report}")
    return cost


def line(count: int, cost: Cost) -> str:
    size = len(_document("endpoint-000000.example.com"))
    rates = f"{count / cost.wall:,.0f} reports/s, {count / cost.cpu:,.0f} per second of CPU"
    return f"ingest of {count:,} reports of {size} bytes: {cost.figures}: {rates}"


def _document(name: str) -> bytes:
    one = Report.of_status(STATUS, endpoint=name, sequence=AT, at=AT, occasion=Occasion.DAILY, agent="1.0.0", drift=())
    return one.to_bytes()
