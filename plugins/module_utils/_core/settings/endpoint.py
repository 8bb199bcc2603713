# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document of one endpoint, which is all that a converge needs to know."""

from __future__ import annotations

from typing import Any

from ..policy.policy import Policy, read_policy
from ..validation.errors import ValidationErrors
from ..values import frozen
from . import endpoint_keys as keys
from .endpoint_keys import ProductKind, SchedulerKind
from .update_server import UpdateServer

__all__ = (
    "ClamavSettings",
    "CommandSettings",
    "EndpointDocument",
    "FilesSettings",
    "Limits",
    "ProductKind",
    "Reconnect",
    "SchedulerKind",
)


@frozen
class ClamavSettings:
    """The product ``clamav``: its databases and where they lie. An empty owner or clamd's file: as the host has it."""

    databases: tuple[str, ...] = ("main", "daily", "bytecode")
    custom_urls: tuple[str, ...] = ()
    database_directory: str = "/var/lib/clamav"
    database_owner: str = ""
    clamd_config: str = ""


@frozen
class FilesSettings:
    """The product ``files``: the directory that holds the components."""

    directory: str = "/var/lib/epp-autoupdate/components"


@frozen
class CommandSettings:
    """The product ``command``: argument lists; ``scan`` is empty where the product has none."""

    update: tuple[str, ...] = ()
    version: tuple[str, ...] = ()
    scan: tuple[str, ...] = ()


@frozen
class Reconnect:
    """E2, in seconds: how often the server is probed, the jitter before an update, the patience after boot."""

    probe: int = 300
    jitter: int = 120
    wait: int = 240


@frozen
class Limits:
    """The longest that a run may take, in seconds."""

    update: int = 1800
    scan: int = 6 * 3600


@frozen
class EndpointDocument:
    """What one endpoint should be. Settings of products that it does not use have their defaults.

    ``server`` is None for a standalone endpoint. Otherwise the server's tree decides about domain, ordinal and policy:
    the document that a converge brings has none of them, and the one in force has those that were adopted last.
    """

    endpoint: str
    domain: str = ""
    ordinal: int | None = None
    policy: Policy = Policy()
    product: ProductKind = ProductKind.FILES
    clamav: ClamavSettings = ClamavSettings()
    files: FilesSettings = FilesSettings()
    command: CommandSettings = CommandSettings()
    scan_paths: tuple[str, ...] = keys.SCAN_PATHS
    scheduler: SchedulerKind = SchedulerKind.AUTO
    user_group: str = "epp-users"
    reconnect: Reconnect = Reconnect()
    limits: Limits = Limits()
    textfile_directory: str = "/var/lib/prometheus/node-exporter"
    server: UpdateServer | None = None

    @classmethod
    def from_dict(cls, raw: object, *, stored: bool = False) -> EndpointDocument:
        """Read a document with complete validation; raises InvalidDocument with all its errors.

        ``stored`` is one that was accepted before (``read_values``).
        """
        errors = ValidationErrors()
        values = keys.read_document(raw, errors)
        if not isinstance(raw, dict):
            errors.check()
        policy = read_policy(values.pop("policy", {}), path="policy", errors=errors, stored=stored)
        keys.check_together(values, policy, errors)
        errors.check()
        del values["format"]
        server = values.pop("server", None)
        sections = {name: section(**values.pop(name, {})) for name, section in _SECTIONS.items()}
        managed_by = None if server is None else UpdateServer(**server)
        used = _only_used(sections, values.get("product", ProductKind.FILES))
        return cls(policy=policy, server=managed_by, **values, **used)

    def to_dict(self) -> dict[str, Any]:
        """The full document in its canonical form, which ``from_dict`` reads back as the same value."""
        document: dict[str, Any] = {"format": keys.FORMAT, "endpoint": self.endpoint, "domain": self.domain}
        document["ordinal"] = self.ordinal
        document["policy"] = self.policy.to_dict()
        document["product"] = self.product.value
        document[self.product.value] = keys.plain_section(self.product.value, getattr(self, self.product.value))
        document["scan_paths"] = list(self.scan_paths)
        document["scheduler"] = self.scheduler.value
        document["user_group"] = self.user_group
        document["reconnect"] = keys.plain_section("reconnect", self.reconnect)
        document["limits"] = keys.plain_section("limits", self.limits)
        document["textfile_directory"] = self.textfile_directory
        if self.server is not None:
            document["server"] = self.server.to_dict()
        return document


_SECTIONS: dict[str, Any] = {
    "clamav": ClamavSettings,
    "files": FilesSettings,
    "command": CommandSettings,
    "reconnect": Reconnect,
    "limits": Limits,
}


def _only_used(sections: dict[str, Any], product: ProductKind) -> dict[str, Any]:
    """Without the settings of other products, so that they can never make a difference."""
    unused = {kind.value for kind in ProductKind} - {product.value}
    return {name: section for name, section in sections.items() if name not in unused}
