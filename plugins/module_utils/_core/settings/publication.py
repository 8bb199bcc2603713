# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the server publishes (section ``configuration`` of its settings), read with complete validation."""

from __future__ import annotations

from typing import Any

from ..durations import format_duration
from ..policy.enums import DAY
from ..validation.errors import ValidationErrors, show
from ..validation.parsers import duration, read_mapping
from ..values import frozen


@frozen
class ConfigurationSettings:
    """Seconds. Documents end ``lifetime`` after they were issued, and are issued anew in the second half of it.

    ``overlap`` is how long the next signing key is announced before it signs, and an old one trusted after.
    """

    lifetime: int = 14 * DAY
    overlap: int = 30 * DAY

    @classmethod
    def from_dict(cls, raw: object, path: str = "configuration") -> ConfigurationSettings:
        """Read the section, in which every key may be missing; raises InvalidDocument with all its errors."""
        errors = ValidationErrors()
        values: dict[str, Any] = read_mapping(raw, path=path, known=_KEYS, errors=errors)
        settings = cls(**values)
        if (
            settings.overlap < settings.lifetime
            and not errors.has_error("lifetime")
            and not errors.has_error("overlap")
        ):
            # Who holds a configuration that has not ended yet must be able to follow the keys.
            found, least = format_duration(settings.overlap), format_duration(settings.lifetime)
            errors.add(f"{path}.overlap", show(found), f"as long as lifetime at least ({least})")
        errors.check()
        return settings

    def to_dict(self) -> dict[str, str]:
        return {"lifetime": format_duration(self.lifetime), "overlap": format_duration(self.overlap)}


_KEYS = {
    "lifetime": duration(3600, 366 * DAY),
    "overlap": duration(3600, 3660 * DAY),
}
