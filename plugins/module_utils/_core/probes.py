# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a probe says of the protection after an update (G3)."""

from __future__ import annotations

from collections.abc import Iterable

from .masking import without_secrets
from .values import frozen


@frozen
class ProbeOutcome:
    """``failures`` say in words what did not work; none of them: the probe has passed. ``remarks`` decide nothing."""

    failures: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(cls, failures: Iterable[str], remarks: Iterable[str] = ()) -> ProbeOutcome:
        """What a program said may quote a URL that it was given."""
        return cls(tuple(map(without_secrets, failures)), tuple(map(without_secrets, remarks)))

    @property
    def passed(self) -> bool:
        return not self.failures

    @property
    def why(self) -> str:
        """The failures, or else the remarks, in one sentence."""
        told = self.failures or self.remarks
        return "; ".join(told[:_TOLD]) + (f" (and {len(told) - _TOLD} more)" if len(told) > _TOLD else "")


_TOLD = 3
