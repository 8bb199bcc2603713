# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules' options, typed to the leaf.

No option has a default here where the library has one: a document stays partial, so that a domain's value is not
hidden by a default of the endpoint. The library fills what is missing, and the documentation names what it fills in.
"""

from __future__ import annotations

from .spec_parts import DAYS, Spec, group, installroot, option, strings


def events() -> Spec:
    """Section ``events`` of a policy."""
    names = ("update_after_download", "include_roaming_and_offline", "update_on_reconnect", "scan_after_update")
    return {name: option("bool") for name in names}


def blackout() -> Spec:
    """One of the periods of a policy. What must be there the library says, with all else that is wrong."""
    texts = {name: option("str") for name in ("name", "from", "to", "timezone")}
    return {**texts, "days": strings(choices=DAYS)}


def schedule() -> Spec:
    """Section ``schedule`` of a policy."""
    return {
        "frequency": option("str", choices=["minutes", "hours", "daily", "weekly"]),
        "interval": option("int"),
        "configuration_once_per_day": option("bool"),
        "start": option("str"),
        "day": option("str", choices=DAYS),
        "window": option("str"),
        "timezone": option("str"),
        "spread": option("str", choices=["even", "random"]),
        "initiator": option("str", choices=["endpoint", "server"]),
        "blackouts": option("list", elements="dict", options=blackout()),
        "blackout_exceptions": strings(choices=["rollback", "expedite", "update_now"]),
    }


def privileges() -> Spec:
    """Section ``privileges`` of a policy."""
    names = ("toggle_scheduled_update", "scheduled_update", "update_now", "go_roaming", "vendor_fallback")
    return {name: option("bool") for name in names}


def components() -> Spec:
    """Section ``components`` of a policy."""
    return {
        "scope": option("str", choices=["patterns", "engines", "all"]),
        "engine_packages": option("bool"),
        "engine_windows": option("list", elements="dict", options=blackout()),
        "engine_versions": strings(),
    }


def policy() -> Spec:
    """A whole policy, any part of which may be missing."""
    return {
        "events": group(**events()),
        "schedule": group(**schedule()),
        "privileges": group(**privileges()),
        "components": group(**components()),
        "sources": group(urls=strings(), proxy=option("str")),
        "products": option("dict"),
    }


def document() -> Spec:
    """The document of one endpoint, as the agent's ``apply`` takes it."""
    return {
        "endpoint": option("str"),
        "domain": option("str"),
        "ordinal": option("int"),
        "policy": group(**policy()),
        **_product(),
        "takeover": option("bool"),
        "probe": group(
            enabled=option("bool"),
            find=option("list", elements="path"),
            clean=option("list", elements="path"),
            command=strings(),
            timeout=option("str"),
        ),
        "restore": group(keep_versions=option("int"), keep_space=option("str")),
        "held_versions": option(
            "list",
            elements="dict",
            options={
                "component": option("str"),
                "version": option("str", required=True),
                "reason": option("str"),
            },
        ),
        "scan_paths": option("list", elements="path"),
        "scheduler": option("str", choices=["auto", "systemd", "cron"]),
        "user_group": option("str"),
        "reconnect": group(probe=option("str"), jitter=option("str"), wait=option("str")),
        "limits": group(update=option("str"), scan=option("str")),
        "textfile_directory": option("path"),
        "server": group(
            url=option("str"),
            signers=strings(),
            notify_key=option("str", no_log=False),
            notify_user=option("str"),
            broker=group(**broker()),
        ),
    }


def broker() -> Spec:
    """The message broker over which a server notifies."""
    return {"hosts": strings(), "port": option("int"), "prefix": option("str"), **broker_access()}


def broker_access() -> Spec:
    """How one side proves itself to the broker: paths, and the name of a user."""
    files = {name: option("path", no_log=False) for name in ("ca", "certificate", "key", "password_file")}
    return {**files, "user": option("str")}


def _product() -> Spec:
    """Which product it is, and the settings of each."""
    return {
        "product": option("str"),
        "products": strings(),
        "updates": option("str", choices=["one_at_a_time", "independent"]),
        "product_definitions": option("dict"),
        "product_settings": option("dict"),
        "clamav": group(
            databases=strings(),
            custom_urls=strings(),
            database_directory=option("path"),
            database_owner=option("str"),
            clamd_config=option("path"),
        ),
        "files": group(directory=option("path")),
        "command": group(**{name: strings() for name in ("update", "version", "scan", "restore", "offers")}),
    }


def scope(keys: Spec) -> Spec:
    """Where the keys of a section are set, and which of them a node is to inherit again."""
    return {
        "scope": option("str", choices=["root", "domain", "endpoint"], default="endpoint"),
        "name": option("str"),
        "apply_to": option("str", choices=["all", "future_domains"]),
        "inherit": strings(choices=list(keys)),
    }


def endpoint() -> Spec:
    """All options of the module ``endpoint``."""
    return {
        "state": option("str", choices=["present", "absent"], default="present"),
        "use_variables": option("bool", default=False),
        "require": option("bool", default=True),
        "notify": option("bool", default=True),
        **installroot(),
        **document(),
        "product_overrides": option("dict"),
    }


def member() -> Spec:
    """One endpoint of the client tree."""
    return {
        "name": option("str", required=True),
        "domain": option("str"),
        "address": option("str"),
        "host_key": option("str", no_log=False),
        "ordinal": option("int"),
        "source": option("str"),
        "product": option("str"),
        "databases": strings(),
        "further": strings(),
        "policy": group(**policy()),
    }


def client_tree() -> Spec:
    """All options of the module ``client_tree``."""
    return {
        "policy": group(**policy()),
        "domains": option("dict"),
        "endpoints": option("list", elements="dict", options=member()),
        "absent": strings(),
        "purge": option("bool", default=False),
        "use_variables": option("bool", default=False),
        "host_keys_from": option("str", no_log=False),
        "server_host": option("str"),
        **installroot(),
    }


def update_now() -> Spec:
    """All options of the module ``update_now``."""
    own = {"use_variables": option("bool", default=False), "product": option("str")}
    return {**own, **installroot(), **timeout(), **selection()}


def selection() -> Spec:
    """Which endpoints of the client tree are meant."""
    return {
        "endpoints": strings(),
        "domains": strings(),
        "outdated": option("bool", default=False),
    }


def fleet_info() -> Spec:
    """All options of the module ``fleet_info``."""
    subsets = ["endpoints", "campaigns", "status"]
    # Those of _core/reports/states.py, which each run of a playbook would compile; a test holds them together.
    states = ["failing", "refusing", "silent", "behind", "never_seen", "switched_off", "roaming", "current"]
    return {
        "gather": strings(choices=subsets, default=subsets),
        "states": strings(choices=states),
        "recent_campaigns": option("int", default=20),
        **selection(),
        **installroot(),
    }


def audit_info() -> Spec:
    """All options of the module ``audit_info``."""
    return {"version": option("str"), "last": option("int", default=20), **installroot()}


def timeout() -> Spec:
    """How long to wait for the agent."""
    return {"timeout": option("str", default="2h")}


def drift() -> Spec:
    """The registered variables that hold what comparisons found."""
    return {"compared": option("list", elements="str", required=True), "client_tree": option("str")}


def preflight() -> Spec:
    """Which hosts to look at, whether to plan and to look for doubts too, and with what budget."""
    return {
        "groups": option("bool", default=False),
        "lint": option("bool", default=False),
        "strict": option("bool", default=False),
        "plan": option("bool", default=False),
        "component_size": option("bytes", default="0"),
        "link": option("bits", default="0"),
        "run_time": option("str", default="30s"),
    }
