# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what a playbook gives for an update server to the library's own values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._core.settings.server import FORMAT, ServerSettings
from .documents import document_and_root


@dataclass(frozen=True)
class WantedServer:
    """What a task of the module ``server`` asks for; ``settings`` is None where every trace is to go."""

    settings: ServerSettings | None
    root: str = ""

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> WantedServer:
        """Read the options as ``plain`` gives them; raises InvalidDocument with all errors."""
        return cls(*document_and_root(ServerSettings.from_dict, FORMAT, options))
