# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring one host to what its document asks for: plan, then apply, and plan once more under the lock."""

from __future__ import annotations

from ..._core.resources.resources import Absent, Resource
from ..._core.settings.endpoint import EndpointDocument
from ..._core.values import replace
from ..._host.boot import boot_id
from ..._host.host import Host
from ..._host.lock import Busy, exclusively
from ..._host.reconcile import apply
from ..._host.scheduler import schedulers_left
from ..._host.snapshot import Snapshot
from .. import paths
from ..endpoint import Endpoint
from ..installed import Installed
from ..jobs.vendor_updaters import activate, start_again
from ..orders.obstacles import obstacles as cannot_listen
from ..state.store import State, StateStore, with_notes, without_notes
from ..status.status import publish, publishing
from . import groups, places, selftest
from .desired import granted_privileges
from .machine import machine_id, refuse_another_name
from .plan import Plan, StandaloneTarget, Target, plan
from .precheck import require
from .result import Converged

__all__ = ("Busy", "converge")


def converge(document: EndpointDocument, host: Host, *, agent: bytes | None, check: bool) -> Converged:
    """Make the host what ``document`` says; with ``check`` nothing is written and the same is reported.

    ``agent`` is the agent's executable file, None to leave the installed one alone. A managed endpoint that has
    adopted nothing yet does so first. Raises OSError, LookupError, or Busy, and InvalidDocument where this machine is
    an endpoint of another name.
    """
    view, installed = _looked_at(host, document)
    target = _target(document, view, installed, check=check)
    target = replace(target, endpoint=target.endpoint.knowing(installed.instances))
    if installed.is_nothing and not check:  # there is no doubt that something changes
        with exclusively(host, paths.CONVERGE_LOCK, "converge"):
            return _changed(document, host, target, agent=agent)
    planned = plan(target, installed, agent=agent)
    result = planned.result
    if result.changed:
        _require(view, planned)
    if check:
        return result
    if not (result.changed or selftest.due_of(planned.endpoint, installed.state)):
        planned.access.remember(view)
        return result
    with exclusively(host, paths.CONVERGE_LOCK, "converge"):
        if result.changed:
            return _changed(document, host, target, agent=agent)
        view.end()
        planned.access.remember(view)
        return _with_trial(result, planned.endpoint)


def _require(view: Snapshot, planned: Plan) -> None:
    """Raise LookupError where this host lacks what the plan takes."""
    endpoint = planned.endpoint
    require(view, planned.wanted.plan, granted_privileges(endpoint.document), scheduler=endpoint.scheduler.name)


def _looked_at(host: Host, document: EndpointDocument) -> tuple[Snapshot, Installed]:
    """The host at this moment, and what is installed on it; raises InvalidDocument."""
    view = Snapshot(host)
    installed = Installed.load(view, managed=document.server is not None, given=document)
    refuse_another_name(document, view, installed)
    return view, installed


def _changed(document: EndpointDocument, host: Host, target: Target, *, agent: bytes | None) -> Converged:
    """Plan anew, since another converge may have run until the lock was taken, and apply that plan."""
    view, installed = _looked_at(host, document)
    target = replace(target, endpoint=target.endpoint.on(view).knowing(installed.instances))
    planned, before = plan(target, installed, agent=agent), installed.effective_document(view)
    _require(view, planned)
    view.end()
    with places.no_update(host, installed, planned.endpoint.document), target.adopting():
        _apply(planned, installed)
    _remember(target, before)
    proved = planned.access.proved(view, planned.endpoint.document)
    obstacles = (*proved, *cannot_listen(view, planned.endpoint.document))
    return _with_trial(replace(planned.result, obstacles=obstacles), planned.endpoint)


def _with_trial(converged: Converged, endpoint: Endpoint) -> Converged:
    """The result of a converge with that of a self-test that follows it."""
    tried = selftest.tried(endpoint)
    return replace(converged, errors=(*tried, *selftest.evident(endpoint, host_key=converged.host_key)))


def _target(document: EndpointDocument, host: Host, installed: Installed, *, check: bool) -> Target:
    if document.server is None:
        return StandaloneTarget(Endpoint.of(host, document))
    from .enroll import enroll

    return enroll(document, host, installed, check=check)


