# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a test looks at of what a server has published."""

from __future__ import annotations

from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Manifest
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost


def manifest(host: LocalHost) -> Manifest:
    return Manifest.parse(host.read("/public/components/x/manifest.json") or b"")


def content(host: LocalHost, path: str) -> bytes:
    (file,) = [file for file in manifest(host).files if file.path == path]
    return host.read(f"/public/components/x/{file.object_path}") or b""
