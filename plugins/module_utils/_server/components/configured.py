# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sources of all products that are set up, and what they publish together."""

from __future__ import annotations

from collections.abc import Mapping

from ..._core.settings.components import SourceSettings, read_components
from ..._core.settings.endpoint_keys import ProductKind
from ..._host.host import Host
from .. import paths
from ..settings import read_section
from . import select_source
from .base import Published, Source, Workplace


def sources_of(host: Host, components: Mapping[ProductKind, SourceSettings]) -> dict[ProductKind, Source]:
    """Each product's source."""
    return {kind: _source(host, kind, settings) for kind, settings in components.items()}


def published_components(host: Host) -> list[Published | None]:
    """What the settings' products publish now; raises InvalidDocument."""
    sources = sources_of(host, read_components(read_section(host, "components")))
    return [source.published() for source in sources.values()]


def _source(host: Host, kind: ProductKind, settings: SourceSettings) -> Source:
    path = f"{paths.COMPONENTS}/{kind.value}"
    workplace = Workplace(f"{paths.SOURCES}/{kind.value}", f"{paths.PUBLIC}/{path}", path)
    return select_source(kind, settings, host, workplace)
