# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What products answer that have no service of their own here, and no engine that is packages."""

from __future__ import annotations


class WithoutService:
    """A part of the interface of products (``base.Product``)."""

    def idle(self) -> tuple[str, ...]:
        return ()

    def from_channel(self) -> tuple[str, ...]:
        """Nothing: what comes is verified on its way, or is the affair of the product's own updater."""
        return ()

    def alive(self) -> bool:
        return False

    def packaged(self) -> None:
        """None: an engine of such a product comes as its other components do."""
