# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests of the product files share: a published folder behind a server, and what is installed of it."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Manifest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Outcome
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.files.product import Files
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.declared import Declaration
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.publisher import (
    described,
    manifest_of,
    publish,
    published,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)

DIRECTORY = "/var/lib/epp-autoupdate/components"
MANIFEST = "/manifest.json"


def publish_set(folder: Path, target: str | Path, version: str, *, source: str = "samples") -> Manifest:
    """Publish a folder as a version, as the server's sources do."""
    files = described(str(folder), Declaration.of(str(folder), source))
    manifest = manifest_of(files, version, published(str(target)))
    publish(str(folder), str(target), manifest)
    return manifest


class Source:
    """A folder of component files, published behind a server."""

    def __init__(self, folder: Path, server: ScriptedServer) -> None:
        self.folder, self.server = folder, server

    def write(self, **contents: str) -> None:
        """``write(a="one")`` makes ``patterns/a.dat``; ``engines__e`` makes ``engines/e.dat``."""
        for name, content in contents.items():
            kind, _separator, stem = name.rpartition("__")
            path = self.folder / (kind or "patterns") / f"{stem}.dat"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def publish(self, version: str) -> Manifest:
        return publish_set(self.folder, self.server.folder, version)

    def seen(self) -> list[str]:
        """Paths asked for since the last time, objects as ``object``."""
        paths = ["object" if path.startswith("/objects/") else path for path, _status in self.server.seen()]
        self.server.forget()
        return paths


def update(product: Files, timeout: float = 20) -> Outcome:
    return product.update(timeout)


def versions(product: Files) -> dict[str, str]:
    return {component.name: component.version for component in product.components()}


def current(host: LocalHost, path: str) -> Path:
    return Path(host.real(f"{DIRECTORY}/current")) / path


def installed(host: LocalHost) -> dict[str, str]:
    root = current(host, "")
    return {str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}
