# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document of one endpoint, which is all that a converge needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..holds import Hold
from ..policy.policy import Policy, read_policy
from ..products import DEFAULT
from ..validation.errors import ValidationErrors
from ..values import field, frozen, replace
from . import endpoint_keys as keys
from .endpoint_keys import ProductKind, SchedulerKind, Updates
from .trust import ProbeSettings, RestoreSettings, plain_holds
from .update_server import UpdateServer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..products.arguments import Setting
    from ..products.definition import Definition

    Definitions = Mapping[str, Definition]

__all__ = (
    "ClamavSettings",
    "CommandSettings",
    "EndpointDocument",
    "FilesSettings",
    "Limits",
    "ProbeSettings",
    "ProductKind",
    "Reconnect",
    "RestoreSettings",
    "SchedulerKind",
    "Updates",
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
    """The product ``command``: argument lists; those from ``scan`` on are empty where the product has none."""

    update: tuple[str, ...] = ()
    version: tuple[str, ...] = ()
    scan: tuple[str, ...] = ()
    restore: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()


@frozen
class Reconnect:
    """E2, in seconds: how often the server is probed, the jitter before an update, the wait after boot."""

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
    ``channel`` is what the tree offers it of its product; empty where its rollout is not staged (G1).

    An endpoint has several products (D2): ``further`` are the documents of those after its first one, each as if it
    were the only one, and ``place`` is that of the document's product in the endpoint's list.

    ``definition`` is that of a ``product`` which is data (D1), None for one of ``ProductKind``; ``product_settings``
    replace values of its placeholders. With ``takeover``, what administrators wrote to update the product is switched
    off, as what packages brought always is (D3).
    """

    endpoint: str
    domain: str = ""
    ordinal: int | None = None
    policy: Policy = Policy()
    channel: str = ""
    product: str = DEFAULT
    clamav: ClamavSettings = ClamavSettings()
    files: FilesSettings = FilesSettings()
    command: CommandSettings = CommandSettings()
    definition: Definition | None = None
    product_settings: Mapping[str, Setting] = field(default_factory=dict)
    takeover: bool = False
    probe: ProbeSettings = ProbeSettings()
    restore: RestoreSettings = RestoreSettings()
    held_versions: tuple[Hold, ...] = ()
    scan_paths: tuple[str, ...] = keys.SCAN_PATHS
    scheduler: SchedulerKind = SchedulerKind.AUTO
    user_group: str = "epp-users"
    reconnect: Reconnect = Reconnect()
    limits: Limits = Limits()
    textfile_directory: str = "/var/lib/prometheus/node-exporter"
    server: UpdateServer | None = None
    place: int = 0
    further: tuple[EndpointDocument, ...] = ()
    updates: Updates = Updates.ONE_AT_A_TIME

    @property
    def instance(self) -> str:
        """What the names of all that belongs to its product are told apart by; empty for an endpoint's first one."""
        return self.product if self.place else ""

    def each(self) -> tuple[EndpointDocument, ...]:
        """The documents of all products of the endpoint, the first one's first."""
        return (self, *self.further)

    def of(self, product: str) -> EndpointDocument | None:
        """The document of one of the products, None for any other name."""
        return next((one for one in self.each() if one.product == product), None)

    @classmethod
    def from_dict(
        cls, raw: object, *, stored: bool = False, definitions: Definitions | None = keys.NO_DEFINITIONS
    ) -> EndpointDocument:
        """Read a document with complete validation; raises InvalidDocument with all its errors.

        ``stored`` is one that was accepted before (``read_values``). ``definitions`` are those beside its own, which
        have been read already; None: they could not be read, which is told elsewhere.
        """
        errors = ValidationErrors()
        values = keys.read_document(raw, errors, definitions)
        if not isinstance(raw, dict):
            errors.check()
        policy = read_policy(values.pop("policy", {}), path="policy", errors=errors, stored=stored)
        keys.check_together(values, policy, errors)
        known = values.pop("product_definitions")
        further = _further(cls, raw, errors, stored=stored, definitions=known) if values.pop("products", None) else ()
        errors.check()
        del values["format"]
        values["definition"] = (known or {}).get(values.get("product"))
        server = values.pop("server", None)
        sections = {name: section(**values.pop(name, {})) for name, section in _SECTIONS.items()}
        managed_by = None if server is None else UpdateServer(**server)
        used = _only_used(sections, values.get("product", DEFAULT))
        return cls(policy=policy, server=managed_by, further=further, **values, **used)

    def to_dict(self) -> dict[str, Any]:
        """The full document in its canonical form, which ``from_dict`` reads back as the same value."""
        document: dict[str, Any] = {"format": keys.FORMAT, "endpoint": self.endpoint, "domain": self.domain}
        document["ordinal"] = self.ordinal
        document["policy"] = self.policy.to_dict()
        document["product"] = self.product
        if self.definition is None:
            document[self.product] = keys.plain_section(self.product, getattr(self, self.product))
        else:
            document["product_definitions"] = {self.product: self.definition.plain}
            document["product_settings"] = keys.plain_settings(self.product_settings)
        document["takeover"] = self.takeover
        document["probe"] = keys.plain_section("probe", self.probe)
        document["restore"] = keys.plain_section("restore", self.restore)
        document["held_versions"] = plain_holds(self.held_versions)
        document["scan_paths"] = list(self.scan_paths)
        document["scheduler"] = self.scheduler.value
        document["user_group"] = self.user_group
        document["reconnect"] = keys.plain_section("reconnect", self.reconnect)
        document["limits"] = keys.plain_section("limits", self.limits)
        document["textfile_directory"] = self.textfile_directory
        if self.channel:
            document["channel"] = self.channel
        if self.server is not None:
            document["server"] = self.server.to_dict()
        if self.further:
            from .further_products import plain_entry

            document["products"] = [plain_entry(one.to_dict()) for one in self.further]
            document["updates"] = self.updates.value
        return document


def _further(
    cls: type[EndpointDocument],
    raw: object,
    errors: ValidationErrors,
    *,
    stored: bool,
    definitions: Definitions | None,
) -> tuple[EndpointDocument, ...]:
    """The documents of the further products; few endpoints have any."""
    from .further_products import read_entries

    def read(one: dict[str, Any], place: int) -> EndpointDocument:
        found = replace(cls.from_dict(one, stored=stored, definitions=definitions), place=place)
        if found.policy.components.engine_packages and found.product == ProductKind.CLAMAV.value:
            errors.add(
                f"products[{found.product}].policy.components.engine_packages",
                "true",
                "possible but for an endpoint's first product (name clamav first)",
            )
        return found

    return read_entries(raw, read, errors) if isinstance(raw, dict) else ()


_SECTIONS: dict[str, Any] = {
    "clamav": ClamavSettings,
    "files": FilesSettings,
    "command": CommandSettings,
    "probe": ProbeSettings,
    "restore": RestoreSettings,
    "reconnect": Reconnect,
    "limits": Limits,
}


def _only_used(sections: dict[str, Any], product: str) -> dict[str, Any]:
    """Without the settings of other products, so that they can never make a difference."""
    unused = {kind.value for kind in ProductKind} - {product}
    return {name: section for name, section in sections.items() if name not in unused}
