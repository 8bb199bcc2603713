# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The installed packages of an engine, as dpkg knows them."""

from __future__ import annotations

from collections.abc import Iterable

from ..._core.values import frozen
from ..._host.host import Host
from ..._host.lookup import is_there

PROGRAMS = ("apt-get", "dpkg-query")
_TIMEOUT_S = 30.0
_FORMAT = "${db:Status-Abbrev}\t${Package}\t${source:Package}\t${Version}\n"
_INSTALLED, _HELD = "ii", "hi"
_ABSENT = "unrc"
"""What the second letter of a package's state is where it is not installed: never was, or left configuration files."""


@frozen
class PackageSet:
    """The packages that are one engine: those that the patterns of dpkg-query ``names`` match and that are built from
    the source package ``source``. ``core`` begins the name of the one that is the engine itself."""

    names: tuple[str, ...]
    source: str
    core: str


@frozen
class Package:
    """An installed package; ``state`` as dpkg abbreviates it: what is wanted, and what it is."""

    name: str
    version: str
    state: str

    @property
    def whole(self) -> bool:
        """Whether it is installed and configured."""
        return self.state in (_INSTALLED, _HELD)

    @property
    def on_hold(self) -> bool:
        """Whether the administrator has put it on hold (``apt-mark hold``)."""
        return self.state == _HELD


class DpkgError(OSError):
    """dpkg does not tell what it was asked."""


def supported(host: Host) -> bool:
    """Whether this host has the package manager that is known here."""
    return all(is_there(host, name) for name in PROGRAMS)


def installed(host: Host, packages: PackageSet) -> tuple[Package, ...]:
    """The packages of an engine that are installed, sorted by name; raises OSError."""
    done = host.run(("dpkg-query", *_root(host), "-W", "-f", _FORMAT, *packages.names), timeout=_TIMEOUT_S)
    if done.cut or (done.code != 0 and not done.out and "no packages found" not in done.err):
        raise DpkgError(f"dpkg-query {done.ended}: {done.err.strip()}")
    return parse(done.out, packages.source)


def parse(output: str, source: str) -> tuple[Package, ...]:
    """The installed packages in the output of dpkg-query that are built from this source."""
    fields = (line.split("\t") for line in output.splitlines())
    known = ((words[0].strip(), *words[1:]) for words in fields if len(words) == _FORMAT.count("\t") + 1)
    found = (Package(name, version, state) for state, name, of, version in known if of == source)
    return tuple(sorted((one for one in found if one.state[1:2] not in _ABSENT), key=lambda one: one.name))


def engine_version(packages: Iterable[Package], core: str) -> str:
    """The version of the engine itself; where that package is not there, of the first one; empty without any."""
    several = tuple(packages)
    return next((one.version for one in several if one.name.startswith(core)), several[0].version if several else "")


def newer(host: Host, version: str, than: str) -> bool:
    """Whether a version comes after another one, by dpkg's own rules."""
    done = host.run(("dpkg", "--compare-versions", version, "gt", than), timeout=_TIMEOUT_S)
    return done.code == 0


def _root(host: Host) -> tuple[str, ...]:
    return (f"--admindir={host.real('/var/lib/dpkg')}",) if host.root else ()
