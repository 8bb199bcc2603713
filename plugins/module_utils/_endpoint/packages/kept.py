# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of an engine's packages, kept to go back to an earlier version.

::

    /var/cache/epp-autoupdate/packages/libclamav12_1.4.3+dfsg-1_amd64.deb     as apt-get names what it fetches
    /var/cache/epp-autoupdate/packages/partial/                               apt-get's own

Two versions are kept at most: the one that is installed and the one before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from ..._host.host import Host
from .apt import CACHE, Apt
from .dpkg import Package, newer

_APT_CACHE = "/var/cache/apt/archives"
_SUFFIX = ".deb"


def prepare(host: Host) -> None:
    """Make the cache; raises OSError."""
    host.mkdir(CACHE)
    host.mkdir(f"{CACHE}/partial", mode=0o700, owner="_apt" if host.live else None)


def keep_installed(host: Host, packages: Sequence[Package], timeout: float) -> bool:
    """Have the files of the installed version in the cache; False where it is nowhere to be had any more."""
    for package in packages:
        if not _file_of(host, CACHE, package):
            found = _file_of(host, _APT_CACHE, package)
            content = host.read(f"{_APT_CACHE}/{found}") if found else None
            if content is not None:
                host.write(f"{CACHE}/{found}", content)
    if not _all_there(host, packages):
        Apt(host).fetch([f"{one.name}={one.version}" for one in packages], timeout)
    return _all_there(host, packages)


def versions_before(host: Host, packages: Sequence[Package]) -> tuple[str, ...]:
    """The kept versions of all these packages that are older than what is installed, the newest first."""
    kept = [{version for name, version in _kept(host) if name == one.name} for one in packages]
    common = set.intersection(*kept) if kept else set()
    older = [version for version in common if all(newer(host, one.version, version) for one in packages)]
    return tuple(_descending(host, older))


def files_of(host: Host, names: Iterable[str], version: str) -> tuple[str, ...]:
    """The real paths of the kept files of a version."""
    found = (_file_of(host, CACHE, Package(name, version, "")) for name in names)
    return tuple(host.real(f"{CACHE}/{name}") for name in found if name)


def prune(host: Host, packages: Sequence[Package]) -> None:
    """Keep the installed version and the one before it; raises OSError."""
    current = {one.version for one in packages}
    keep = current | set(versions_before(host, packages)[:1])
    for name in host.names(CACHE):
        if name.endswith(_SUFFIX) and _version(name) not in keep:
            host.remove(f"{CACHE}/{name}")


def _all_there(host: Host, packages: Sequence[Package]) -> bool:
    return all(_file_of(host, CACHE, package) for package in packages)


def _file_of(host: Host, directory: str, package: Package) -> str:
    """The name of a package's file in a directory, empty where there is none."""
    files = (name for name in host.names(directory) if name.endswith(_SUFFIX))
    wanted = (package.name, package.version)
    return next((name for name in files if (name.partition("_")[0], _version(name)) == wanted), "")


def _kept(host: Host) -> Iterable[tuple[str, str]]:
    return ((name.partition("_")[0], _version(name)) for name in host.names(CACHE) if name.endswith(_SUFFIX))


def _version(name: str) -> str:
    """The version in the name of a file, in which apt-get escapes a colon."""
    return unquote(name.removesuffix(_SUFFIX).partition("_")[2].rpartition("_")[0])


def _descending(host: Host, versions: Sequence[str]) -> list[str]:
    found: list[str] = []
    for version in versions:
        place = next((at for at, one in enumerate(found) if newer(host, version, one)), len(found))
        found.insert(place, version)
    return found
