# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that a document makes of a host, as entries and one plan of jobs. Nothing is touched here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

from ..._core.canonical import readable_json
from ..._core.policy.policy import Initiator, Policy
from ..._core.policy.privileges import scheduled_update_runs
from ..._core.resources.resources import Directory, File, Resource
from ..._core.schedule.calendars import IntervalCalendar
from ..._core.settings.endpoint import EndpointDocument, ProductKind
from ..._core.settings.managed import brought
from ..._core.system_files.unit_files import template_of
from ..._core.system_files.vendor_updaters import Program, Starters
from ..._core.validation.strings import HOMES
from ..._core.values import field, frozen, replace
from ..._host.scheduler.base import Texts
from .. import engine, paths
from ..endpoint import Endpoint, listens
from ..installed import Installed
from ..jobs.job_plan import JobPlan
from ..jobs.texts import texts
from ..notify_access import account
from ..privileges import select_backend
from ..privileges.base import GrantedPrivileges
from ..state.store import State
from ..time_limits import longest_engine_update, longest_turn, longest_update, max_start_delay
from ..vendor_updaters import Found, find
from ..vendor_updaters.restore import remembered_entries, running_before
from .former import former_paths, former_states


@frozen
class Desired:
    """What a host should hold (``entries``, parents first) and which jobs it should run (``plan``, and ``jobs`` as its
    scheduler reads them).

    ``notes`` tell what has to be remembered of some paths before they change, ``theirs`` the names in them, and the
    units, that administrators wrote. ``returned`` are notes of what is given back, ``resumed`` what of it ran before
    and is to run again. ``other_updaters`` are what else updates the product and goes on doing so, in words.

    ``former`` are paths of which documents of before tell alone, ``former_states`` the states of products that left,
    which go last: as long as they are there, it is known that there is something of these.
    """

    entries: tuple[Resource, ...]
    plan: JobPlan
    jobs: Texts
    notes: dict[str, str] = field(default_factory=dict)
    theirs: tuple[str, ...] = ()
    returned: dict[str, str] = field(default_factory=dict)
    resumed: tuple[str, ...] = ()
    other_updaters: tuple[str, ...] = ()
    former: tuple[str, ...] = ()
    former_states: tuple[str, ...] = ()


def desired(endpoint: Endpoint, installed: Installed, *, agent: bytes | None) -> Desired:
    """What this endpoint's document asks for; ``agent`` is the agent's file, None to leave it out of the picture."""
    document, host = endpoint.document, endpoint.host
    products = endpoint.each()
    beside = find(host, vendor_updaters(products), takeover=document.takeover)
    plan = job_plan(endpoint, beside.starters)
    further = products[1:]
    if further:
        plan = replace(plan, further=tuple(job_plan(one, Starters()) for one in further))
    jobs = texts(plan, host, scheduler=endpoint.scheduler.name)
    returning = _to_restore(products, installed.state, beside)
    privileges = granted_privileges(document)
    own: list[Resource] = [] if agent is None else [File(paths.AGENT, agent, 0o755)]
    own += [
        Directory(paths.CONFIGURATION_DIRECTORY, 0o755),
        Directory(paths.STATE_DIRECTORY, 0o755),
        *_state_directories(document),
        # Command lines may hold secrets; everything else in it is policy, which people want to see in a diff.
        File(paths.DOCUMENT, readable_json(brought(document)), 0o600, secret=_holds_command_lines(document, installed)),
    ]
    return Desired(
        entries=(
            *own,
            *(entry for one in products for entry in one.product.entries()),
            *engine.entries(endpoint),
            *endpoint.scheduler.entries(jobs),
            *select_backend(endpoint.scheduler.name, host).entries(privileges),
            *_each_once(*beside.entries, *remembered_entries(host, returning)),
        ),
        plan=plan,
        jobs=jobs,
        notes=beside.notes,
        theirs=beside.theirs,
        returned=returning,
        resumed=running_before(host, returning),
        other_updaters=beside.told,
        former=former_paths(endpoint, installed),
        former_states=former_states(endpoint),
    )


