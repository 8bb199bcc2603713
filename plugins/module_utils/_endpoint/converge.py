# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: bring one host to what its document says: compute before and after, then apply, then tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._core.changes import Change, told
from .._core.document import EndpointDocument
from .._core.entries import Absent, Entry
from .._core.values import replace, value
from .._host.host import Host
from .._host.inventory import own_part, pending, place
from .._host.live_host import SANDBOX_LOG
from .._host.lock import Busy, exclusively
from .._host.places import CONFIGURATION_DIRECTORY, SERVER_SETTINGS_NAME
from . import groups, places
from .boot import boot_id
from .desired import Desired, desired, rights_of
from .endpoint import Endpoint, load_document
from .rights import all_rights
from .schedulers import all_schedulers
from .state import StateStore
from .status import next_run_text, publish

__all__ = ("Busy", "Converged", "converge", "remove")

_LOCK = places.RUNTIME_DIRECTORY + "/converge.lock"


@value
class Converged:
    """What a converge did, or in check mode would do.

    ``changes`` are the files and links, ``corrections`` what ran (or did not run) otherwise than it should, in words.
    """

    changes: tuple[Change, ...]
    corrections: tuple[str, ...] = ()
    next_run: str | None = None

    @property
    def changed(self) -> bool:
        return bool(self.changes or self.corrections)

    def to_result(self) -> dict[str, Any]:
        """The plain result that the module and the agent's command both return."""
        return told(self.changes, self.corrections, next_run=self.next_run)


def converge(document: EndpointDocument, host: Host, *, agent: bytes | None, check: bool) -> Converged:
    """Make the host what ``document`` says; with ``check`` nothing is written and the same is reported.

    ``agent`` is the agent's executable file. Raises OSError, or Busy.
    """
    endpoint = Endpoint.of(host, document)
    found = _compared(endpoint, desired(endpoint, agent=agent))
    if check or not found.changed:
        return found
    with exclusively(host, _LOCK, "converge"):
        # Computed anew: another converge may have been at work until now.
        wanted = desired(endpoint, agent=agent)
        found, previous = _compared(endpoint, wanted), _previous(host)
        _apply(endpoint, wanted, found.changes)
        _remember(endpoint, previous)
    return found


def _compared(endpoint: Endpoint, wanted: Desired) -> Converged:
    """What is otherwise than wanted, and what would be done about it."""
    host, document = endpoint.host, endpoint.document
    changes = pending(host, (*wanted.entries, *_leftovers(endpoint, wanted.entries)))
    drift = (*endpoint.scheduler.drift(wanted.plan), *groups.missing(host, rights_of(document)))
    return Converged(changes=changes, corrections=drift, next_run=next_run_text(endpoint, StateStore(host).read()))


def remove(host: Host, *, check: bool) -> Converged:
    """Take every trace of this project off the host; an update under way is ended or waited for."""
    state = StateStore(host).read()
    corrections = tuple(f"group {group} is removed" for group in state.created_groups)
    found = Converged(changes=pending(host, [Absent(path) for path in _everything(host)]), corrections=corrections)
    if check or not found.changed:
        return found
    with exclusively(host, _LOCK, "converge"):
        for scheduler in all_schedulers(host):
            scheduler.deactivate()
        with exclusively(host, places.UPDATE_LOCK, "update"):
            for group in state.created_groups:
                groups.remove(host, group)
            for change in found.changes:
                place(host, Absent(change.path))
    for scheduler in all_schedulers(host):
        scheduler.forget()
    host.remove(places.RUNTIME_DIRECTORY)
    return found


def _leftovers(endpoint: Endpoint, wanted: Iterable[Entry]) -> tuple[Absent, ...]:
    """Files of other back ends, of jobs and rights that are no longer wanted, and metrics in a former directory."""
    kept = {entry.path for entry in wanted} | {_textfile(endpoint.document)}
    previous = _previous(endpoint.host)
    metrics = () if previous is None else (_textfile(previous),)
    return tuple(Absent(path) for path in (*_back_end_paths(endpoint.host), *metrics) if path not in kept)


def _back_end_paths(host: Host) -> tuple[str, ...]:
    """Every path that a back end may have written; rights first, so that none outlives what it starts."""
    rights = [path for keeper in all_rights() for path in keeper.owned()]
    return (*rights, *(path for scheduler in all_schedulers(host) for path in scheduler.owned()))


def _everything(host: Host) -> tuple[str, ...]:
    configuration = own_part(host, CONFIGURATION_DIRECTORY, ours=lambda name: name != SERVER_SETTINGS_NAME)
    own = [places.AGENT, *configuration, places.STATE_DIRECTORY]
    previous = _previous(host)
    metrics = [] if previous is None else [_textfile(previous)]
    return (*_back_end_paths(host), *metrics, *([] if host.live else [SANDBOX_LOG]), *own)


def _textfile(document: EndpointDocument) -> str:
    return f"{document.textfile_directory}/{places.TEXTFILE_NAME}"


def _previous(host: Host) -> EndpointDocument | None:
    try:
        return load_document(host)
    except ValueError:
        return None  # damaged by hand: it is about to be replaced


def _apply(endpoint: Endpoint, wanted: Desired, changes: tuple[Change, ...]) -> None:
    host = endpoint.host
    changed = {change.path for change in changes}
    by_path: dict[str, Entry] = {entry.path: entry for entry in wanted.entries}
    others = [scheduler for scheduler in all_schedulers(host) if scheduler.name != endpoint.scheduler.name]
    left = [scheduler for scheduler in others if changed & set(scheduler.owned())]
    for scheduler in left:
        scheduler.deactivate()
    for change in changes:
        place(host, by_path.get(change.path, Absent(change.path)))
    for scheduler in left:
        scheduler.forget()
    created = groups.create(host, rights_of(endpoint.document))
    if created:
        StateStore(host).change(lambda state: replace(state, created_groups=(*state.created_groups, created)))
    endpoint.scheduler.activate(wanted.plan, changed)


def _remember(endpoint: Endpoint, previous: EndpointDocument | None) -> None:
    """Refresh the status; an endpoint to which reconnect updates are new has not missed this boot's (E2)."""
    had_reconnect = previous is not None and previous.policy.events.update_on_reconnect
    boot = boot_id(endpoint.host)
    store = StateStore(endpoint.host)
    state = store.change(lambda state: state if had_reconnect else replace(state, boot_id=boot, source_lost=False))
    publish(endpoint, state)
