# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine of this endpoint's product as packages of the operating system: whether policy wants them upgraded, what
is installed, and when a window is open. Nothing is changed here."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from .._core.policy.enums import Scope
from .._core.results import ENGINE, Component
from .._host.host import Host
from .._host.timezone import zone_of
from .endpoint import Endpoint

if TYPE_CHECKING:
    from .._core.resources.resources import File
    from .._core.schedule.engine_windows import EngineWindows

_RELEASE = "/etc/os-release"
_UNFIT = re.compile(r"[^a-z0-9._-]+")


def is_wanted(endpoint: Endpoint) -> bool:
    """Whether policy wants the packages upgraded, and the product has an engine that is packages."""
    components = endpoint.document.policy.components
    on = components.engine_packages and components.scope is not Scope.PATTERNS
    return on and endpoint.product.packaged() is not None


def unsupported(endpoint: Endpoint) -> str:
    """Why this host's package manager can't be used; empty where it can."""
    from .packages.dpkg import PROGRAMS, supported

    if supported(endpoint.host):
        return ""
    return f"engine packages are upgraded on Debian and what derives from it alone (no {' and '.join(PROGRAMS)} here)"


def components(endpoint: Endpoint) -> tuple[Component, ...]:
    """The engine as a component, where policy wants it upgraded and it is installed; raises OSError."""
    if not is_wanted(endpoint) or unsupported(endpoint):
        return ()
    version = installed_version(endpoint)
    return (Component(ENGINE, version, kind=ENGINE),) if version else ()


def installed_version(endpoint: Endpoint) -> str:
    """The version of the installed packages; empty without any. Raises OSError."""
    from .packages.dpkg import engine_version, installed

    packaged = endpoint.product.packaged()
    if packaged is None:
        return ""
    return engine_version(installed(endpoint.host, packaged.packages), packaged.packages.core)


def is_staged(endpoint: Endpoint) -> bool:
    """Whether the versions of the packages go through the rings of the update server (G1)."""
    return bool(endpoint.document.channel) and is_wanted(endpoint) and not unsupported(endpoint)


def entries(endpoint: Endpoint) -> tuple[File, ...]:
    """What keeps other runs of the package manager from carrying the packages past the ring, where they are staged."""
    packaged = endpoint.product.packaged() if is_staged(endpoint) else None
    if packaged is None:
        return ()
    from .packages.pin import entry

    return (entry(packaged.packages.source),)


def stream(host: Host) -> str:
    """The distribution and the architecture, as one word: packages of one stream have versions in common."""
    text = (host.read(_RELEASE) or b"").decode(errors="replace")
    known = {key: value.strip().strip("\"'") for key, _is, value in (line.partition("=") for line in text.splitlines())}
    release = known.get("VERSION_ID") or known.get("VERSION_CODENAME") or ""
    words = "-".join(filter(None, (known.get("ID") or "linux", release, os.uname().machine)))
    return _UNFIT.sub("-", words.lower())[:64].strip("-._")


def windows(endpoint: Endpoint) -> EngineWindows | None:
    """When the packages may be upgraded; None where a zone is not known here (any more)."""
    from .._core.schedule.engine_windows import EngineWindows

    host, policy = endpoint.host, endpoint.document.policy
    try:
        return EngineWindows.of(policy, zone_of(host, policy.schedule.timezone), lambda name: zone_of(host, name))
    except KeyError:
        return None
