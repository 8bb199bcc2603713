# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: what an update server needs of its host that no converge brings: programs, a library, time zones."""

from __future__ import annotations

import importlib.util
import shutil

from .._core.component_settings import ClamAVSource, FilesSource
from .._core.notify_settings import NotifierName
from .._core.server_settings import ServerSettings
from .._core.web_settings import WebServerKind
from .._host.host import Host

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ZONES = "/usr/share/zoneinfo"


class MissingRequirements(OSError):
    """The host lacks what the settings need; nothing was changed."""


def missing_requirements(host: Host, settings: ServerSettings) -> tuple[str, ...]:
    """What the host lacks for these settings, each by its name; nothing in a directory that stands for a host."""
    if not host.live:
        return ()
    sources = settings.components.values()
    programs = ["ssh-keygen"]
    programs += ["nginx"] if settings.web.server is WebServerKind.NGINX else []
    programs += ["git"] if any(isinstance(source, FilesSource) and source.git for source in sources) else []
    found = [name for name in programs if shutil.which(name, path=_PATH) is None]
    if not host.exists(_ZONES):
        found.append("tzdata")
    if settings.notify.notifier is NotifierName.SSH and importlib.util.find_spec("paramiko") is None:
        found.append("paramiko (Python package)")
    found += [source.cvd for source in sources if isinstance(source, ClamAVSource) and not host.exists(source.cvd)]
    return tuple(found)


def require(missing: tuple[str, ...]) -> None:
    """Raise MissingRequirements, which says what to do, unless nothing is missing."""
    if missing:
        raise MissingRequirements(
            f"this host lacks {', '.join(missing)}: install it, or let the role epp.autoupdate.server do so "
            "(autoupdate_server_install: true)"
        )
