# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of the server's state is published as metrics (section ``metrics`` of its settings)."""

from __future__ import annotations

from typing import Any

from ..validation.errors import ValidationErrors
from ..validation.parsers import integer, read_mapping
from ..validation.strings import directory
from ..values import frozen

MOST_ENDPOINTS = 10_000


@frozen
class MetricsSettings:
    """``textfile_directory`` is that of node_exporter's textfile collector.

    ``endpoints`` is the highest number of endpoints that get a series of their own: those that are not current.
    """

    textfile_directory: str = "/var/lib/prometheus/node-exporter"
    endpoints: int = 0

    @classmethod
    def from_dict(cls, raw: object, path: str = "metrics") -> MetricsSettings:
        """Read the section, in which every key may be missing; raises InvalidDocument with all its errors."""
        errors = ValidationErrors()
        values: dict[str, Any] = read_mapping(raw, path=path, known=_KEYS, errors=errors)
        errors.check()
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        return {"textfile_directory": self.textfile_directory, "endpoints": self.endpoints}


_KEYS = {"textfile_directory": directory, "endpoints": integer(0, MOST_ENDPOINTS)}
