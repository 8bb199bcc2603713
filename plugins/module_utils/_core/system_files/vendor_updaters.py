# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The updaters that a product brings itself, as values."""

from __future__ import annotations

from ..values import frozen


@frozen
class Program:
    """An updater: the name of its file, and the arguments with which it updates nothing."""

    name: str
    idle: tuple[str, ...] = ()


@frozen
class Starters:
    """What must not run: systemd units, and init scripts where systemd does not run.

    ``lasting`` are those that would run on for ever, or until their time comes: what is started again when all is given
    back. A service that ends by itself is not among them.
    """

    units: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
