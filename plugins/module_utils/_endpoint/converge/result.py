# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a converge, or of a plan of one."""

from __future__ import annotations

from typing import Any

from ..._core.resources.diff import Change, to_result
from ..._core.values import frozen


@frozen
class Converged:
    """What a converge did, or in check mode would do.

    ``changes`` are the files and links, ``corrections`` what ran (or did not run) otherwise than it should, in words;
    those of them that are about what the endpoint adopts from its update server are in ``adoption``, too.
    ``host_key`` is the host's public SSH key, by which an update server knows it. ``refusal`` is why the endpoint does
    not take what its update server publishes (a SyncResult and its reason), None where it does. ``missing``
    are the programs without which the product can't be updated, whatever was converged. ``errors`` are why what was
    converged can't work all the same, in words: what the last self-test found, and what a look at the host shows.
    ``other_updaters`` are what else updates the product and was left as it is, in words.
    ``obstacles`` are why its update server could not notify it. ``until`` is when all this ends to be true though
    nothing changes (Unix seconds), None where that is not known.
    """

    changes: tuple[Change, ...]
    corrections: tuple[str, ...] = ()
    next_run: str | None = None
    host_key: str | None = None
    refusal: tuple[str, str] | None = None
    missing: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    other_updaters: tuple[str, ...] = ()
    adoption: tuple[str, ...] = ()
    until: float | None = None

    @property
    def changed(self) -> bool:
        return bool(self.changes or self.corrections)

    def to_result(self) -> dict[str, Any]:
        """The plain result that the module and the agent's command both return."""
        refusal = None if self.refusal is None else {"result": self.refusal[0], "reason": self.refusal[1]}
        return to_result(
            self.changes,
            self.corrections,
            next_run=self.next_run,
            host_key=self.host_key,
            refusal=refusal,
            missing=list(self.missing),
            errors=list(self.errors),
            obstacles=list(self.obstacles),
            other_updaters=list(self.other_updaters),
            adoption=list(self.adoption),
        )
