# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoint of the demonstration that has two products, and no update server: each product from its own vendor."""

from __future__ import annotations

import json
import shlex
import sys
from hashlib import sha256
from pathlib import Path

from sandbox import GATEWAY, HERE, STANDALONE, VENDORS, Sandbox, Unexpected, in_words

_UPDATER = "opt/acme/acme-update"


def converged(fleet: Sandbox) -> None:
    """D2: both products in one task; by check mode and by a second time nothing is to be done."""
    _acme(fleet)
    runs = {"once": (), "in check mode": ("--check",), "again": ()}
    changed = {when: fleet.site(*flags, inventory=STANDALONE)[GATEWAY] for when, flags in runs.items()}
    print(f"   {GATEWAY}: " + ", ".join(f"{when} changed={count}" for when, count in changed.items()))
    if not changed.pop("once") or any(changed.values()):
        raise Unexpected(f"tasks changed: {changed}")
    schedules = {one["product"]: one["policy"]["schedule"] for one in fleet.status(GATEWAY)["products"]}
    print("   " + ", ".join(f"{name} {in_words(schedule)}" for name, schedule in schedules.items()))


def both_updated(fleet: Sandbox) -> None:
    _offer(fleet, "1", licensed=True)
    _updated(fleet, {"files": "updated", "acme": "updated"})


def one_failed(fleet: Sandbox) -> None:
    """R1: one product fails, the other one is updated all the same, and each tells its own."""
    _offer(fleet, "2", licensed=False)
    _updated(fleet, {"files": "updated", "acme": "failed"})


def status(fleet: Sandbox) -> None:
    """What an operator sees: the endpoint with its first product, then the other one."""
    _say(fleet, fleet.agent(GATEWAY, "status").stdout)
    found = {one["product"]: one["components"][0]["version"] for one in fleet.status(GATEWAY)["products"]}
    if found != {"files": "2", "acme": "1"}:
        raise Unexpected(f"{GATEWAY}: {found}")


def _updated(fleet: Sandbox, expected: dict[str, str]) -> None:
    _say(fleet, fleet.agent(GATEWAY, "update-now").stdout)
    last = {one["product"]: one["last"]["manual"]["result"] for one in fleet.status(GATEWAY)["products"]}
    if last != expected:
        raise Unexpected(f"{GATEWAY}: {last}, not {expected}")


def _say(fleet: Sandbox, text: str) -> None:
    """Print what the agent said; the directory that stands for the host is left out."""
    for line in text.replace(str(fleet.directory / GATEWAY), "").splitlines():
        print(f"   {line}".rstrip())


def _acme(fleet: Sandbox) -> None:
    """The vendor's product, as it is on the endpoint before anybody converges it."""
    updater = fleet.directory / GATEWAY / _UPDATER
    updater.parent.mkdir(parents=True)
    command = shlex.join([sys.executable, str(HERE / "acme.py"), str(updater.parent)])
    updater.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    updater.chmod(0o755)


def _offer(fleet: Sandbox, version: str, *, licensed: bool) -> None:
    """Both vendors bring out a version; Acme's customers need a license."""
    vendors = fleet.directory / VENDORS
    _publish(vendors / "rules", version, f"rules, version {version}\n".encode())
    (vendors / "acme").mkdir(exist_ok=True)
    (vendors / "acme/signatures").write_text(f"Version: {version}\n", encoding="utf-8")
    (vendors / "acme/license").write_text("valid\n" if licensed else "expired\n", encoding="utf-8")


def _publish(directory: Path, version: str, content: bytes) -> None:
    """One file in the form that the product ``files`` takes from any web server."""
    name = sha256(content).hexdigest()
    file = {"path": "rules.dat", "component": "rules", "version": version, "kind": "pattern"}
    manifest = {"format": 1, "version": version, "files": [{**file, "size": len(content), "sha256": name}]}
    holder = directory / "objects" / name[:2]
    holder.mkdir(parents=True, exist_ok=True)
    (holder / name).write_bytes(content)
    (directory / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
