# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that a document makes of a host, as entries and one plan of jobs. Nothing is touched here."""

from __future__ import annotations

from datetime import datetime, timezone

from ..._core.canonical import readable_json
from ..._core.policy.policy import Initiator, Policy
from ..._core.policy.privileges import scheduled_update_runs
from ..._core.resources.resources import Directory, File, Resource
from ..._core.schedule.calendars import IntervalCalendar
from ..._core.settings.endpoint import EndpointDocument, ProductKind
from ..._core.settings.managed import brought
from ..._core.system_files.vendor_updaters import Starters
from ..._core.values import field, frozen
from ..._host.scheduler.base import Texts
from .. import paths
from ..endpoint import Endpoint
from ..installed import Installed
from ..jobs.job_plan import JobPlan
from ..jobs.texts import texts
from ..notify_access import account
from ..privileges import select_backend
from ..privileges.base import GrantedPrivileges
from ..time_limits import max_start_delay
from ..vendor_updaters import find
from ..vendor_updaters.restore import remembered_entries, running_before

_HOMES = ("/home/", "/root/", "/run/user/")
"""What ``ProtectHome=`` hides (systemd.exec(5))."""


@frozen
class Desired:
    """What a host should hold (``entries``, parents first) and which jobs it should run (``plan``, and ``jobs`` as its
    scheduler reads them).

    ``notes`` tell what has to be remembered of some paths before they change, ``resumed`` what ran before it was
    switched off and is to run again.
    """

    entries: tuple[Resource, ...]
    plan: JobPlan
    jobs: Texts
    notes: dict[str, str] = field(default_factory=dict)
    resumed: tuple[str, ...] = ()


def desired(endpoint: Endpoint, installed: Installed, *, agent: bytes | None) -> Desired:
    """What this endpoint's document asks for; ``agent`` is the agent's file, None to leave it out of the picture."""
    document, host = endpoint.document, endpoint.host
    beside = find(host, endpoint.product.needs().vendor_updaters)
    plan = job_plan(endpoint, beside.starters)
    jobs = texts(plan, host, scheduler=endpoint.scheduler.name)
    returning = _to_restore(endpoint, installed)
    privileges = granted_privileges(document)
    own: list[Resource] = [] if agent is None else [File(paths.AGENT, agent, 0o755)]
    own += [
        Directory(paths.CONFIGURATION_DIRECTORY, 0o755),
        Directory(paths.STATE_DIRECTORY, 0o755),
        # Command lines may hold secrets; everything else in it is policy, which people want to see in a diff.
        File(paths.DOCUMENT, readable_json(brought(document)), 0o600, secret=_holds_command_lines(document, installed)),
    ]
    return Desired(
        entries=(
            *own,
            *endpoint.product.entries(),
            *endpoint.scheduler.entries(jobs),
            *select_backend(endpoint.scheduler.name, host).entries(privileges),
            *beside.entries,
            *remembered_entries(host, returning),
        ),
        plan=plan,
        jobs=jobs,
        notes=beside.notes,
        resumed=running_before(host, returning),
    )


def _to_restore(endpoint: Endpoint, installed: Installed) -> dict[str, str]:
    """What was switched off for a product of before, whose updaters are nothing to us any more."""
    return {} if endpoint.product.needs().vendor_updaters else installed.state.switched_off


def _holds_command_lines(document: EndpointDocument, installed: Installed) -> bool:
    """Whether the document, or the one that it replaces, may hold command lines; one that is damaged may."""
    before = installed.document is not None and installed.document.product is ProductKind.COMMAND
    return installed.damaged or before or document.product is ProductKind.COMMAND


def job_plan(endpoint: Endpoint, beside: Starters) -> JobPlan:
    """The jobs that the endpoint's scheduler has to run, and what must not run beside them."""
    document = endpoint.document
    policy = document.policy
    timetable, needs = endpoint.timetable(), endpoint.product.needs()
    year = datetime.fromtimestamp(endpoint.host.now(), timezone.utc).year
    return JobPlan(
        agent=paths.AGENT,
        calendar=timetable.calendar(year) if timetable is not None and keeps_schedule(endpoint) else None,
        configuration=_configuration(document),
        notices=_notified_as(document),
        reconnect_probe=document.reconnect.probe if policy.events.update_on_reconnect else None,
        update_limit=document.limits.update,
        max_start_delay=max_start_delay(document),
        scan_limit=document.limits.scan,
        needs=needs,
        needs_homes=any(path.startswith(_HOMES) for path in (*endpoint.product.programs(), *needs.read_write)),
        keys_in_homes=document.server is not None and document.server.notify_user == account.ROOT,
        textfile_directory=document.textfile_directory,
        beside=beside,
    )


def keeps_schedule(endpoint: Endpoint) -> bool:
    """Whether this endpoint's own scheduler wakes it for scheduled updates.

    It does not before anybody has said when they are, and not where the server keeps the slots (S6).
    """
    policy = endpoint.document.policy
    own = policy.schedule.initiator is Initiator.ENDPOINT
    return endpoint.configured and own and may_run_scheduled(policy)


def _configuration(document: EndpointDocument) -> IntervalCalendar | None:
    if document.server is None:
        return None
    from ..._core.schedule.sync_schedule import daily_calendar

    return daily_calendar(document.endpoint, document.ordinal)


def _notified_as(document: EndpointDocument) -> str | None:
    server = document.server
    if server is None or server.notify_key is None or server.notify_user == account.ROOT:
        return None
    return server.notify_user


def may_run_scheduled(policy: Policy) -> bool:
    """Whether a scheduled update may ever run under this policy, whatever the user's switch says (P1)."""
    return any(scheduled_update_runs(policy.privileges, switch) for switch in (None, True, False))


def granted_privileges(document: EndpointDocument) -> GrantedPrivileges:
    """What the users of this endpoint may do."""
    privileges = document.policy.privileges
    return GrantedPrivileges(
        group=document.user_group,
        toggle=privileges.toggle_scheduled_update,
        update_now=privileges.update_now,
        roaming=privileges.go_roaming,
        agent=paths.AGENT,
    )
