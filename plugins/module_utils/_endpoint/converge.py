# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: bring one host to what its document says: compute before and after, then apply, then tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from .._core.changes import Change, ansible_diff, compare
from .._core.document import EndpointDocument
from .._core.entries import Absent, Entry
from .._core.values import replace, value
from .._host.host import Host
from .._host.inventory import look, place
from .._host.live_host import SANDBOX_LOG
from .._host.lock import locked
from . import groups, places
from .boot import boot_id
from .desired import Desired, desired, rights_of
from .endpoint import Endpoint, load_document
from .rights import all_rights
from .schedulers import all_schedulers
from .state import StateStore
from .status import next_run_text, publish

_LOCK = places.RUNTIME_DIRECTORY + "/converge.lock"
_LOCK_WAIT_S = 60.0


class Busy(RuntimeError):
    """Another converge, or an update that would be removed, does not come to an end."""


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
        return {
            "changed": self.changed,
            "changes": [change.to_dict() for change in self.changes],
            "corrections": list(self.corrections),
            "next_run": self.next_run,
            "diff": self._diff(),
        }

    def _diff(self) -> list[dict[str, str]]:
        diff = ansible_diff(self.changes)
        if self.corrections:
            diff.append({"prepared": "".join(f"{line}\n" for line in self.corrections)})
        return diff


def converge(document: EndpointDocument, host: Host, *, agent: bytes | None, check: bool) -> Converged:
    """Make the host what ``document`` says; with ``check`` nothing is written and the same is reported.

    ``agent`` is the agent's executable file. Raises OSError, or Busy.
    """
    endpoint = Endpoint.of(host, document)
    found = _compared(endpoint, desired(endpoint, agent=agent))
    if check or not found.changed:
        return found
    with _exclusively(host, _LOCK, "converge"):
        # Computed anew: another converge may have been at work until now.
        wanted = desired(endpoint, agent=agent)
        found, previous = _compared(endpoint, wanted), _previous(host)
        _apply(endpoint, wanted, found.changes)
        _remember(endpoint, previous)
    return found


def _compared(endpoint: Endpoint, wanted: Desired) -> Converged:
    """What is otherwise than wanted, and what would be done about it."""
    host, document = endpoint.host, endpoint.document
    changes = _pending(host, (*wanted.entries, *_leftovers(endpoint, wanted.entries)))
    drift = (*endpoint.scheduler.drift(wanted.plan), *groups.missing(host, rights_of(document)))
    return Converged(changes=changes, corrections=drift, next_run=next_run_text(endpoint, StateStore(host).read()))


def remove(host: Host, *, check: bool) -> Converged:
    """Take every trace of this project off the host; an update under way is ended or waited for."""
    state = StateStore(host).read()
    corrections = tuple(f"group {group} is removed" for group in state.created_groups)
    found = Converged(changes=_pending(host, [Absent(path) for path in _everything(host)]), corrections=corrections)
    if check or not found.changed:
        return found
    with _exclusively(host, _LOCK, "converge"):
        for scheduler in all_schedulers(host):
            scheduler.deactivate()
        with _exclusively(host, places.UPDATE_LOCK, "update"):
            for group in state.created_groups:
                groups.remove(host, group)
            for change in found.changes:
                place(host, Absent(change.path))
    for scheduler in all_schedulers(host):
        scheduler.forget()
    host.remove(places.RUNTIME_DIRECTORY)
    return found


def _pending(host: Host, entries: Iterable[Entry]) -> tuple[Change, ...]:
    """What would change, in the order in which it has to be done."""
    found = (compare(entry, look(host, entry.path)) for entry in entries)
    return tuple(change for change in found if change is not None)


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
    own = [places.AGENT, places.CONFIGURATION_DIRECTORY, places.STATE_DIRECTORY]
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


@contextmanager
def _exclusively(host: Host, lock: str, what: str) -> Iterator[None]:
    with locked(host, lock, wait=_LOCK_WAIT_S) as held:
        if not held:
            raise Busy(f"another {what} on this host still runs after {_LOCK_WAIT_S:.0f} s")
        yield


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
