# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring one host to what its document says: compute before and after, then apply, then tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..._core.resources.diff import Change, to_result
from ..._core.resources.resources import Absent, Entry
from ..._core.settings.endpoint import EndpointDocument
from ..._core.values import frozen, replace
from ..._host.boot import boot_id
from ..._host.host import Host
from ..._host.local_host import SANDBOX_LOG
from ..._host.lock import Busy, exclusively
from ..._host.paths import CONFIGURATION_DIRECTORY, SERVER_SETTINGS_NAME
from ..._host.reconcile import apply, diff, owned_paths
from .. import paths
from ..endpoint import Endpoint, installed_document, load_document
from ..privileges import all_rights
from ..products.base import missing_programs
from ..schedulers import all_schedulers
from ..schedulers.vendor_updaters import start_again
from ..state.store import State, StateStore, SyncRecord
from ..status.status import next_run_text, publish
from ..vendor_updaters.restore import notes_left, remembered_entries, running_before
from . import groups, selftest
from .desired import Desired, desired, rights_of
from .machine import machine_id, refuse_another_name
from .precheck import require

if TYPE_CHECKING:
    from ..notify_access.authorized_keys import Access
    from .enroll import Enrolment

__all__ = ("Busy", "Converged", "converge", "remove")

_LOCK = paths.RUNTIME_DIRECTORY + "/converge.lock"
_HOST_KEYS = tuple(f"/etc/ssh/ssh_host_{kind}_key.pub" for kind in ("ed25519", "ecdsa", "rsa"))
"""The host's public keys, the best kind first; which of them there are is the host's affair."""


@frozen
class Converged:
    """What a converge did, or in check mode would do.

    ``changes`` are the files and links, ``corrections`` what ran (or did not run) otherwise than it should, in words.
    ``host_key`` is the host's public SSH key, by which an update server knows it. ``refusal`` is why the endpoint does
    not take what its update server publishes (a SyncResult and its reason), None where it does. ``missing``
    are the programs without which the product can't be updated, whatever was converged. ``errors`` are why what was
    converged can't work all the same, in words: what the last self-test found, and what a look at the host shows.
    ``obstacles`` are why its update server could not notify it.
    """

    changes: tuple[Change, ...]
    corrections: tuple[str, ...] = ()
    next_run: str | None = None
    host_key: str | None = None
    refusal: tuple[str, str] | None = None
    missing: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.changes or self.corrections)

    def to_result(self) -> dict[str, Any]:
        """The plain result that the module and the agent's command both return."""
        refusal = None if self.refusal is None else {"result": self.refusal[0], "reason": self.refusal[1]}
        return to_result(
            self.changes,
            self.corrections,
            next_run=self.next_run,
            host_key=self.host_key,
            refusal=refusal,
            missing=list(self.missing),
            errors=list(self.errors),
            obstacles=list(self.obstacles),
        )


def converge(document: EndpointDocument, host: Host, *, agent: bytes | None, check: bool) -> Converged:
    """Make the host what ``document`` says; with ``check`` nothing is written and the same is reported.

    ``agent`` is the agent's executable file, None to leave the installed one alone. A managed endpoint that has
    adopted nothing yet does so first. Raises OSError, LookupError, or Busy, and InvalidDocument where this machine is
    an endpoint of another name.
    """
    refuse_another_name(document, host)
    enrolment = _enrolment(document, host, check=check)
    endpoint = enrolment.endpoint
    first, access = desired(endpoint, agent=agent), _access(endpoint)
    found = _compared(enrolment, first, access)
    if found.changed:
        require(host, first.plan, rights_of(endpoint.document), scheduler=endpoint.scheduler.name)
    if check:
        return found
    if not (found.changed or selftest.due(host, endpoint.store.read())):
        access.remember(host)
        return found
    with exclusively(host, _LOCK, "converge"):
        if not found.changed:
            access.remember(host)
            return _with_trial(found, endpoint)
        # Looked at anew: another converge may have been at work until now.
        refuse_another_name(document, host)
        wanted, access = desired(endpoint, agent=agent), _access(endpoint)
        found, previous = _compared(enrolment, wanted, access), _previous(host)
        with enrolment.adopting():
            _apply(endpoint, wanted, found.changes, access)
        _remember(enrolment, previous)
        found = replace(found, obstacles=access.proved(host, endpoint.document))
        return _with_trial(found, endpoint)


