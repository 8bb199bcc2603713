# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The systemd services that start an updater, and what activates them.

A service is kept from it by a drop-in: whatever wants it, it is skipped as long as this host is under policy. Its
links, and those of its timers, paths and sockets, are removed besides, so that they are shown as disabled, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

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
from ..._host.systemd.unit_files import OF_PACKAGES, UnitFiles
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
    of_packages = [name for name in kept if _is_packaged(look, files, name)]
    theirs = [name for name in kept if name not in of_packages]
    found = _switched_off(look.host, files, {name: kept[name] for name in of_packages})
    if theirs:
        more = _switched_off(look.host, files, {name: kept[name] for name in theirs}, but=found.starters.units)
        words = tuple(look.words(_place(files, name)) for name in theirs)
        found = found.with_more(more.of_administrators(words, takeover=look.takeover))
    return found, frozenset(services)


def _switched_off(
    host: Host, files: UnitFiles, kept: Mapping[str, tuple[Kept, Settings]], *, but: Collection[str] = ()
) -> Found:
    """What keeps these services from the updater; activators other than ``but`` go with them."""
    blocked = [name for name, (how, _settings) in kept.items() if how.blocked]
    activators = [name for name in _activators(files, blocked) if name not in but] if blocked else []
    units = (*activators, *blocked)
    links = tuple(_links(host, files, units)) if units else ()
    entries: list[Resource] = [drop_in(name, how) for name, (how, _settings) in kept.items()]
    oneshots = {name for name, (_how, settings) in kept.items() if is_oneshot(settings)}
    return Found(
        entries=(*entries, *(Absent(path) for path, _target in links)),
        notes={**{entry.path: MADE for entry in entries}, **{path: linked(target) for path, target in links}},
        starters=Starters(units=units, lasting=tuple(name for name in units if name not in oneshots)),
    )


def _is_packaged(look: Look, files: UnitFiles, name: str) -> bool:
    """Whether the service starts the updater as its package brought it, too, whoever has changed it since then."""
    texts = files.packaged(name)
    if any(map(look.promising, texts)) and kept_from(_settings(texts), look.reading) is not None:
        return True
    own = f"{UNIT_DIRECTORY}/{name}"
    alias = look.host.target(own) or ""
    return alias.startswith(OF_PACKAGES) or (own in files.written(name) and look.packaged(own))


def _place(files: UnitFiles, name: str) -> str:
    """The service in words, with the files that somebody wrote, and what activates it."""
    paths = [path for path in files.written(name) if not path.endswith(f"/{DROP_IN}")]
    activators = tuple(_activators(files, (name,)))
    started = f", activated by {', '.join(activators)}," if activators else ""
    return f"{name} ({', '.join(paths)}){started}"


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
    settings = _settings(texts)
    how = kept_from(settings, look.reading)
    return None if how is None else (how, settings)


def _activators(files: UnitFiles, services: Collection[str]) -> Iterator[str]:
    """What starts one of these services when something happens."""
    for kind in ACTIVATORS:
        for name in files.names(kind):
            settings = _settings(files.texts(name))
            if {activated(name, settings), template_of(activated(name, settings))} & set(services):
                yield name


def _settings(texts: Iterable[bytes]) -> Settings:
    return settings_of(text.decode("latin-1") for text in texts)


def _links(host: Host, files: UnitFiles, units: Collection[str]) -> Iterator[tuple[str, str]]:
    for path in files.links():
        name = path.rpartition("/")[2]
        target = host.target(path) if name[0] != "." else None
        if target is not None and {name, template_of(name), target.rpartition("/")[2]} & set(units):
            yield path, target
