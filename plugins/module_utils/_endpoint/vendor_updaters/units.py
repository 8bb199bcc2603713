# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The systemd services that start an updater, and what activates them.

A service is kept from it by a drop-in: whatever wants it, it is skipped as long as this host is under policy. Its
links, and those of its timers, paths and sockets, are removed besides, so that they are shown as disabled, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..._core.resources.resources import Absent, File, Resource
from ..._core.system_files.unit_files import (
    ACTIVATORS,
    Kept,
    Settings,
    activated,
    is_oneshot,
    kept_from,
    settings_of,
    template_of,
)
from ..._core.system_files.vendor_updaters import Starters
from ..._host.host import Host
from ..._host.systemd.state import UNIT_DIRECTORY
from ..._host.systemd.unit_files import UnitFiles
from .. import paths
from .base import Found
from .look import Look
from .notes import MADE, linked, whole_folder

DROP_IN = "zz-epp-autoupdate.conf"
"""Read last: conditions of drop-ins before it stay, and none after it begins anew."""
_HEAD = """\
# Managed by the Ansible collection epp.autoupdate; changes are undone by the next converge.
# The product's updates are this host's policy's affair; another updater beside it would follow none.
"""


def found_in_units(look: Look) -> tuple[Found, frozenset[str]]:
    """What systemd would start, and the names of all services that it knows."""
    files = UnitFiles(look.host)
    services = files.names("service")
    kept = {name: told for name in services if (told := _kept(look, files, name)) is not None}
    blocked = [name for name, (how, _settings) in kept.items() if how.blocked]
    units = (*_activators(files, blocked), *blocked) if blocked else ()
    links = tuple(_links(look.host, files, units)) if units else ()
    entries: list[Resource] = [drop_in(name, how) for name, (how, _settings) in kept.items()]
    oneshots = {name for name, (_how, settings) in kept.items() if is_oneshot(settings)}
    found = Found(
        entries=(*entries, *(Absent(path) for path, _target in links)),
        notes={**{entry.path: MADE for entry in entries}, **{path: linked(target) for path, target in links}},
        starters=Starters(units=units, lasting=tuple(name for name in units if name not in oneshots)),
    )
    return found, frozenset(services)


def drop_in(name: str, how: Kept) -> File:
    """The file by which a service is kept from the updater."""
    return File(f"{UNIT_DIRECTORY}/{name}.d/{DROP_IN}", (_HEAD + how.drop_in(paths.DOCUMENT)).encode("latin-1"))


def own_drop_ins(host: Host) -> Iterator[str]:
    """Those that are there."""
    for folder in host.names(UNIT_DIRECTORY):
        if folder.endswith(".service.d") and DROP_IN in host.names(f"{UNIT_DIRECTORY}/{folder}"):
            yield f"{UNIT_DIRECTORY}/{folder}/{DROP_IN}"


def without_drop_ins(host: Host, *, but: Collection[str]) -> Found:
    """Drop-ins of ours for services that are gone, or that start no updater any more, go."""
    left = (path for path in own_drop_ins(host) if path not in but)
    return Found(entries=tuple(Absent(whole_folder(host, path)) for path in left))


def _kept(look: Look, files: UnitFiles, name: str) -> tuple[Kept, Settings] | None:
    texts = files.texts(name, but=DROP_IN)
    if not any(map(look.promising, texts)):
        return None
    settings = settings_of(text.decode("latin-1") for text in texts)
    how = kept_from(settings, look.reading)
    return None if how is None else (how, settings)


def _activators(files: UnitFiles, services: Collection[str]) -> Iterator[str]:
    """What starts one of these services when something happens."""
    for kind in ACTIVATORS:
        for name in files.names(kind):
            settings = settings_of(text.decode("latin-1") for text in files.texts(name))
            if {activated(name, settings), template_of(activated(name, settings))} & set(services):
                yield name


def _links(host: Host, files: UnitFiles, units: Collection[str]) -> Iterator[tuple[str, str]]:
    for path in files.links():
        name = path.rpartition("/")[2]
        target = host.target(path) if name[0] != "." else None
        if target is not None and {name, template_of(name), target.rpartition("/")[2]} & set(units):
            yield path, target