def _apply(planned: Plan, installed: Installed) -> None:
    endpoint, wanted, access, changes = planned.endpoint, planned.wanted, planned.access, planned.result.changes
    host = endpoint.host
    changed = {change.path for change in changes}
    by_path: dict[str, Resource] = {entry.path: entry for entry in (*wanted.entries, *access.entries)}
    left = schedulers_left(endpoint.scheduler, host, endpoint.owned, changed_paths=changed)
    for scheduler in left:
        scheduler.deactivate()
    edited = {edit.change.path: edit for edit in access.edits}
    _note(host, {path: note for path, note in wanted.notes.items() if path in changed}, wanted.theirs)
    _note_owners(endpoint, installed.first)
    _note_products(host, installed, [path for path in wanted.former if path in changed])
    if paths.DOCUMENT not in changed:
        _put_in_force(None, endpoint, installed)
    last = [path for path in wanted.former_states if path in changed]
    for change in (one for one in changes if one.path not in last):
        if change.path in edited:
            edited[change.path].carry_out(host)
        elif change.path == paths.DOCUMENT:
            _put_in_force(by_path[change.path], endpoint, installed)
        else:
            apply(host, by_path.get(change.path, Absent(change.path)))
    for scheduler in left:
        scheduler.forget()
    created = groups.create(host, granted_privileges(endpoint.document))
    if created:
        StateStore(host).change(lambda state: replace(state, created_groups=(*state.created_groups, created)))
    access.make_account(host)
    activate(host, endpoint.scheduler, wanted.jobs, wanted.plan.beside, changed_paths=changed)
    for path in last:
        apply(host, Absent(path))
    access.remove_accounts(host)
    if wanted.returned:
        start_again(host, wanted.resumed)
        StateStore(host).change(lambda state: without_notes(state, wanted.returned))


def _note(host: Host, notes: dict[str, str], theirs: tuple[str, ...]) -> None:
    """Remember how things were, before they change, and what of them administrators wrote."""
    if notes or theirs:
        StateStore(host).change(lambda state: with_notes(state, notes, theirs))


def _note_products(host: Host, installed: Installed, leaving: list[str]) -> None:
    """Remember what no document will tell of: what of former products has to go, and whose state is in the first
    place."""
    first = installed.first
    if leaving or first != installed.state.product:
        StateStore(host).change(lambda state: replace(state, leaving=tuple(leaving), product=first))


def _put_in_force(document: Resource | None, endpoint: Endpoint, installed: Installed) -> None:
    """Write the document where it is another one, with each state in the place that it says; whoever records something
    comes before or after."""
    with publishing(endpoint.host):
        places.move_states(endpoint.host, installed, endpoint.document)
        if document is not None:
            apply(endpoint.host, document)


def _note_owners(endpoint: Endpoint, former: str) -> None:
    """Remember for which of several products each updater is switched off: for ``former`` before there were several."""
    if not endpoint.document.further:
        return
    from ..vendor_updaters.owners import owners

    host = endpoint.host
    programs = ((one.document.product, one.product.needs().vendor_updaters) for one in endpoint.each())
    found = owners(host, programs, takeover=endpoint.document.takeover)

    def transform(state: State) -> State:
        before = {key: state.switched_off_for.get(key, former) for key in state.switched_off if former}
        return replace(state, switched_off_for={**before, **found})

    StateStore(host).change(transform)


def _remember(target: Target, previous: EndpointDocument | None) -> None:
    """Refresh the status of each product, and remember what was converged."""
    endpoint = target.endpoint
    boot, adopted, machine = boot_id(endpoint.host), endpoint.adopted, machine_id(endpoint.host)
    carried_out, first = "" if adopted is None else adopted.identity, endpoint.document.product

    def transform(state: State) -> State:
        state = replace(state, machine=machine, carried_out=carried_out, sync=target.record or (adopted and state.sync))
        return replace(state, product=first, leaving=())

    StateStore(endpoint.host).change(transform)
    for one in endpoint.each():
        _remember_product(one, boot, None if previous is None else previous.of(one.document.product))


def _remember_product(endpoint: Endpoint, boot: str, previous: EndpointDocument | None) -> None:
    """Refresh a product's status; one to which reconnect updates are new has not missed this boot's (E2)."""
    if previous is None or not previous.policy.events.update_on_reconnect:
        endpoint.store.change(lambda state: replace(state, boot_id=boot, source_lost=False))
    publish(endpoint)
