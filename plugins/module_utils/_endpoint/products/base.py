# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every protection product can do for the runner, the converge and the scheduler units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from ..._core.holds import NO_HOLDS, Hold, Holds
from ..._core.probes import ProbeOutcome
from ..._core.resources.resources import Directory, Resource
from ..._core.results import Component, Outcome, Result, ScanOutcome
from ..._core.settings.trust import ProbeSettings
from ..._core.system_files.vendor_updaters import Program
from ..._core.values import frozen
from ..._host.host import Host
from ..._host.lookup import is_there
from ..packages.dpkg import PackageSet


@frozen
class ProductNeeds:
    """What a hardened unit must leave to the product.

    ``read_write`` are directories (absolute, without the root prefix), ``creates`` those of them that the unit that
    updates has to create where they are missing. ``capabilities`` are Linux names for that unit, ``scan_capabilities``
    for the one that scans. ``after_units`` start before ours, ``vendor_updaters`` are the programs by which the
    product updates itself: whatever starts one of them must not run beside us. ``remains`` are paths that were made for
    us alone, and are removed when we leave.
    """

    read_write: tuple[str, ...] = ()
    creates: tuple[Directory, ...] = ()
    capabilities: tuple[str, ...] = ()
    scan_capabilities: tuple[str, ...] = ()
    after_units: tuple[str, ...] = ()
    vendor_updaters: tuple[Program, ...] = ()
    remains: tuple[str, ...] = ()


@frozen
class Restored:
    """Whether an earlier set of components is back, and in words which one, or why none is."""

    done: bool
    why: str


class PackagedEngine(Protocol):
    """The engine of a product, where it is packages of the operating system."""

    @property
    def packages(self) -> PackageSet:
        """Which packages these are."""

    def alive(self) -> bool:
        """Whether it runs as a service, and answers."""

    def process(self) -> str:
        """What tells the process of its service from a later one; empty where no service of it runs."""

    def restart(self) -> None:
        """Start its service anew, and return once that has begun; raises OSError."""

    def probe(self, settings: ProbeSettings, version: str, *, alive: bool) -> ProbeOutcome | None:
        """Whether the protection works with this version of the packages; ``alive``: it answered before they came."""


class Product(Protocol):
    """One protection product on one host. No method raises for what a run may meet; results carry the reason."""

    @property
    def name(self) -> str:
        """The word for it in documents."""

    def entries(self) -> tuple[Resource, ...]:
        """The configuration files that a converge puts in place."""

    def needs(self) -> ProductNeeds:
        """What the product's processes may touch."""

    def programs(self) -> tuple[str, ...]:
        """The programs, by name or path, without which it can't be updated at all."""

    def trial(self, timeout: float) -> tuple[str, ...]:
        """What would keep updates or scans from working here, in words, tried in at most ``timeout`` seconds.

        No source gets a request, and nothing that is installed changes. Programs that are missing are told elsewhere.
        """

    def idle(self) -> tuple[str, ...]:
        """What of the product should be running and is not, in words; a look at the host, for which nothing runs."""

    def components(self) -> tuple[Component, ...]:
        """What is installed, read from evidence and never from memory, sorted by name."""

    def update(self, timeout: float, holds: Holds = NO_HOLDS) -> Outcome:
        """Bring the components up to date in at most ``timeout`` seconds; what was there stays usable on any error.

        A held version is not begun. Where one is installed, an older version of the source replaces it.
        """

    def from_channel(self) -> tuple[str, ...]:
        """The components that come from the update server's channel and are not verified on their way (G1)."""

    def held(self, holds: Holds) -> tuple[str, Hold] | None:
        """What of the installed versions is held, in words, and its hold; None where nothing is."""

    def alive(self) -> bool:
        """Whether an engine that keeps its patterns in memory answers; False where the product has none."""

    def packaged(self) -> PackagedEngine | None:
        """The engine that the package manager of the host brings; None where there is no such engine."""

    def probe(self, settings: ProbeSettings, *, alive: bool) -> ProbeOutcome | None:
        """Whether the protection works with what is installed; None where there is nothing to probe it with.

        ``alive``: the engine answered before the update.
        """

    def keep(self) -> None:
        """Keep what is installed as a set to go back to, and no more sets than the settings say; raises OSError."""

    def restore(self, holds: Holds, *, alive: bool) -> Restored:
        """Put the newest kept set in place that has no held version; ``alive`` as for a probe."""

    def scan(self, paths: Sequence[str], timeout: float) -> ScanOutcome:
        """Scan what exists of ``paths`` in at most ``timeout`` seconds."""

    def reachable(self, timeout: float) -> bool:
        """Whether a component source accepts a TCP connection; sends no request. True where no source is known."""


def missing_programs(host: Host, product: Product) -> tuple[str, ...]:
    """The programs of a product that a live host lacks; a directory that stands for a host is asked for none."""
    if not host.live:
        return ()
    return tuple(name for name in product.programs() if not is_there(host, name))


def tcp_reachable(urls: Sequence[str], *, proxy: str | None, timeout: float) -> bool:
    """Whether the proxy, or else one of the URLs' hosts, accepts a connection within ``timeout`` seconds in all."""
    import socket
    import time

    addresses = dict.fromkeys(_address(url) for url in ([proxy] if proxy else urls))
    deadline = time.monotonic() + timeout
    for host, port in addresses:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            break
        try:
            socket.create_connection((host, port), timeout=remaining).close()
        except (OSError, UnicodeError):
            continue
        return True
    return not addresses


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url if "://" in url else "http://" + url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def overdue(what: str, timeout: float) -> Outcome:
    """The outcome of a run that was ended because its time was up."""
    return Outcome(Result.FAILED, f"{what} took longer than {timeout:.0f} s and was ended")


def broken(what: str, error: OSError) -> Outcome:
    """The outcome of a run that the operating system stopped: a full disk, a read-only file system, missing rights."""
    where = f" ({error.filename})" if isinstance(error.filename, str) else ""
    return Outcome(Result.FAILED, f"{what}: {error.strerror or error}{where}")
