# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host must have before a converge writes anything to it, so that nothing is applied by half."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator

from ..._host.host import Host
from ..._host.lookup import first_there, is_there, places_of
from ..jobs.job_plan import JobPlan
from ..notify_access import account
from ..privileges.base import GrantedPrivileges
from . import groups

_SYSTEM = "Linux"
_CRONS = ("cron", "crond", "fcron")
_TABLES = "/etc/cron.d"


class Unsupported(LookupError):
    """The host lacks what no converge brings; nothing was changed on it."""


def require(host: Host, plan: JobPlan, privileges: GrantedPrivileges, *, scheduler: str) -> None:
    """Raise Unsupported, with all that is missing and what to do; a directory that stands for a host lacks nothing."""
    if not host.live:
        return
    found = [
        *_system(),
        *_group(host, privileges),
        *_account(host, plan),
        *_cron(host, plan, scheduler),
        *_listening(plan, scheduler),
    ]
    if found:
        raise Unsupported(f"this host can't be converged, and nothing was changed: {'; '.join(found)}")


def _system() -> Iterator[str]:
    found = os.uname().sysname
    if found != _SYSTEM:
        yield f"its system is {found}, which is not supported ({_SYSTEM})"


def _group(host: Host, privileges: GrantedPrivileges) -> Iterator[str]:
    if groups.missing(host, privileges) and first_there(host, groups.MAKERS) is None:
        makers = " or ".join(command[0] for command in groups.MAKERS)
        yield f"the group {privileges.group} can't be made without {makers}: install one, or make the group"


def _account(host: Host, plan: JobPlan) -> Iterator[str]:
    if (
        plan.notices is None
        or plan.notices == account.ROOT
        or is_there(host, account.MAKER)
        or not account.amiss(host, plan.notices)
    ):
        return
    yield (
        f"the user {plan.notices}, as whom the update server notifies, can't be made without {account.MAKER}: "
        "install it (shadow), or leave the endpoint to its own schedule (autoupdate_notify: false)"
    )


def _cron(host: Host, plan: JobPlan, scheduler: str) -> Iterator[str]:
    wanted = plan.configuration or any(one.calendar or one.reconnect_probe for one in (plan, *plan.further))
    if scheduler != "cron" or not wanted:
        return
    if not any(is_there(host, name) for name in _CRONS):
        yield f"it has neither a running systemd nor cron: install a cron that reads {_TABLES} (cron, cronie)"
    elif all(_is_busybox(host, name) for name in _CRONS if is_there(host, name)):
        yield f"its cron is busybox's, which reads no {_TABLES}: install cronie"


def _listening(plan: JobPlan, scheduler: str) -> Iterator[str]:
    if plan.listens and scheduler == "cron":
        yield (
            "its update server tells it over a message broker (notify.notifier: mqtt), to which only a host with a"
            " running systemd listens: leave it to its own schedule (autoupdate_notify: false)"
        )


def _is_busybox(host: Host, name: str) -> bool:
    targets = (host.target(path) for path in places_of(name) if host.exists(path))
    return any(target is not None and posixpath.basename(target) == "busybox" for target in targets)
