# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documents of the lab's endpoints, and what their component sources serve."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta, timezone
from typing import Any

Document = dict[str, Any]


def quiet(name: str, **changes: Any) -> Document:
    """An endpoint that does nothing unless asked: its schedule is days away, events are off.

    ``changes`` are merged in, section by section.
    """
    far = datetime.now(timezone.utc) + timedelta(days=3)
    base: Document = {
        "endpoint": name,
        "ordinal": 4,
        "policy": {
            "events": {"update_on_reconnect": False},
            "schedule": {"frequency": "weekly", "day": f"{far:%A}".lower(), "start": "12:00", "window": "2h"},
        },
        "reconnect": {"probe": "10s", "jitter": "0s", "wait": "60s"},
        "scan_paths": ["/srv"],
    }
    return merged(base, changes)


def due_now() -> Document:
    """A schedule for ordinal 0 whose instant for today is the minute that has just begun."""
    return {"frequency": "daily", "start": f"{datetime.now(timezone.utc):%H:%M}", "window": "1m"}


def command(name: str, **changes: Any) -> Document:
    """Product ``command`` with an updater that always finds its component current."""
    own = {"product": "command", "command": {"update": ["/bin/true"], "version": ["/bin/echo", "1"]}}
    return merged(quiet(name, **own), changes)


def clamav(name: str, url: str, **changes: Any) -> Document:
    """Product ``clamav`` with the signed test database from this source."""
    own = {"product": "clamav", "clamav": {"databases": ["test"]}, "policy": {"sources": {"urls": [url]}}}
    return merged(quiet(name, **own), changes)


def files(name: str, url: str, **changes: Any) -> Document:
    """Product ``files`` from this source."""
    return merged(quiet(name, product="files", policy={"sources": {"urls": [url]}}), changes)


def file_source(version: str, contents: dict[str, bytes]) -> dict[str, bytes | str]:
    """What a source of product ``files`` serves: a manifest and the objects that it names."""
    listed = [
        {
            "path": path,
            "component": "lab",
            "version": version,
            "kind": "pattern",
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        for path, content in sorted(contents.items())
    ]
    objects = {f"objects/{item['sha256'][:2]}/{item['sha256']}": contents[item["path"]] for item in listed}
    return {"manifest.json": json.dumps({"format": 1, "version": version, "files": listed}), **objects}


def merged(base: Document, changes: Document) -> Document:
    """``base`` with ``changes`` put in; sections merge, a schedule and every other value is replaced as a whole."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict) and key not in ("schedule", "command")
        result[key] = merged(result[key], value) if both else value
    return result


def instant(text: str) -> float:
    """Unix seconds of a time as the status tells it."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
