# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private: bring the update server itself to what its settings say: compute before and after, then apply, then tell.

Root does this, and nothing else on a server. Keys and publications are the server's own work: its program makes them,
as its own user.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

from .._core.changes import Change, told
from .._core.entries import Absent, Entry
from .._core.server_settings import ServerSettings
from .._core.values import value
from .._host.host import Host
from .._host.inventory import own_part, pending, place
from .._host.lock import Busy, exclusively
from .._host.places import SERVER_SETTINGS_NAME
from . import campaign_places, own_user, places
from .desired import Desired, desired, installed_settings_may
from .jobs import all_jobs, select_jobs
from .jobs.base import Jobs

__all__ = ("Busy", "Converged", "converge", "remove")

_LOCK = places.RUNTIME_DIRECTORY + "/converge.lock"
_JOB_LOCKS = (
    (campaign_places.FETCH_LOCK, "fetch"),
    (campaign_places.ENGINE_LOCK, "campaign"),
    (places.PUBLISH_LOCK, "publication"),
)
_OWN_COMMAND_S = 600.0
_SANDBOX_LOG = "/var/log/epp-server.log"


@value
class Converged:
    """What a converge did, or in check mode would do.

    ``changes`` are the files and links, ``corrections`` what else was otherwise than it should be, in words.
    ``enrolment`` is what endpoints need to know of this server; None while its keys are not made.
    """

    changes: tuple[Change, ...]
    corrections: tuple[str, ...] = ()
    enrolment: dict[str, Any] | None = None

    @property
    def changed(self) -> bool:
        return bool(self.changes or self.corrections)

    def to_result(self) -> dict[str, Any]:
        """The plain result that the module and the program's command both return."""
        return told(self.changes, self.corrections, enrolment=self.enrolment)


def converge(settings: ServerSettings, host: Host, *, program: bytes | None, check: bool) -> Converged:
    """Make the host the update server that ``settings`` say; with ``check`` nothing is written, the same is reported.

    ``program`` is the executable file of epp-server. Raises OSError, or Busy.
    """
    jobs = select_jobs(settings.scheduler, host)
    found = _compared(host, jobs, desired(host, settings, jobs, program=program))
    if found.changed and not check:
        with exclusively(host, _LOCK, "converge"):
            # Computed anew: another converge may have been at work until now.
            wanted = desired(host, settings, jobs, program=program)
            found = _compared(host, jobs, wanted)
            _apply(host, jobs, wanted, found.changes)
    return Converged(found.changes, found.corrections, _enrolment(host, settings, found, check=check))


def remove(host: Host, *, check: bool) -> Converged:
    """Take every trace of the update server off the host: program, settings, keys, records, what is published.

    Jobs under way are ended or waited for. An endpoint on the same host is left as it is.
    """
    corrections = (f"user {places.USER} is removed",) if own_user.made_here(host) else ()
    secret = places.SETTINGS if installed_settings_may(host) else None
    everything = [Absent(path, secret=path == secret) for path in _everything(host)]
    found = Converged(pending(host, everything), corrections)
    if check or not found.changed:
        return found
    with exclusively(host, _LOCK, "converge"):
        for jobs in all_jobs(host):
            jobs.deactivate()
        _clear(host, found.changes)
        if corrections:
            own_user.remove(host)
    for jobs in all_jobs(host):
        jobs.forget()
    host.remove(places.RUNTIME_DIRECTORY)
    return found


def _compared(host: Host, jobs: Jobs, wanted: Desired) -> Converged:
    """What is otherwise than wanted, and what would be done about it."""
    corrections = (
        *((f"user {places.USER} is made",) if own_user.missing(host) else ()),
        *(() if _published(host) else ("keys are made, and the configuration is published",)),
        *jobs.drift(wanted.plan),
    )
    return Converged(pending(host, (*wanted.entries, *_leftovers(host, wanted.entries))), corrections)


def _published(host: Host) -> bool:
    """Whether there has been a first publication, and its keys are still there."""
    return all(host.exists(path) for path in (places.TREE, places.KEYRING))


def _leftovers(host: Host, wanted: tuple[Entry, ...]) -> tuple[Absent, ...]:
    """Files of other schedulers."""
    kept = {entry.path for entry in wanted}
    return tuple(Absent(path) for jobs in all_jobs(host) for path in jobs.owned() if path not in kept)


def _everything(host: Host) -> tuple[str, ...]:
    configuration = own_part(host, places.CONFIGURATION_DIRECTORY, ours=lambda name: name == SERVER_SETTINGS_NAME)
    # Without the settings, what else is in the directory is an endpoint's, or nobody's.
    own = configuration if host.exists(places.SETTINGS) else ()
    scheduled = (path for jobs in all_jobs(host) for path in jobs.owned())
    log = () if host.live else (_SANDBOX_LOG,)
    return (*scheduled, *own, *log, places.SERVER, places.PUBLIC, places.STATE_DIRECTORY)


def _apply(host: Host, jobs: Jobs, wanted: Desired, changes: tuple[Change, ...]) -> None:
    changed = {change.path for change in changes}
    by_path: dict[str, Entry] = {entry.path: entry for entry in wanted.entries}
    left = [other for other in all_jobs(host) if other.name != jobs.name and changed & set(other.owned())]
    for other in left:
        other.deactivate()
    if own_user.missing(host):
        own_user.make(host)
    for change in changes:
        place(host, by_path.get(change.path, Absent(change.path)))
    for other in left:
        other.forget()
    if changed & {places.SETTINGS, places.SERVER, places.STATE_DIRECTORY} or not _published(host):
        _own_command(host, "publish")
    jobs.activate(wanted.plan, changed)


def _clear(host: Host, changes: tuple[Change, ...]) -> None:
    """Remove everything, once no job works on it any more."""
    if not host.exists(places.STATE_DIRECTORY):
        _remove_paths(host, changes)
        return
    with ExitStack() as held:
        for path, what in _JOB_LOCKS:
            # One that is not there is nobody's; made by root, it would shut out the server's user if this ends early.
            if host.exists(path):
                held.enter_context(exclusively(host, path, what))
        _remove_paths(host, changes)


def _remove_paths(host: Host, changes: tuple[Change, ...]) -> None:
    for change in changes:
        place(host, Absent(change.path))


def _enrolment(host: Host, settings: ServerSettings, found: Converged, *, check: bool) -> dict[str, Any] | None:
    """What the server's program says, for these settings; a program that is not the right one is not asked."""
    if check and (not _published(host) or places.SERVER in {change.path for change in found.changes}):
        return None
    told_now: dict[str, Any] | None = json.loads(_own_command(host, "enrolment", *(["--check"] if check else [])))
    return told_now and {**told_now, "url": settings.url, "notify_user": settings.notify.user}


def _own_command(host: Host, command: str, *options: str) -> str:
    """Run a command of the server's, which becomes its own user; raises OSError with its complaint."""
    root = ["--root", host.root] if host.root else []
    done = host.run([host.real(places.SERVER), *root, command, *options], timeout=_OWN_COMMAND_S)
    if done.code != 0:
        why = done.err.strip() or done.out.strip() or ("no answer in time" if done.timed_out else f"status {done.code}")
        raise OSError(f"epp-server {command}: {why}")
    return done.out
