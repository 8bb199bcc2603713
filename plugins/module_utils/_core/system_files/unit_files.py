# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the unit files of others say (systemd.syntax(7)), and how a service is kept from an updater."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..values import frozen
from .command_lines import Reading, Starts
from .cron_tables import disarmed
from .shell_words import unit_words

Settings = Mapping[str, "tuple[str, ...]"]
"""The values of each ``Section.Key``, in their order."""

_CONTINUED = re.compile(r"\\\n(?:[ \t]*[#;][^\n]*\n)*")
_MAIN = "Service.ExecStart"
_STARTING = (_MAIN, "Service.ExecStartPre", "Service.ExecStartPost", "Service.ExecCondition")
_ACTIVATES = {"timer": "Timer.Unit", "path": "Path.Unit", "socket": "Socket.Service"}
ACTIVATORS = tuple(_ACTIVATES)
"""The kinds of units that start a service when something happens."""


@frozen
class Kept:
    """How one service is kept from the updater: ``blocked`` as a whole, or its commands replaced by ``commands``."""

    blocked: bool
    commands: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def drop_in(self, condition: str) -> str:
        """The drop-in that does so; ``condition`` is a file without which the service is its owner's again."""
        if self.blocked:
            return f"[Unit]\nConditionPathExists=!{condition}\n"
        lines = [f"{name.partition('.')[2]}={text}" for name, texts in self.commands for text in ("", *texts)]
        return "".join(f"{line}\n" for line in ("[Service]", *lines))


def settings_of(texts: Iterable[str]) -> Settings:
    """The settings of a unit and its drop-ins, in the order in which they are read; an empty value begins anew."""
    found: dict[str, list[str]] = {}
    for text in texts:
        section = ""
        for line in map(str.strip, _CONTINUED.sub(" ", text).splitlines()):
            if line[:1] == "[" and line[-1:] == "]":
                section = line[1:-1]
            elif line[:1] not in ("", "#", ";") and "=" in line:
                name, _equals, text_of = line.partition("=")
                values = found.setdefault(f"{section}.{name.rstrip()}", [])
                if text_of.strip():
                    values.append(text_of.strip())
                else:
                    values.clear()
    return {name: tuple(values) for name, values in found.items()}


def kept_from(settings: Settings, reading: Reading) -> Kept | None:
    """How to keep a service from the updater; None where it does not start it."""
    left = {name: _without(settings.get(name, ()), reading) for name in _STARTING}
    changed = {name: texts for name, texts in left.items() if texts != settings.get(name, ())}
    if not changed:
        return None
    main = [reading.words(unit_words(text)) for text in settings.get(_MAIN, ())]
    if Starts.UPDATER in main and set(main) <= {Starts.UPDATER, Starts.NOTHING}:
        return Kept(blocked=True)
    return Kept(blocked=False, commands=tuple(changed.items()))


def is_oneshot(settings: Settings) -> bool:
    """Whether a service ends by itself, so that to start it again would be another update."""
    return settings.get("Service.Type", ("",))[-1:] == ("oneshot",)


def activated(name: str, settings: Settings) -> str:
    """The service that a timer, a path or a socket called ``name`` starts."""
    stem, _dot, kind = name.rpartition(".")
    told = settings.get(_ACTIVATES[kind], ())
    return told[-1] if told else f"{stem}.service"


def template_of(name: str) -> str:
    """The file of a unit: that of its template for an instance."""
    stem, _dot, kind = name.rpartition(".")
    return f"{stem.partition('@')[0]}@.{kind}" if "@" in stem else name


def _without(texts: tuple[str, ...], reading: Reading) -> tuple[str, ...]:
    left = []
    for text in texts:
        words = unit_words(text)
        starts = reading.words(words)
        if starts is not Starts.UPDATER:
            # The unit's own file stays, so that an argument need not be kept here.
            left.append(disarmed(text, reading.places_in_words(words), argument="") if starts.updater else text)
    return tuple(left)
