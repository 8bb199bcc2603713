# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules' options, typed to the leaf.

No option has a default here where the library has one: a document stays partial, so that a domain's value is not
hidden by a default of the endpoint. The library fills what is missing, and the documentation names what it fills in.
"""

from __future__ import annotations

from typing import Any

Spec = dict[str, dict[str, Any]]


def _option(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


def _strings(**more: Any) -> dict[str, Any]:
    return _option("list", elements="str", **more)


def _group(**options: dict[str, Any]) -> dict[str, Any]:
    return _option("dict", options=options)


def events() -> Spec:
    """Section ``events`` of a policy."""
    names = ("update_after_download", "include_roaming_and_offline", "update_on_reconnect", "scan_after_update")
    return {name: _option("bool") for name in names}


def schedule() -> Spec:
    """Section ``schedule`` of a policy."""
    days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    return {
        "frequency": _option("str", choices=["minutes", "hours", "daily", "weekly"]),
        "interval": _option("int"),
        "configuration_once_per_day": _option("bool"),
        "start": _option("str"),
        "day": _option("str", choices=days),
        "window": _option("str"),
        "timezone": _option("str"),
        "spread": _option("str", choices=["even", "random"]),
        "initiator": _option("str", choices=["endpoint", "server"]),
    }


def privileges() -> Spec:
    """Section ``privileges`` of a policy."""
    names = ("toggle_scheduled_update", "scheduled_update", "update_now", "go_roaming", "vendor_fallback")
    return {name: _option("bool") for name in names}


def policy() -> Spec:
    """A whole policy, any part of which may be missing."""
    return {
        "events": _group(**events()),
        "schedule": _group(**schedule()),
        "privileges": _group(**privileges()),
        "components": _group(scope=_option("str", choices=["patterns", "engines", "all"])),
        "sources": _group(urls=_strings(), proxy=_option("str")),
    }


def document() -> Spec:
    """The document of one endpoint, as the agent's ``apply`` takes it."""
    return {
        "endpoint": _option("str"),
        "domain": _option("str"),
        "ordinal": _option("int"),
        "policy": _group(**policy()),
        "product": _option("str", choices=["clamav", "files", "command"]),
        "clamav": _group(
            databases=_strings(),
            custom_urls=_strings(),
            database_directory=_option("path"),
            database_owner=_option("str"),
            clamd_config=_option("path"),
        ),
        "files": _group(directory=_option("path")),
        "command": _group(update=_strings(), version=_strings(), scan=_strings()),
        "scan_paths": _option("list", elements="path"),
        "scheduler": _option("str", choices=["auto", "systemd", "cron"]),
        "user_group": _option("str"),
        "reconnect": _group(probe=_option("str"), jitter=_option("str"), wait=_option("str")),
        "limits": _group(update=_option("str"), scan=_option("str")),
        "textfile_directory": _option("path"),
        "server": _group(
            url=_option("str"),
            signers=_strings(),
            notify_key=_option("str", no_log=False),
            notify_user=_option("str"),
        ),
    }


def installroot() -> Spec:
    """Where the host's file system begins."""
    return {"installroot": _option("path")}


def scope(keys: Spec) -> Spec:
    """Where the keys of a section are set, and which of them a node is to inherit again."""
    return {
        "scope": _option("str", choices=["root", "domain", "endpoint"], default="endpoint"),
        "name": _option("str"),
        "apply_to": _option("str", choices=["all", "future_domains"]),
        "inherit": _strings(choices=list(keys)),
    }


def endpoint() -> Spec:
    """All options of the module ``endpoint``."""
    return {
        "state": _option("str", choices=["present", "absent"], default="present"),
        "use_variables": _option("bool", default=False),
        "require": _option("bool", default=True),
        "notify": _option("bool", default=True),
        **installroot(),
        **document(),
    }


def member() -> Spec:
    """One endpoint of the client tree."""
    return {
        "name": _option("str", required=True),
        "domain": _option("str"),
        "address": _option("str"),
        "host_key": _option("str", no_log=False),
        "ordinal": _option("int"),
        "source": _option("str"),
        "product": _option("str", choices=["clamav", "files", "command"]),
        "databases": _strings(),
        "policy": _group(**policy()),
    }


def client_tree() -> Spec:
    """All options of the module ``client_tree``."""
    return {
        "policy": _group(**policy()),
        "domains": _option("dict"),
        "endpoints": _option("list", elements="dict", options=member()),
        "absent": _strings(),
        "purge": _option("bool", default=False),
        "use_variables": _option("bool", default=False),
        "host_keys_from": _option("str", no_log=False),
        "server_host": _option("str"),
        **installroot(),
    }


