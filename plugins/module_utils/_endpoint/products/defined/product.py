# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A product that is data, behind the same door as those that have code of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...._core.holds import NO_HOLDS, Hold, Holds
from ...._core.policy.enums import Scope
from ...._core.policy.policy import Sources
from ...._core.probes import ProbeOutcome
from ...._core.products.arguments import Setting, expanded
from ...._core.products.definition import Definition
from ...._core.products.meanings import Ending, Meaning
from ...._core.resources.resources import Resource
from ...._core.results import UNREADABLE, Component, Outcome, ScanOutcome
from ...._core.settings.endpoint import EndpointDocument
from ...._core.settings.trust import ProbeSettings
from ...._core.values import field, frozen
from ...._host.host import Host
from ..base import ProductNeeds, Restored, tcp_reachable
from ..probe_command import probe_by_command
from ..without_service import WithoutService
from .commands import SETPRIV, Commands, Deadline
from .reading import Reader
from .scan import scanned
from .update import Update, too_old


@frozen
class Defined(WithoutService):
    """The product whose definition the endpoint's document holds; ``values`` are those of its placeholders."""

    host: Host
    definition: Definition
    values: Mapping[str, Setting] = field(default_factory=dict)
    sources: Sources = Sources()
    scope: Scope = Scope.PATTERNS
    probing: ProbeSettings = ProbeSettings()
    restore_limit: float = 1800.0

    @classmethod
    def of(cls, document: EndpointDocument, host: Host) -> Defined:
        definition = document.definition
        if definition is None:
            raise LookupError(f"the product {document.product} has no definition on this host; converge it again")
        return cls(
            host,
            definition,
            {**definition.settings, **document.product_settings},
            document.policy.sources,
            document.policy.components.scope,
            document.probe,
            document.limits.update,
        )

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def commands(self) -> Commands:
        return Commands(self.host, self.values)

    def entries(self) -> tuple[Resource, ...]:
        return ()

    def needs(self) -> ProductNeeds:
        return ProductNeeds(
            read_write=self.definition.writes,
            capabilities=self.definition.needed_capabilities(),
            scan_capabilities=self.definition.scan_capabilities,
            vendor_updaters=self.definition.vendor_updaters,
        )

    def programs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._programs()))

    def _programs(self) -> Iterator[str]:
        definition, probe = self.definition, self.probing.command if self.probing.enabled else ()
        for source in definition.components.values():
            yield from source.command[:1]
        for step in (one for one in definition.steps if not one.optional):
            yield from expanded(step.command, self.values)[:1]
        yield from probe[:1]
        if definition.changes_user:
            yield SETPRIV

    def trial(self, timeout: float) -> tuple[str, ...]:
        """Whether versions can be read as the definition says, are new enough for it, and the product is well."""
        deadline = Deadline(timeout)
        installed = self.components()
        told = tuple(f"{one.name} tells no version" for one in installed if one.version == UNREADABLE)
        old = too_old(self.definition.minimum_versions, installed)
        unwell = self.health(self.commands, deadline.left)
        return (*told, *((old,) if old else ()), *(() if unwell.means.good else (unwell.why,)))

    def components(self) -> tuple[Component, ...]:
        return Reader(self.host, self.definition, self.commands).components()

    def health(self, commands: Commands, timeout: float) -> Ending:
        """What the product says of itself; that all is well where it has nothing to say."""
        health = self.definition.health
        if health is None:
            return Ending(Meaning.OK)
        ran = commands.step(health.step, timeout)
        if not ran.ending.means.good:
            return ran.ending
        missed = (one.missed(ran.output, self.host.now()) for one in health.expect)
        return next((one for one in missed if one is not None), ran.ending)

    def held(self, holds: Holds) -> tuple[str, Hold] | None:
        return holds.among(self.components()) if holds else None

    def probe(self, settings: ProbeSettings, *, alive: bool) -> ProbeOutcome | None:  # noqa: ARG002  nothing is known
        """The definition's own probe, and the one of the settings."""
        deadline = Deadline(settings.timeout)
        own = probe_by_command(self.host, settings, deadline.left)
        failures = list(own.failures) if own is not None else []
        for step in self.definition.probe:
            ending = self.commands.step(step, deadline.left).ending
            if not ending.means.good:
                failures.append(ending.why)
                break
        return ProbeOutcome.of(failures) if own is not None or self.definition.probe else None

    def keep(self) -> None:
        """What is kept is the updater's own business."""

    def restore(self, holds: Holds, *, alive: bool) -> Restored:  # noqa: ARG002  the updater knows one way back
        steps, before = self.definition.restore, self.components()
        if not steps:
            return Restored(False, f"the definition of {self.name} has no restore: this product has no way back")
        deadline = Deadline(self.restore_limit)
        for step in steps:
            ending = self.commands.step(step, deadline.left).ending
            if not ending.means.good:
                return Restored(False, ending.why)
        after = self.components()
        if after == before:
            return Restored(False, "the restore commands have changed no version")
        return Restored(True, f"{', '.join(f'{one.name} {one.version}' for one in after)} is back")

    def update(self, timeout: float, holds: Holds = NO_HOLDS) -> Outcome:
        return Update(self, self.commands, Deadline(timeout), holds, self.components).outcome()

    def scan(self, paths: Sequence[str], timeout: float) -> ScanOutcome:
        step = self.definition.scan
        if step is None:
            return ScanOutcome(ok=False, why=f"the definition of {self.name} has no scan: this product has no scanner")
        return scanned(self.host, self.commands, step, paths, timeout)

    def reachable(self, timeout: float) -> bool:
        return tcp_reachable(self.sources.urls, proxy=self.sources.proxy, timeout=timeout)
