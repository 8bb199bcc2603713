# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The component sources, one file per back end, behind one door."""

from __future__ import annotations

from typing import Any, Callable

from ..._core.settings.components import ClamAVSource, CommandSource, FilesSource, SourceSettings
from ..._core.settings.endpoint_keys import ProductKind
from ..._host.host import Host
from .base import Source, Workplace


def _clamav(settings: ClamAVSource, host: Host, workplace: Workplace) -> Source:
    from .clamav import ClamAV

    return ClamAV(host, settings, workplace)


def _files(settings: FilesSource, host: Host, workplace: Workplace) -> Source:
    from .files import Files

    return Files(host, settings, workplace)


def _command(settings: CommandSource, host: Host, workplace: Workplace) -> Source:
    from .command import Command

    return Command(host, settings, workplace)


# Each product's settings go to its own source, which `read_components` sees to.
_SOURCES: dict[ProductKind, Callable[[Any, Host, Workplace], Source]] = {
    ProductKind.CLAMAV: _clamav,
    ProductKind.FILES: _files,
    ProductKind.COMMAND: _command,
}


def select_source(product: ProductKind, settings: SourceSettings, host: Host, workplace: Workplace) -> Source:
    """The source of a product's components. Only its own back end is imported."""
    return _SOURCES[product](settings, host, workplace)
