# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The updaters that a product brings itself, as values."""

from __future__ import annotations

from collections.abc import Iterable

from ..values import frozen


@frozen
class Program:
    """An updater: the name of its file, and the arguments with which it updates nothing (``idle``).

    Where there are arguments without which it updates nothing, ``only`` are those. With one of ``besides`` it does
    something else, too, which is to go on. ``reloads`` are the services, and words to one, that take a new version into
    use.
    """

    name: str
    idle: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    reloads: tuple[str, ...] = ()

    def updates(self, arguments: Iterable[str]) -> bool:
        """Whether it updates when it is called with these arguments."""
        given = set(arguments)
        return not given & set(self.idle) and (not self.only or bool(given & set(self.only)))

    def does_more(self, arguments: Iterable[str]) -> bool:
        """Whether it does something besides when it is called with these arguments."""
        return bool(set(arguments) & set(self.besides))


@frozen
class Starters:
    """What must not run: systemd units, and init scripts where systemd does not run.

    ``lasting`` are those that would run on for ever, or until their time comes: what is started again when all is given
    back. A service that ends by itself is not among them.
    """

    units: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
