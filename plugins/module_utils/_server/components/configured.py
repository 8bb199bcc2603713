# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sources of all products that are set up, and what they publish together."""

from __future__ import annotations

from collections.abc import Mapping

from ..._core.settings.components import SourceSettings, read_components
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.settings.rollout import RolloutSettings
from ..._host.host import Host
from .. import paths
from ..settings import read_section
from . import select_source
from .base import Source, Workplace


def sources_of(host: Host, components: Mapping[ProductKind, SourceSettings]) -> dict[ProductKind, Source]:
    """Each product's source."""
    staged = rollout_settings(host).products
    return {
        kind: select_source(kind, settings, host, workplace_of(kind, staged=kind.value in staged))
        for kind, settings in components.items()
    }


def configured_sources(host: Host) -> dict[ProductKind, Source]:
    """The sources of the settings' products; raises InvalidDocument."""
    return sources_of(host, read_components(read_section(host, "components")))


def rollout_settings(host: Host) -> RolloutSettings:
    """The rings of the products; raises InvalidDocument."""
    return RolloutSettings.from_dict(read_section(host, "rollout"), stored=True)


def workplace_of(kind: ProductKind, *, staged: bool) -> Workplace:
    """Where a product's source works and publishes."""
    path = f"{paths.COMPONENTS}/{kind.value}"
    return Workplace(f"{paths.SOURCES}/{kind.value}", f"{paths.PUBLIC}/{path}", path, staged)
