# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests with real ClamAV programs and signed databases share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products import select_product
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.freshclam_conf import (
    current_user,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.product import ClamAV
from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Host
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)

_REPOSITORY = Path(__file__).resolve().parents[7]
DATABASES = Path(os.environ.get("EPP_TESTDATA") or _REPOSITORY.parent / "shared" / "testdata") / "clamav"

needs_freshclam = pytest.mark.skipif(not shutil.which("freshclam"), reason="freshclam is not installed")
needs_clamscan = pytest.mark.skipif(not shutil.which("clamscan"), reason="clamscan is not installed")
needs_clamd = pytest.mark.skipif(
    not (shutil.which("clamd") and shutil.which("clamdscan")), reason="clamd or clamdscan is not installed"
)
needs_databases = pytest.mark.skipif(
    not (DATABASES / "test-1.cvd").exists(), reason=f"no signed test databases in {DATABASES} (set EPP_TESTDATA)"
)

MARKER = b"EPP-AUTOUPDATE-UNIT-TEST-MARKER"


class LiveHost(LocalHost):
    """The running system, but for its configuration and state: those lie in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = str(folder)

    def _inside(self, path: str) -> str:
        return self.folder + path if path.startswith(("/etc/", "/run/")) else path


def publish(server: ScriptedServer, version: int, *, patches: bool = True) -> None:
    """Serve this version as a mirror does: the whole database, and the patches that lead to it."""
    folder = Path(server.folder)
    for old in folder.glob("test*"):
        old.unlink()
    shutil.copyfile(DATABASES / f"test-{version}.cvd", folder / "test.cvd")
    for number in range(2, version + 1) if patches else ():
        shutil.copyfile(DATABASES / f"test-{number}.cdiff", folder / f"test-{number}.cdiff")


def signature(name: str, marker: bytes = MARKER) -> str:
    """A line of a ``.ndb`` database that finds the marker anywhere in any file."""
    return f"{name}:0:*:{marker.hex()}\n"


def clamav(host: Host, *urls: str, **settings: Any) -> ClamAV:
    """The product on a host: the database ``test`` from these sources, unless settings say otherwise."""
    policy = {
        "sources": {"urls": list(urls), "proxy": settings.pop("proxy", None)},
        "components": {"scope": settings.pop("scope", "patterns")},
        "privileges": {"vendor_fallback": settings.pop("vendor_fallback", False)},
    }
    chosen = {"databases": ["test"], "database_owner": current_user(), **settings}
    document = {"format": 1, "endpoint": "n1", "product": "clamav", "policy": policy, "clamav": chosen}
    product = select_product(EndpointDocument.from_dict(document), host)
    assert isinstance(product, ClamAV)
    return product


def versions(product: ClamAV) -> dict[str, str]:
    return {component.name: component.version for component in product.components()}


def database_directory(host: LocalHost) -> Path:
    return Path(host.real("/var/lib/clamav"))