def _state_directories(document: EndpointDocument) -> tuple[Directory, ...]:
    """Those of further products: by them it is known what has to go with a product."""
    names = [paths.state_directory(one.instance) for one in document.further]
    return tuple(Directory(path, 0o755) for path in ((paths.PRODUCTS_DIRECTORY, *names) if names else ()))


def vendor_updaters(products: Iterable[Endpoint]) -> tuple[Program, ...]:
    """The programs by which any of an endpoint's products updates itself."""
    return tuple(dict.fromkeys(one for product in products for one in product.product.needs().vendor_updaters))


def _to_restore(products: Sequence[Endpoint], state: State, beside: Found) -> dict[str, str]:
    """What was switched off for a product of before, whose updaters are nothing to us any more; and without a take-over
    what administrators wrote."""
    if not vendor_updaters(products):
        return state.switched_off
    left = _of_products_that_left(products, state)
    if products[0].document.takeover:
        return left
    kept = {*beside.notes, *beside.starters.units, *beside.starters.scripts}
    names = {name for name in state.switched_off if {name, template_of(name)} & set(state.taken_over)}
    return {**left, **{name: state.switched_off[name] for name in names if not {name, template_of(name)} & kept}}


def _of_products_that_left(products: Iterable[Endpoint], state: State) -> dict[str, str]:
    if not state.switched_off_for:  # as on all endpoints that never had several
        return {}
    from ..vendor_updaters.owners import without_owner

    return without_owner(state.switched_off, state.switched_off_for, [one.document.product for one in products])


def _each_once(*entries: Resource) -> tuple[Resource, ...]:
    """The first entry of each path."""
    return tuple({entry.path: entry for entry in reversed(entries)}.values())[::-1]


def _holds_command_lines(document: EndpointDocument, installed: Installed) -> bool:
    """Whether the document, or the one that it replaces, may hold command lines; one that is damaged may."""
    known = [document] if installed.document is None else [document, installed.document]
    return installed.damaged or any(_has_command_lines(one) for one in known)


def _has_command_lines(document: EndpointDocument) -> bool:
    return any(
        one.product == ProductKind.COMMAND.value or one.definition is not None or bool(one.probe.command)
        for one in document.each()
    )


def job_plan(endpoint: Endpoint, beside: Starters) -> JobPlan:
    """The jobs that the endpoint's scheduler has to run, and what must not run beside them."""
    document = endpoint.document
    policy = document.policy
    timetable, needs = endpoint.timetable(), endpoint.product.needs()
    year = datetime.fromtimestamp(endpoint.host.now(), timezone.utc).year
    return JobPlan(
        agent=paths.AGENT,
        calendar=timetable.calendar(year) if timetable is not None and keeps_schedule(endpoint) else None,
        instance=document.instance,
        configuration=_configuration(document),
        notices=_notified_as(document),
        listens=listens(document),
        reconnect_probe=document.reconnect.probe if policy.events.update_on_reconnect else None,
        update_limit=longest_update(document),
        max_start_delay=max_start_delay(document) + longest_turn(endpoint.beside),
        scan_limit=document.limits.scan,
        needs=needs,
        needs_homes=any(path.startswith(HOMES) for path in (*endpoint.product.programs(), *needs.read_write)),
        keys_in_homes=document.server is not None and document.server.notify_user == account.ROOT,
        textfile_directory=document.textfile_directory,
        beside=beside,
        engine=engine_wakings(endpoint),
        engine_limit=longest_engine_update(document, endpoint.beside),
    )


def engine_wakings(endpoint: Endpoint) -> IntervalCalendar | None:
    """When this endpoint looks whether the packages of its engine are to be upgraded; None: never."""
    document = endpoint.document
    wanted = endpoint.configured and engine.is_wanted(endpoint) and may_run_scheduled(document.policy)
    if not wanted or engine.unsupported(endpoint):
        return None
    from ..._core.schedule.engine_windows import wakings

    return wakings(document.endpoint, document.ordinal)


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
    if listens(document):
        return account.ROOT  # the listener hands its orders over itself
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
        products=tuple(one.instance for one in document.further),
    )
