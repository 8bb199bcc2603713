# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules about an update server's settings and its rollouts, typed to the leaf.

No option has a default here where the library has one, as in ``specs``.
"""

from __future__ import annotations

from .spec_parts import DAYS, Spec, group, installroot, option, strings
from .specs import broker, broker_access


def server_components() -> Spec:
    """The section ``components`` of an update server's settings."""
    limits = {"requests_per_hour": option("int"), "timeout": option("str")}
    return {
        "clamav": group(
            cvd=option("path"),
            mirror=option("str"),
            databases=strings(choices=["main", "daily", "bytecode"]),
            extra=option("dict"),
            nameserver=option("str"),
            keep_cdiffs=option("int"),
            **limits,
        ),
        "files": group(directory=option("path"), url=option("str"), git=option("str"), branch=option("str"), **limits),
        "command": group(fetch=strings(), version=strings(), **limits),
    }


def server_notify() -> Spec:
    """The section ``notify`` of an update server's settings."""
    return {
        "notifier": option("str", choices=["ssh", "mqtt", "local"]),
        "user": option("str"),
        "key": option("path", no_log=False),  # a path, not the key
        "connect_timeout": option("str"),
        "timezone": option("str"),
        **{name: option("int") for name in ("max_in_flight", "max_in_flight_peak", "max_in_flight_off_peak")},
        **{name: strings() for name in ("peak_hours", "off_peak_hours")},
        **{name: option("str") for name in ("lease", "deadline", "retry_delay")},
        "retries": option("int"),
        "offline_ttl": option("str"),
        "mqtt": group(**broker(), run_time=option("str"), endpoints=group(**broker_access())),
    }


def server_web() -> Spec:
    """The section ``web`` of an update server's settings."""
    return {
        "url": option("str"),
        "server": option("str", choices=["nginx", "none"]),
        "listen": strings(),
        "tls_certificate": option("path"),
        "tls_key": option("path", no_log=False),  # a path, not the key
        "max_connections": option("int"),
        "retry_after": option("int"),
        "verify_url": option("bool"),
        "reports": option("str", choices=["put", "ask"]),
    }


def rollout_settings() -> Spec:
    """The section ``rollout`` of an update server's settings."""
    product = group(**product_rollout(required=True))
    return {"clamav": product, "command": product, "files": product}


def rollout() -> Spec:
    """All options of the module ``rollout``."""
    return {
        "product": option("str", choices=["clamav", "command", "files"], required=True),
        "state": option("str", choices=["present", "absent"], default="present"),
        **product_rollout(required=False),
        **installroot(),
    }


def rollout_info() -> Spec:
    """All options of the module ``rollout_info``."""
    return {"events": option("int", default=20), **installroot()}


def rollout_state() -> Spec:
    """All options of the module ``rollout_state``."""
    states = ["resumed", "aborted", "held", "released", "expedited"]
    return {
        "state": option("str", choices=states, required=True),
        "version": option("str"),
        "product": option("str"),
        "reason": option("str", required=True),
        "by": option("str"),
        **installroot(),
    }


def product_rollout(*, required: bool) -> Spec:
    """The rings of one product; ``required``: there is no other option that makes them needless."""
    times = {name: option("str") for name in ("bake_time", "silence", "deadline", "failure_threshold")}
    numbers = {name: option("int") for name in ("success_threshold", "minimum_finished")}
    members = {"domains": strings(), "endpoints": strings(), "percent": option("float")}
    ring = {"name": option("str", required=True), **members, **times, **numbers}
    needed = {"required": True} if required else {}
    return {
        "rings": option("list", elements="dict", options=ring, **needed),
        **times,
        **numbers,
        "promotion": group(days=strings(choices=DAYS), hours=strings(), timezone=option("str")),
        "dry_run": option("bool"),
    }


def server_settings() -> Spec:
    """The settings of one update server, as its ``apply`` takes them."""
    return {
        "web": group(**server_web()),
        "components": group(**server_components()),
        "notify": group(**server_notify()),
        "configuration": group(lifetime=option("str"), overlap=option("str")),
        "fetch": group(every=option("str"), offset=option("str")),
        "alarms": group(
            component_age=option("dict"),
            silence=option("str"),
            silent_share=option("int"),
            failing_share=option("int"),
            refusing_share=option("int"),
            expiry=option("str"),
        ),
        "metrics": group(textfile_directory=option("path"), endpoints=option("int")),
        "rollout": group(**rollout_settings()),
        "probe_samples": option("path"),
        "scheduler": option("str", choices=["auto", "systemd", "cron"]),
    }


def server() -> Spec:
    """All options of the module ``server``."""
    return {
        "state": option("str", choices=["present", "absent"], default="present"),
        **installroot(),
        **server_settings(),
        "require": option("bool", default=True),
        "use_variables": option("bool", default=False),
    }
