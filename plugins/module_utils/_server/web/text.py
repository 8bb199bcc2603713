# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nginx configuration of the update server, as text."""

from __future__ import annotations

import re

from ..._core.reports.report import MAX_SIZE
from ..._core.settings.server import ServerSettings
from ..._core.settings.web import ReportsBy, WebSettings
from ..._core.validation.strings import ENDPOINT_NAME
from .. import paths

LOG = "/var/log/nginx/epp-autoupdate.log"
_LONGEST_HASHED_NAME = 40
"""Characters. nginx rejects a longer name where the buckets of its hash table have 64 bytes, unless the name is a
pattern."""
_REPORTS_AT_ONCE = 100
_REPORTS_OF_ONE_ADDRESS = 10

_FILE = """\
# Managed by the Ansible collection epp.autoupdate; changes are undone by the next converge.
# The update server of the Ansible collection epp.autoupdate: plain files, for endpoints and caches in front of them.

# One state for the whole server, whoever asks.
limit_conn_zone $server_name zone=epp_autoupdate:1m;

# Reports count by themselves: they take no place of a download. One address has few of the places.
limit_conn_zone $server_name zone=epp_autoupdate_reports:1m;
limit_conn_zone $binary_remote_addr zone=epp_autoupdate_reporters:1m;

# Who is turned away is told when to come back.
map $status $epp_autoupdate_retry_after {{
    503 {retry_after};
    default "";
}}

# What lies under its digest never changes; everything else is asked for anew, and is mostly a 304.
map $uri $epp_autoupdate_cache_control {{
    ~/objects/ "public, max-age=31536000, immutable";
    default "no-cache";
}}

log_format epp_autoupdate '$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent $request_time '
                          'range="$http_range" since="$http_if_modified_since" match="$http_if_none_match"';

server {{
{listen}
    server_name {name};
{tls}
    access_log {log} epp_autoupdate;
    server_tokens off;

    # The load cap: how many downloads are served at one time. Beyond it an endpoint comes back later.
    limit_conn epp_autoupdate {max_connections};
    limit_conn_status 503;
    add_header Retry-After $epp_autoupdate_retry_after always;
    add_header Cache-Control $epp_autoupdate_cache_control;

    # As they are: compression would take away ranges and strong validators.
    gzip off;
    etag on;
    if_modified_since exact;
    autoindex off;

    # What is absent is absent. freshclam keeps away from a mirror that answers 403 for a whole day.
    error_page 403 =404 /epp-autoupdate-absent;
    location = /epp-autoupdate-absent {{
        internal;
        return 404;
    }}

    location {path}/ {{
        alias {public}/;
        try_files $uri =404;
        # Through a link, who fills the directory could show any file of this host.
        disable_symlinks on from={public};
    }}

    location {path}/reports/ {{
        return 404;
    }}
{reports}{elsewhere}}}
"""
_REPORTS = """\
    # A registered endpoint has a place, an empty file of its name, and may put its report. Nobody can read one, and
    # anything else is absent. What is not there yet in full lies elsewhere.
    location ~ "^{pattern}/reports/(?<epp_autoupdate_endpoint>{endpoint})$" {{
        if ($request_method != PUT) {{
            return 404;
        }}
        if (!-f {places}/$epp_autoupdate_endpoint) {{
            return 404;
        }}
        alias {inbox}/$epp_autoupdate_endpoint;
        dav_methods PUT;
        dav_access user:rw group:rw;
        create_full_put_path off;
        client_body_temp_path {incoming};
        client_max_body_size {max_report};
        client_body_timeout 10s;
        lingering_time 10s;
        lingering_timeout 2s;
        limit_conn epp_autoupdate_reports {max_reports};
        limit_conn epp_autoupdate_reporters {max_reports_each};
    }}
"""
_TLS = """
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:epp_autoupdate_tls:1m;
    ssl_session_tickets off;
"""
_ELSEWHERE = """
    location / {
        return 404;
    }
"""


def nginx_configuration(settings: ServerSettings, *, ipv6: bool) -> str:
    """The nginx configuration for these settings; ``ipv6`` tells whether the host has IPv6 addresses."""
    web = settings.web
    caps = settings.notify.caps
    tls = _TLS.format(certificate=web.tls_certificate, key=web.tls_key) if web.tls_certificate else ""
    return _FILE.format(
        retry_after=web.retry_after,
        listen="\n".join(
            f"    listen {one}{' ssl' if web.tls_certificate else ''};" for one in _listen(web, ipv6=ipv6)
        ),
        name=_server_name(web.parts.host),
        tls=tls,
        log=LOG,
        max_connections=web.max_connections or caps.most,
        path=web.parts.path,
        public=paths.PUBLIC,
        reports=_reports(web) if web.reports is ReportsBy.PUT else "",
        elsewhere=_ELSEWHERE if web.parts.path else "",
    )


def _reports(web: WebSettings) -> str:
    return _REPORTS.format(
        pattern=re.escape(web.parts.path),
        endpoint=ENDPOINT_NAME,
        places=paths.PLACES,
        inbox=paths.INBOX,
        incoming=paths.INCOMING,
        max_report=MAX_SIZE,
        max_reports=_REPORTS_AT_ONCE,
        max_reports_each=_REPORTS_OF_ONE_ADDRESS,
    )


def _listen(web: WebSettings, *, ipv6: bool) -> tuple[str, ...]:
    port = str(web.parts.port)
    return web.listen or ((port, f"[::]:{port}") if ipv6 else (port,))


def _server_name(host: str) -> str:
    """The host of the URL. A long one becomes a pattern: the size of nginx's hash table is its administrator's."""
    return host if len(host) <= _LONGEST_HASHED_NAME else f"~^{re.escape(host)}$"