def update_now() -> Spec:
    """All options of the module ``update_now``."""
    return {"use_variables": _option("bool", default=False), **installroot(), **timeout(), **selection()}


def selection() -> Spec:
    """Which endpoints of the client tree are meant."""
    return {
        "endpoints": _strings(),
        "domains": _strings(),
        "outdated": _option("bool", default=False),
    }


def fleet_info() -> Spec:
    """All options of the module ``fleet_info``."""
    subsets = ["endpoints", "campaigns", "status"]
    # Those of _core/reports/states.py, which each run of a playbook would compile; a test holds them together.
    states = ["failing", "refusing", "silent", "behind", "never_seen", "switched_off", "roaming", "current"]
    return {
        "gather": _strings(choices=subsets, default=subsets),
        "states": _strings(choices=states),
        "recent_campaigns": _option("int", default=20),
        **selection(),
        **installroot(),
    }


def server_components() -> Spec:
    """The section ``components`` of an update server's settings."""
    limits = {"requests_per_hour": _option("int"), "timeout": _option("str")}
    return {
        "clamav": _group(
            cvd=_option("path"),
            mirror=_option("str"),
            databases=_strings(choices=["main", "daily", "bytecode"]),
            extra=_option("dict"),
            nameserver=_option("str"),
            keep_cdiffs=_option("int"),
            **limits,
        ),
        "files": _group(
            directory=_option("path"), url=_option("str"), git=_option("str"), branch=_option("str"), **limits
        ),
        "command": _group(fetch=_strings(), version=_strings(), **limits),
    }


def server_notify() -> Spec:
    """The section ``notify`` of an update server's settings."""
    return {
        "notifier": _option("str", choices=["ssh", "local"]),
        "user": _option("str"),
        "key": _option("path", no_log=False),  # a path, not the key
        "connect_timeout": _option("str"),
        "timezone": _option("str"),
        **{name: _option("int") for name in ("max_in_flight", "max_in_flight_peak", "max_in_flight_off_peak")},
        **{name: _strings() for name in ("peak_hours", "off_peak_hours")},
        **{name: _option("str") for name in ("lease", "deadline", "retry_delay")},
        "retries": _option("int"),
        "offline_ttl": _option("str"),
    }


def server_web() -> Spec:
    """The section ``web`` of an update server's settings."""
    return {
        "url": _option("str"),
        "server": _option("str", choices=["nginx", "none"]),
        "listen": _strings(),
        "tls_certificate": _option("path"),
        "tls_key": _option("path", no_log=False),  # a path, not the key
        "max_connections": _option("int"),
        "retry_after": _option("int"),
        "verify_url": _option("bool"),
        "reports": _option("str", choices=["put", "ask"]),
    }


def server_settings() -> Spec:
    """The settings of one update server, as its ``apply`` takes them."""
    return {
        "web": _group(**server_web()),
        "components": _group(**server_components()),
        "notify": _group(**server_notify()),
        "configuration": _group(lifetime=_option("str"), overlap=_option("str")),
        "fetch": _group(every=_option("str"), offset=_option("str")),
        "alarms": _group(
            component_age=_group(clamav=_option("str"), command=_option("str"), files=_option("str")),
            silence=_option("str"),
            silent_share=_option("int"),
            failing_share=_option("int"),
            refusing_share=_option("int"),
            expiry=_option("str"),
        ),
        "metrics": _group(textfile_directory=_option("path"), endpoints=_option("int")),
        "scheduler": _option("str", choices=["auto", "systemd", "cron"]),
    }


def server() -> Spec:
    """All options of the module ``server``."""
    return {
        "state": _option("str", choices=["present", "absent"], default="present"),
        **installroot(),
        **server_settings(),
        "require": _option("bool", default=True),
        "use_variables": _option("bool", default=False),
    }


def timeout() -> Spec:
    """How long to wait for the agent."""
    return {"timeout": _option("str", default="2h")}


def drift() -> Spec:
    """The registered variables that hold what comparisons found."""
    return {"compared": _option("list", elements="str", required=True), "client_tree": _option("str")}


def preflight() -> Spec:
    """Which hosts to look at, whether to plan and to look for doubts too, and with what budget."""
    return {
        "groups": _option("bool", default=False),
        "lint": _option("bool", default=False),
        "strict": _option("bool", default=False),
        "plan": _option("bool", default=False),
        "component_size": _option("bytes", default="0"),
        "link": _option("bits", default="0"),
        "run_time": _option("str", default="30s"),
    }
