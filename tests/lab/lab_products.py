# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian's products on the lab's machines, and sources of the lab's own for their updaters."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

from lab_nodes import Node
from lab_server import ComponentServer


def install(machine: Node, server: ComponentServer, packages: dict[str, Path]) -> None:
    server.publish(packages)
    fetched = " ".join(f"-O {server.url}/{name}" for name in packages)
    machine.run(f"mkdir /var/tmp/debs && cd /var/tmp/debs && curl -fsS {fetched}")
    machine.run("DEBIAN_FRONTEND=noninteractive apt-get -q -y install /var/tmp/debs/*.deb && rm -r /var/tmp/debs")
    server.publish({})


SPAM = "updates.lab.example"


def channel(version: int, url: str, *, rule: str = "body LAB_RULE", wrong: bool = False) -> dict[str, bytes | str]:
    """A channel of sa-update: where its mirrors are, and one version of its rules with its sums."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        text = f"{rule} /lab{version}/\nscore LAB_RULE 1\n".encode()
        entry = tarfile.TarInfo("10_lab.cf")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    content = gzip.compress(packed.getvalue())
    summed = content + b"x" * wrong
    sums = {name: f"{hashlib.new(name, summed).hexdigest()}  {version}.tar.gz\n" for name in ("sha256", "sha512")}
    return {
        "MIRRORED.BY": f"{url}/\n",
        f"{version}.tar.gz": content,
        **{f"{version}.tar.gz.{name}": text for name, text in sums.items()},
    }


def rules(text: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("rules/lab.rules")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


HUB = "hub-cdn.crowdsec.net"
_ITEM = """\
name: lab/one
description: "lab {version}"
filter: "evt.Line.Labels.type == 'lab'"
onsuccess: next_stage
statics: []
"""


def hub(version: int, *, wrong: bool = False) -> dict[str, bytes | str]:
    """A hub of CrowdSec with one parser in all versions up to this one; a wrong one is not what its index says."""
    items = {f"0.{number}": _ITEM.format(version=number) for number in range(1, version + 1)}
    digests = {name: {"digest": hashlib.sha256(one.encode()).hexdigest()} for name, one in items.items()}
    path = "parsers/s01-parse/lab/one.yaml"
    parser = {"path": path, "stage": "s01-parse", "version": f"0.{version}", "versions": digests, "author": "lab"}
    index = {"collections": {}, "parsers": {"lab/one": parser}, "postoverflows": {}, "scenarios": {}}
    return {
        "master/.index.json": json.dumps(index),
        f"master/{path}": items[f"0.{version}"] + "# wrong\n" * wrong,
    }
