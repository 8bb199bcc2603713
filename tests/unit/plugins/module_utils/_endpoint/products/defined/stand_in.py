# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A product whose programs are real scripts that do what a test tells them, and its definition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products import select_product
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.defined.product import Defined
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost

NAME = "stand-in"


class StandIn:
    """The version lies in a file of the host; each program is a script that a test writes."""

    def __init__(self, host: LocalHost, directory: Path) -> None:
        self.host = host
        self.directory = directory
        self.version("1")

    def version(self, text: str) -> None:
        self.host.write("/opt/stand-in/version", f"Version: {text}\n".encode())

    @property
    def version_file(self) -> str:
        return self.host.real("/opt/stand-in/version")

    def program(self, name: str, text: str) -> str:
        """A script; its path is returned. ``new`` in it installs another version."""
        path = self.directory / name
        path.write_text(f'#!/bin/sh\nnew() {{ echo "Version: $1" >{self.version_file}; }}\n{text}\n')
        path.chmod(0o755)
        return str(path)

    def definition(self, **changes: Any) -> dict[str, Any]:
        rules = {"file": "/opt/stand-in/version", "pattern": "Version: (?P<version>.+)"}
        base: dict[str, Any] = {"format": 1, "components": {"rules": rules}}
        return {**base, **changes}

    def document(self, definition: dict[str, Any], **more: Any) -> EndpointDocument:
        defined = {"product": NAME, "product_definitions": {NAME: definition}}
        return EndpointDocument.from_dict({"format": 1, "endpoint": "n1", **defined, **more})

    def product(self, text: str = "true", *, rules: dict[str, Any] | None = None, **changes: Any) -> Defined:
        """The product whose update is this script, with these rules of its step and parts of its definition."""
        step = {"command": [self.program("update", text)], **(rules or {})}
        more = {name: changes.pop(name) for name in ("policy", "product_settings", "probe_settings") if name in changes}
        if "probe_settings" in more:
            more["probe"] = more.pop("probe_settings")
        whole = self.definition(**{"update": [step], **changes})
        product = select_product(self.document(whole, **more), self.host)
        assert isinstance(product, Defined)
        return product
