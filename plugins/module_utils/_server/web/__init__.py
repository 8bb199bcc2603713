# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The web server that serves the published files, chosen by the settings."""

from __future__ import annotations

from ..._core.resources.resources import Resource
from ..._core.settings.server import ServerSettings
from ..._core.settings.web import WebServerKind
from ..._host.host import Host
from .. import paths
from .nginx import FILE, LOGS, Nginx
from .text import nginx_configuration

__all__ = ("FILE", "LOGS", "Nginx", "entries", "select_web_server", "writer")


def select_web_server(settings: ServerSettings, host: Host) -> Nginx | None:
    """The web server to configure; None where the administrator does that, or in a sandbox."""
    return Nginx(host) if host.live and settings.web.server is WebServerKind.NGINX else None


def entries(settings: ServerSettings, host: Host) -> tuple[Resource, ...]:
    """The files of the web server for these settings."""
    server = select_web_server(settings, host)
    return () if server is None else server.entries(nginx_configuration(settings, ipv6=server.has_ipv6))


def writer(settings: ServerSettings, host: Host) -> str:
    """The user who writes reports into the inbox; that of epp-server where the web server is not configured here."""
    server = select_web_server(settings, host)
    return paths.USER if server is None else server.user
