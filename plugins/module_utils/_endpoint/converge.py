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
from . import groups, places
from .boot import boot_id
from .desired import Desired, desired, rights_of
from .endpoint import Endpoint, load_document
from .host import Host
from .inventory import look, place
from .live_host import SANDBOX_LOG
from .lock import locked
from .rights import all_rights
from .schedulers import all_schedulers
from .state import StateStore
from .status import next_run_text, publish

_LOCK = places.RUNTIME_DIRECTORY + "/converge.lock"
_LOCK_WAIT_S = 60.0


class Busy(RuntimeError):
    """Another converge of the same host does not come to an end."""


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
    wanted = desired(endpoint, agent=agent)
    changes = _pending(host, (*wanted.entries, *_leftovers(host, wanted.entries)))
    drift = (*endpoint.scheduler.drift(wanted.plan), *groups.missing(host, rights_of(document)))
    found = Converged(changes=changes, corrections=drift, next_run=next_run_text(endpoint, StateStore(host).read()))
    if check or not found.changed:
        return found
    with _exclusively(host):
        previous = _previous(host)
        _apply(endpoint, wanted, changes)
        _remember(endpoint, previous)
    return found


def remove(host: Host, *, check: bool) -> Converged:
    """Take every trace of this project off the host."""
    state = StateStore(host).read()
    group = [f"group {state.created_group} is removed"] if state.created_group else []
    changes = _pending(host, tuple(Absent(path) for path in _everything(host)))
    found = Converged(changes=changes, corrections=tuple(group))
    if check or not found.changed:
        return found
    for scheduler in all_schedulers(host):
        scheduler.deactivate()
    if state.created_group:
        groups.remove(host, state.created_group)
    for change in changes:
        place(host, Absent(change.path))
    for scheduler in all_schedulers(host):
        scheduler.forget()
    host.remove(places.RUNTIME_DIRECTORY)
    return found


def _pending(host: Host, entries: Iterable[Entry]) -> tuple[Change, ...]:
    """What would change, in the order in which it has to be done."""
    found = (compare(entry, look(host, entry.path)) for entry in entries)
    return tuple(change for change in found if change is not None)


def _leftovers(host: Host, wanted: Iterable[Entry]) -> tuple[Absent, ...]:
    """Files of other back ends, or of jobs and rights that are no longer wanted."""
    kept = {entry.path for entry in wanted}
    return tuple(Absent(path) for path in _back_end_paths(host) if path not in kept)


def _back_end_paths(host: Host) -> tuple[str, ...]:
    """Every path that a back end may have written; rights first, so that none outlives what it starts."""
    rights = [path for keeper in all_rights() for path in keeper.owned()]
    return (*rights, *(path for scheduler in all_schedulers(host) for path in scheduler.owned()))


def _everything(host: Host) -> tuple[str, ...]:
    own = [places.AGENT, places.CONFIGURATION_DIRECTORY, places.STATE_DIRECTORY]
    return (*_back_end_paths(host), *_textfile(host), *([] if host.live else [SANDBOX_LOG]), *own)


def _textfile(host: Host) -> list[str]:
    try:
        document = load_document(host)
    except ValueError:
        return []
    return [] if document is None else [f"{document.textfile_directory}/{places.TEXTFILE_NAME}"]


def _previous(host: Host) -> EndpointDocument | None:
    try:
        return load_document(host)
    except ValueError:
        return None  # damaged by hand: it is about to be replaced


@contextmanager
def _exclusively(host: Host) -> Iterator[None]:
    with locked(host, _LOCK, wait=_LOCK_WAIT_S) as held:
        if not held:
            raise Busy(f"another converge of this host still runs after {_LOCK_WAIT_S:.0f} s")
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
        StateStore(host).change(lambda state: replace(state, created_group=created))
    endpoint.scheduler.activate(wanted.plan, changed)


def _remember(endpoint: Endpoint, previous: EndpointDocument | None) -> None:
    """Refresh the status; an endpoint to which reconnect updates are new has not missed this boot's (E2)."""
    had_reconnect = previous is not None and previous.policy.events.update_on_reconnect
    boot = boot_id(endpoint.host)
    store = StateStore(endpoint.host)
    state = store.change(lambda state: state if had_reconnect else replace(state, boot_id=boot, source_lost=False))
    publish(endpoint, state)
