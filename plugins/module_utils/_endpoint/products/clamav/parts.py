# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An update of ClamAV in parts, one for the signed databases and one for each third party.

freshclam has one memory of a cool-down for each database directory, whoever caused it, and asks no third party when a
signed database fails. So each third party has a directory of its own below the databases', where clamd and the scanners
do not look and where freshclam's confinement lets it write. What came there gets a second name among the databases.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...._core.cvd_header import SIGNED_SUFFIXES, component_of, file_of
from ...._core.holds import Holds
from ...._core.resources.resources import Directory
from ...._core.results import Outcome
from ...._core.settings.endpoint import ClamavSettings
from ...._core.values import frozen, replace
from ...._host.filesystem.open_directory import OpenDirectory, temporary_name
from ...._host.filesystem.safe_paths import open_directory
from ...._host.host import Host
from . import cvd
from .freshclam_conf import FreshclamConfig

if TYPE_CHECKING:
    from .product import ClamAV

_OTHERS = "epp-third-parties"
_ANEW = "epp-anew"
_PLAIN = re.compile(r"[^A-Za-z0-9.-]+")


@frozen
class Part:
    """What one run of freshclam is for: these databases, by name, under this configuration.

    ``only`` are those that it is limited to, none for all. ``source`` is whose they are, empty for the signed ones.
    """

    names: tuple[str, ...]
    config: FreshclamConfig
    only: tuple[str, ...] = ()
    source: str = ""

    def whole(self, names: tuple[str, ...]) -> Part:
        """The same for these databases alone, which are taken whole."""
        return replace(self, config=replace(self.config, scripted=False), only=names)


def parts_of(product: ClamAV) -> tuple[Part, ...]:
    """The parts of a product's update, the signed databases first."""
    return (*_signed(product), *(_of_third_party(product, *others) for others in _third_parties(product.settings)))


def directories(settings: ClamavSettings) -> tuple[Directory, ...]:
    """The directories of third parties, parents first."""
    owner = settings.database_owner
    places = [_place(settings, source) for source, _urls in _third_parties(settings)]
    return tuple(Directory(path, owner=owner) for path in ((_base(settings), *places) if places else ()))


def prepare(host: Host, settings: ClamavSettings) -> None:
    """Make the directories of third parties where they are missing, and remove those of former ones."""
    wanted = directories(settings)
    for directory in wanted:
        if not host.exists(directory.path):
            host.mkdir(directory.path, owner=settings.database_owner if host.live else None)
    kept = {os.path.basename(directory.path) for directory in wanted[1:]}
    base = _base(settings)
    for name in set(_names(host.real(base))) - kept:
        host.remove(f"{base}/{name}")


def put_in_place(host: Host, settings: ClamavSettings, part: Part, holds: Holds) -> tuple[Outcome, ...]:
    """Give what came from a third party its name among the databases; returns what is kept back."""
    kept_back = []
    below = part.config.directory[len(settings.database_directory) + 1 :]
    with open_directory(host.real(settings.database_directory)) as databases, databases.descend(below) as own:
        for name in part.names:
            came = cvd.read(host.real(part.config.directory), name) if holds.concern(component_of(name)) else None
            hold = holds.of(came.name, came.version) if came is not None else None
            if came is not None and hold is not None:
                kept_back.append(hold.outcome(f"{came.name} {came.version}"))
            else:
                _put(own, databases, name)
    return tuple(kept_back)


def made_apart(host: Host, settings: ClamavSettings, part: Part, names: tuple[str, ...]) -> Part:
    """The same for signed databases in a directory of their own, which is made: there freshclam takes them whole."""
    place = f"{settings.database_directory}/{_ANEW}"
    host.remove(place)
    host.mkdir(place)
    if host.live:
        host.mkdir(
            place, owner=settings.database_owner
        )  # at last: the unit may not change the mode of what it gave away
    return Part(names, replace(part.config, directory=place, databases=names), only=names)


def move_in(host: Host, settings: ClamavSettings, part: Part) -> None:
    """Let the databases that came apart replace those of their names, whatever their suffix."""
    with open_directory(host.real(settings.database_directory)) as databases, databases.inner(_ANEW) as own:
        for name in part.names:
            came = [name + suffix for suffix in SIGNED_SUFFIXES if own.status(name + suffix) is not None]
            for file in came:
                own.rename(file, databases, file)
            for file in {name + suffix for suffix in SIGNED_SUFFIXES if came} - set(came):
                databases.unlink(file)


def _put(own: OpenDirectory, databases: OpenDirectory, name: str) -> None:
    new, old = own.status(name), databases.status(name)
    if new is None or not stat.S_ISREG(new.st_mode):
        return
    if old is not None and (old.st_dev, old.st_ino) == (new.st_dev, new.st_ino):
        return
    temporary = temporary_name(name)
    databases.unlink(temporary)
    own.hard_link(name, databases, temporary)
    databases.rename(temporary, databases, name)


def _signed(product: ClamAV) -> tuple[Part, ...]:
    names = tuple(product.settings.databases)
    config = replace(product.config(), custom_urls=(), clamd_config=None)  # clamd is told at the end, once
    # A whole run removes signed databases that it is not told of, and some third parties' are called like those.
    mixed = any(file_of(url).endswith(SIGNED_SUFFIXES) for url in product.settings.custom_urls)
    return (Part(names, config, only=names if mixed else ()),) if names else ()


def _of_third_party(product: ClamAV, source: str, urls: tuple[str, ...]) -> Part:
    place = _place(product.settings, source)
    config = replace(product.config(), directory=place, databases=(), custom_urls=urls, clamd_config=None)
    return Part(tuple(map(file_of, urls)), config, source=source)


def _third_parties(settings: ClamavSettings) -> list[tuple[str, tuple[str, ...]]]:
    """The URLs of third parties by their hosts, in the order of the settings."""
    found: dict[str, list[str]] = {}
    for url in dict.fromkeys(settings.custom_urls):
        found.setdefault(urlsplit(url).netloc.rpartition("@")[2], []).append(url)
    return [(source, tuple(urls)) for source, urls in found.items()]


def _place(settings: ClamavSettings, source: str) -> str:
    return f"{_base(settings)}/{_PLAIN.sub('_', source) or 'local'}"


def _base(settings: ClamavSettings) -> str:
    return f"{settings.database_directory}/{_OTHERS}"


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []
