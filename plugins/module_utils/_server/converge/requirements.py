# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requirements of an update server that a converge does not install: programs, a library, time zones."""

from __future__ import annotations

import importlib.util
import shutil

from ..._core.canonical import sha256_hex
from ..._core.settings.components import ClamAVSource, FilesSource
from ..._core.settings.notify import NotifierName
from ..._core.settings.server import ServerSettings
from ..._core.settings.web import ReportsBy, WebServerKind
from ..._host.host import Host
from .. import paths
from ..web import Nginx
from . import service_account

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CVDUPDATE_LOCK = "9f913888d70b779db9a3ab78688d069f5084872835ef355d359890184bb233d4"
"""SHA-256 of the role's lock file of cvdupdate (``roles/server/files/cvdupdate.txt``); ``make lock`` keeps it."""
_INSTALLED = f"{paths.PROGRAMS}/{paths.CVDUPDATE_NAME}"
_INSTALLED_LOCK = _INSTALLED + "/lock.txt"
"""The lock file that the role has installed from."""
_OTHER = "cvdupdate as this collection's lock file has it"
_WEBDAV = "nginx with its WebDAV module (http_dav_module), which Debian 11 has in nginx-core and not in nginx-light"
_ZONES = "/usr/share/zoneinfo"


class MissingRequirements(OSError):
    """The host lacks what the settings need; nothing was changed."""


def missing_requirements(host: Host, settings: ServerSettings, *, renew: bool = True) -> tuple[str, ...]:
    """The missing requirements of these settings, by name; none in a sandbox.

    With ``renew``, a cvdupdate that the role installed from another lock file counts as missing.
    """
    if not host.live:
        return ()
    sources = settings.components.values()
    programs = ["ssh-keygen"]
    programs += ["ssh-keyscan"] if settings.notify.notifier is NotifierName.SSH else []  # not always beside ssh-keygen
    programs += ["useradd"] if service_account.missing(host) else []
    programs += ["nginx"] if settings.web.server is WebServerKind.NGINX else []
    programs += ["git"] if any(isinstance(source, FilesSource) and source.git for source in sources) else []
    found = [name for name in programs if shutil.which(name, path=_PATH) is None]
    if not host.exists(_ZONES):
        found.append("tzdata")
    by_nginx = settings.web.server is WebServerKind.NGINX and settings.web.reports is ReportsBy.PUT
    if by_nginx and "nginx" not in found and not Nginx(host).takes_reports:
        found.append(_WEBDAV)
    if settings.notify.notifier is NotifierName.SSH and importlib.util.find_spec("paramiko") is None:
        found.append("paramiko (Python package)")
    if settings.notify.notifier is NotifierName.MQTT and importlib.util.find_spec("paho") is None:
        found.append("paho-mqtt (Python package)")
    for source in sources:
        if isinstance(source, ClamAVSource):
            found += _of_cvdupdate(host, source, renew=renew)
    return tuple(found)


def _of_cvdupdate(host: Host, source: ClamAVSource, *, renew: bool) -> list[str]:
    if not host.exists(source.cvd):
        return [source.cvd]
    return [_OTHER] if renew and _is_other(host, source) else []


def _is_other(host: Host, source: ClamAVSource) -> bool:
    """Whether the role installed the program, from another lock file than this collection's."""
    installed = host.read(_INSTALLED_LOCK) if source.cvd.startswith(f"{_INSTALLED}/") else None
    return installed is not None and sha256_hex(installed) != CVDUPDATE_LOCK


def require(missing: tuple[str, ...]) -> None:
    """Raise MissingRequirements, whose text says what to do, unless nothing is missing."""
    if missing:
        raise MissingRequirements(
            f"this host lacks {', '.join(missing)}: install it, or let the role epp.autoupdate.server do so "
            "(autoupdate_server_install: true)"
        )