def _with_trial(converged: Converged, endpoint: Endpoint) -> Converged:
    """The result of a converge with that of a self-test that follows it."""
    tried = selftest.tried(endpoint)
    return replace(converged, errors=(*tried, *selftest.evident(endpoint, host_key=converged.host_key)))


def _enrolment(document: EndpointDocument, host: Host, *, check: bool) -> Enrolment | _Standalone:
    if document.server is None:
        return _Standalone(Endpoint.of(host, document))
    from .enroll import enrol

    return enrol(document, host, check=check)


@frozen
class _Standalone:
    """An endpoint that has nothing to adopt."""

    endpoint: Endpoint
    words: tuple[str, ...] = ()
    record: SyncRecord | None = None
    refusal: tuple[str, str] | None = None

    @contextmanager
    def adopting(self) -> Iterator[None]:
        yield


def _access(endpoint: Endpoint) -> Access:
    """What the update server's way in has to become (N5); only on an endpoint that has, or had, such a server."""
    from ..notify_access.authorized_keys import Access, access

    host, previous = endpoint.host, _installed(endpoint.host)
    if endpoint.document.server is None and (previous is None or previous.server is None):
        return Access()
    return access(host, endpoint.document, previous, sudo=endpoint.scheduler.name == "cron")


def _compared(enrolment: Enrolment | _Standalone, wanted: Desired, access: Access) -> Converged:
    """What is otherwise than wanted, and what would be done about it."""
    endpoint, host = enrolment.endpoint, enrolment.endpoint.host
    entries = (*wanted.entries, *access.entries)
    changes = diff(host, (*entries, *_leftovers(endpoint, entries)))
    state, key = StateStore(host).read(), host_key(host)
    resumed = (f"{name} is started again" for name in wanted.resumed)
    drift = (*endpoint.scheduler.drift(wanted.plan), *resumed, *groups.missing(host, rights_of(endpoint.document)))
    return Converged(
        changes=(*changes, *(edit.change for edit in access.edits)),
        corrections=(*enrolment.words, *drift, *access.corrections),
        next_run=next_run_text(endpoint, state),
        host_key=key,
        refusal=enrolment.refusal,
        missing=missing_programs(host, endpoint.product),
        errors=(*selftest.recorded(host, state), *selftest.evident(endpoint, host_key=key)),
        obstacles=access.obstacles,
    )


def host_key(host: Host) -> str | None:
    """The host's public SSH key, by which an update server knows it; None where it has none."""
    from ..._core.validation.public_keys import public_key

    found = (public_key((host.read(path) or b"").decode("utf-8", "replace")) for path in _HOST_KEYS)
    return next((key for key in found if key is not None), None)


def remove(host: Host, *, check: bool) -> Converged:
    """Take every trace of this project off the host; an update under way is ended or waited for."""
    state = StateStore(host).read()
    notes = notes_left(host, state.switched_off)
    resumed = running_before(host, notes)
    access = _access_left(host)
    removed = (f"group {group} is removed" for group in state.created_groups)
    corrections = (*removed, *(f"{name} is started again" for name in resumed), *access.corrections)
    gone = dict.fromkeys((*(entry.path for entry in access.entries), *_everything(host)))
    entries = (*remembered_entries(host, notes), *(Absent(path) for path in gone))
    changes = diff(host, entries)
    edits = (edit.change for edit in access.edits)
    found = Converged(changes=(*edits, *changes), corrections=corrections, host_key=host_key(host))
    if check or not found.changed:
        return found
    with exclusively(host, _LOCK, "converge"):
        for scheduler in all_schedulers(host):
            scheduler.deactivate()
        with exclusively(host, paths.UPDATE_LOCK, "update"):
            for group in state.created_groups:
                groups.remove(host, group)
            for edit in access.edits:
                edit.carry_out(host)
            by_path = {entry.path: entry for entry in entries}
            for change in changes:
                apply(host, by_path[change.path])
        access.remove_accounts(host)
    for scheduler in all_schedulers(host):
        scheduler.forget()
    start_again(host, resumed)
    host.remove(paths.RUNTIME_DIRECTORY)
    return found


def _access_left(host: Host) -> Access:
    from ..notify_access.authorized_keys import access

    return access(host, None, _installed(host), sudo=False)


def _leftovers(endpoint: Endpoint, wanted: Iterable[Entry]) -> tuple[Absent, ...]:
    """Files of other back ends, of jobs and rights that are no longer wanted, and metrics in a former directory."""
    kept = {entry.path for entry in wanted} | {_textfile(endpoint.document)}
    previous = _previous(endpoint.host)
    metrics = () if previous is None else (_textfile(previous),)
    adopted = () if endpoint.document.server is not None else (paths.ADOPTED_DIRECTORY,)
    return tuple(Absent(path) for path in (*_back_end_paths(endpoint.host), *metrics, *adopted) if path not in kept)


def _back_end_paths(host: Host) -> tuple[str, ...]:
    """Every path that a back end may have written; rights first, so that none outlives what it starts."""
    rights = [path for keeper in all_rights() for path in keeper.owned()]
    return (*rights, *(path for scheduler in all_schedulers(host) for path in scheduler.owned()))


def _everything(host: Host) -> tuple[str, ...]:
    configuration = owned_paths(host, CONFIGURATION_DIRECTORY, ours=lambda name: name != SERVER_SETTINGS_NAME)
    own = [paths.AGENT, *configuration, paths.STATE_DIRECTORY]
    previous = _previous(host)
    metrics = [] if previous is None else [_textfile(previous)]
    return (*_back_end_paths(host), *metrics, *([] if host.live else [SANDBOX_LOG]), *own)


def _textfile(document: EndpointDocument) -> str:
    return f"{document.textfile_directory}/{paths.TEXTFILE_NAME}"


def _previous(host: Host) -> EndpointDocument | None:
    """The document that was in force until now."""
    try:
        return load_document(host)
    except ValueError:
        return None  # damaged by hand: it is about to be replaced


def _installed(host: Host) -> EndpointDocument | None:
    """The document that the last converge brought."""
    try:
        return installed_document(host)
    except ValueError:
        return None


def _apply(endpoint: Endpoint, wanted: Desired, changes: tuple[Change, ...], access: Access) -> None:
    host = endpoint.host
    changed = {change.path for change in changes}
    by_path: dict[str, Entry] = {entry.path: entry for entry in (*wanted.entries, *access.entries)}
    others = [scheduler for scheduler in all_schedulers(host) if scheduler.name != endpoint.scheduler.name]
    left = [scheduler for scheduler in others if changed & set(scheduler.owned())]
    for scheduler in left:
        scheduler.deactivate()
    edited = {edit.change.path: edit for edit in access.edits}
    _note(host, {path: note for path, note in wanted.notes.items() if path in changed})
    for change in changes:
        if change.path in edited:
            edited[change.path].carry_out(host)
        else:
            apply(host, by_path.get(change.path, Absent(change.path)))
    for scheduler in left:
        scheduler.forget()
    created = groups.create(host, rights_of(endpoint.document))
    if created:
        StateStore(host).change(lambda state: replace(state, created_groups=(*state.created_groups, created)))
    access.make_account(host)
    endpoint.scheduler.activate(wanted.plan, changed)
    access.remove_accounts(host)
    if not endpoint.product.needs().own_updaters:
        start_again(host, wanted.resumed)
        _forget_notes(host)


def _note(host: Host, notes: dict[str, str]) -> None:
    """Remember how things were, before they change."""
    if notes:
        StateStore(host).change(lambda state: replace(state, switched_off={**state.switched_off, **notes}))


def _forget_notes(host: Host) -> None:
    """Everything is given back."""
    if StateStore(host).read().switched_off:
        StateStore(host).change(lambda state: replace(state, switched_off={}))


def _remember(enrolment: Enrolment | _Standalone, previous: EndpointDocument | None) -> None:
    """Refresh the status; an endpoint to which reconnect updates are new has not missed this boot's (E2)."""
    had_reconnect = previous is not None and previous.policy.events.update_on_reconnect
    endpoint = enrolment.endpoint
    boot, adopted, machine = boot_id(endpoint.host), endpoint.adopted, machine_id(endpoint.host)
    carried_out = "" if adopted is None else adopted.identity

    def transform(state: State) -> State:
        state = replace(
            state, machine=machine, carried_out=carried_out, sync=enrolment.record or (adopted and state.sync)
        )
        return state if had_reconnect else replace(state, boot_id=boot, source_lost=False)

    publish(endpoint, StateStore(endpoint.host).change(transform))
