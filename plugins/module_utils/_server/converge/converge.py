# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converge the update server: compare, apply, report.

Runs as root and changes nothing else on the server. Keys and publications are made by the server's own program as its
own user.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any

from ..._core.resources.diff import Action, Change, to_result
from ..._core.resources.resources import Absent, Resource
from ..._core.settings.metrics import MetricsSettings
from ..._core.settings.server import ServerSettings
from ..._core.validation.errors import InvalidDocument
from ..._core.values import frozen
from ..._host.asked_by import asked_by
from ..._host.host import Host
from ..._host.lock import Busy, exclusively
from ..._host.paths import SERVER_SETTINGS_NAME
from ..._host.reconcile import apply, diff, owned_paths
from ..._host.scheduler import all_schedulers, every_owned_path, schedulers_left, select_scheduler
from ..._host.scheduler.base import Scheduler
from .. import paths, web
from ..jobs import OWNED
from ..publication.key_files import DIRECTORY_MODE, FILE_MODE, other_modes
from ..settings import read_section
from . import own_url, service_account
from .desired import Desired, by_broker, desired, installed_settings_may
from .requirements import missing_requirements, require

__all__ = ("Busy", "Converged", "converge", "remove")

_LOCK = paths.RUNTIME_DIRECTORY + "/converge.lock"
_JOB_LOCKS = (
    (paths.FETCH_LOCK, "fetch"),
    (paths.DISPATCHER_LOCK, "campaign"),
    (paths.ASK_LOCK, "request for reports"),
    (paths.INGEST_LOCK, "intake of reports"),
    (paths.PUBLISH_LOCK, "publication"),
)
_OWN_COMMAND_S = 600.0
_SANDBOX_LOG = "/var/log/epp-server.log"


@frozen
class Converged:
    """The changes of a converge, made or (check mode) planned.

    ``changes`` are files and links, ``corrections`` other differences, in words. ``enrollment`` is what endpoints need
    to know of this server; None until its keys are made. ``missing`` are requirements that the host lacks; where there
    are any, nothing was changed.
    """

    changes: tuple[Change, ...]
    corrections: tuple[str, ...] = ()
    enrollment: dict[str, Any] | None = None
    missing: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.changes or self.corrections)

    def to_result(self) -> dict[str, Any]:
        """The plain result that the module and the program's command both return."""
        return to_result(self.changes, self.corrections, enrollment=self.enrollment, missing=list(self.missing))


def converge(
    settings: ServerSettings, host: Host, *, program: bytes | None, check: bool, complete: bool = True
) -> Converged:
    """Make the host the update server that ``settings`` say; with ``check`` nothing is written, the same is reported.

    ``program`` is the executable file of epp-server. Where the host lacks what the settings need, nothing is changed:
    MissingRequirements is raised, or without ``complete`` a result that names it. Raises OSError, InvalidDocument for a
    URL whose host is not known here, or Busy.
    """
    missing = missing_requirements(host, settings, renew=not complete)
    if missing and not check:
        if complete:
            require(missing)
        return Converged((), missing=missing)
    scheduler = select_scheduler(settings.scheduler.value, host, OWNED)
    found = _compared(host, settings, scheduler, desired(host, settings, scheduler, program=program))
    if _new_url(host, settings, found):
        own_url.refuse_unknown_host(settings.web)
    if found.changed and not check:
        with exclusively(host, _LOCK, "converge"):
            # Computed anew: another converge may have been at work until now.
            wanted = desired(host, settings, scheduler, program=program)
            found = _compared(host, settings, scheduler, wanted)
            _apply(host, settings, scheduler, wanted, found.changes)
    return Converged(found.changes, found.corrections, _enrollment(host, settings, found, check=check), missing)


def remove(host: Host, *, check: bool) -> Converged:
    """Take every trace of the update server off the host: program, settings, keys, records, what is published.

    Jobs under way are ended or waited for. An endpoint on the same host is left as it is.
    """
    corrections = (f"user {paths.USER} is removed",) if service_account.made_here(host) else ()
    secret = paths.SETTINGS if installed_settings_may(host) else None
    everything = [Absent(path, secret=path == secret) for path in _everything(host)]
    found = Converged(diff(host, everything), corrections)
    if check or not found.changed:
        return found
    with exclusively(host, _LOCK, "converge"):
        for scheduler in all_schedulers(host, OWNED):
            scheduler.deactivate()
        _clear(host, found.changes)
        if web.FILE in {change.path for change in found.changes}:
            web.Nginx(host).reload()
        if corrections:
            service_account.remove(host)
    for scheduler in all_schedulers(host, OWNED):
        scheduler.forget()
    host.remove(paths.RUNTIME_DIRECTORY)
    return found


def _new_url(host: Host, settings: ServerSettings, found: Converged) -> bool:
    """Whether the URL is new for this server, and so has to be tried."""
    changed = paths.SETTINGS in {change.path for change in found.changes}
    if not (host.live and settings.web.verify_url and changed):
        return False
    try:
        before = json.loads(host.read(paths.SETTINGS) or b"{}")["web"]["url"]
    except (ValueError, LookupError, TypeError):
        return True
    return bool(before != settings.url)


def _compared(host: Host, settings: ServerSettings, scheduler: Scheduler, wanted: Desired) -> Converged:
    """The differences from the wanted state, and the actions that remove them."""
    server = web.select_web_server(settings, host)
    corrections = (
        *((f"user {paths.USER} is made",) if service_account.missing(host) else ()),
        *(() if _published(host) else ("keys are made, and the configuration is published",)),
        *scheduler.drift(wanted.jobs),
        *(server.drift() if server else ()),
    )
    changes = diff(host, (*wanted.entries, *_leftovers(host, wanted.entries)))
    return Converged((*changes, *_of_keys(host)), corrections)


def _of_keys(host: Host) -> Iterable[Change]:
    """The modes of private keys that others could read, or nobody could use. The server's own user corrects them."""
    for path, mode in other_modes(host).items():
        text = "directory\n" if path == paths.KEYS else "(hidden)\n"
        wanted = DIRECTORY_MODE if path == paths.KEYS else FILE_MODE
        yield Change(path, Action.MODIFY, text, text, mode_before=mode, mode_after=wanted)


def _published(host: Host) -> bool:
    """Whether a first publication exists and its keys are still there."""
    return all(host.exists(path) for path in (paths.TREE, paths.KEYRING))


def _leftovers(host: Host, wanted: tuple[Resource, ...]) -> tuple[Absent, ...]:
    """Files of other schedulers and notifiers, of a web server that the administrator configures now, and of a former
    collector."""
    kept = {entry.path for entry in wanted}
    owned = (*every_owned_path(host, OWNED), *((web.FILE,) if host.live else ()), *_of_metrics(host), paths.ORDERS)
    return tuple(Absent(path) for path in owned if path not in kept)


def _of_metrics(host: Host) -> tuple[str, ...]:
    """The link in the collector's directory, by the installed settings, and where it leads."""
    try:
        directory = MetricsSettings.from_dict(read_section(host, "metrics")).textfile_directory
    except InvalidDocument:  # damaged settings name no directory
        directory = MetricsSettings().textfile_directory
    return (f"{directory}/{paths.METRICS_NAME}", paths.METRICS)


def _everything(host: Host) -> tuple[str, ...]:
    configuration = owned_paths(host, paths.CONFIGURATION_DIRECTORY, ours=lambda name: name == SERVER_SETTINGS_NAME)
    # Without the settings, what else is in the directory is an endpoint's, or nobody's.
    own = configuration if host.exists(paths.SETTINGS) else ()
    around = _around(host) if host.live else (_SANDBOX_LOG,)
    return (
        *every_owned_path(host, OWNED),
        *own,
        *around,
        paths.SERVER,
        paths.PUBLIC,
        paths.REPORTS,
        *_of_metrics(host),
        paths.STATE_DIRECTORY,
    )


def _around(host: Host) -> tuple[str, ...]:
    """What a live server needs of other programs: the web server's file and logs, cvdupdate."""
    directory, name = os.path.split(web.LOGS)
    logs = sorted(one for one in os.listdir(directory) if one.startswith(name)) if os.path.isdir(directory) else []
    cvdupdate = owned_paths(host, paths.PROGRAMS, ours=lambda name: name == paths.CVDUPDATE_NAME)
    return (web.FILE, *(f"{directory}/{one}" for one in logs), *cvdupdate)


def _apply(
    host: Host, settings: ServerSettings, scheduler: Scheduler, wanted: Desired, changes: tuple[Change, ...]
) -> None:
    changed = {change.path for change in changes}
    by_path: dict[str, Resource] = {entry.path: entry for entry in wanted.entries}
    left = schedulers_left(scheduler, host, OWNED, changed_paths=changed)
    for other in left:
        other.deactivate()
    if service_account.missing(host):
        service_account.make(host)
    if web.FILE in changed:  # first of all: what nginx refuses is to stop the rest
        _configure(host, by_path, changes)
    keys = {path for path in changed if path == paths.KEYS or path.startswith(f"{paths.KEYS}/")}
    for change in changes:
        if change.path != web.FILE and change.path not in keys:
            apply(host, by_path.get(change.path, Absent(change.path)))
    for other in left:
        other.forget()
    if keys or changed & {paths.SETTINGS, paths.SERVER, paths.STATE_DIRECTORY, paths.PLACES} or not _published(host):
        _own_command(host, "publish")
    scheduler.activate(wanted.jobs, changed)
    _serve(host, settings, changed)


def _configure(host: Host, by_path: Mapping[str, Resource], changes: Iterable[Change]) -> None:
    """Configure nginx, which asks for the directories of reports; those that are new go again where it refuses."""
    of_reports = [change for change in changes if change.path in by_path and change.path.startswith(paths.REPORTS)]
    for change in of_reports:
        apply(host, by_path[change.path])
    try:
        web.Nginx(host).configure(by_path.get(web.FILE, Absent(web.FILE)))
    except OSError:
        for change in reversed(of_reports):
            if change.action is Action.CREATE:
                host.remove(change.path)
        raise


def _serve(host: Host, settings: ServerSettings, changed: set[str]) -> None:
    """Configure the web server; raises OSError where the published files can't be fetched by the URL afterwards."""
    server = web.select_web_server(settings, host)
    if server is None:
        if web.FILE in changed:
            web.Nginx(host).reload()
        return
    if web.FILE in changed or server.drift():
        server.start()
    if settings.web.verify_url and changed & {web.FILE, paths.SETTINGS}:
        why = own_url.try_url(settings.web)
        if why:
            raise OSError(
                f"{settings.url} does not lead to this server ({why}): correct the URL, DNS or the proxy; "
                "where only endpoints can reach it, set autoupdate_server_verify_url to false"
            )


def _clear(host: Host, changes: tuple[Change, ...]) -> None:
    """Remove everything, once no job runs."""
    if not host.exists(paths.STATE_DIRECTORY):
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
        apply(host, Absent(change.path))


def _enrollment(host: Host, settings: ServerSettings, found: Converged, *, check: bool) -> dict[str, Any] | None:
    """What the server's program reports for these settings; the wrong program is not asked."""
    if check and (not _published(host) or paths.SERVER in {change.path for change in found.changes}):
        return None
    told_now: dict[str, Any] | None = json.loads(_own_command(host, "enrollment", *(["--check"] if check else [])))
    return told_now and {**_without_broker(told_now), **_told_of_notices(settings)}


def _told_of_notices(settings: ServerSettings) -> dict[str, Any]:
    """What endpoints are told by these settings, which may not be in force yet."""
    told: dict[str, Any] = {"url": settings.url, "notify_user": settings.notify.user}
    if by_broker(settings) and settings.notify.mqtt is not None:
        told.update(notify_key=None, broker=settings.notify.mqtt.of_endpoints.to_dict())
    return told


def _without_broker(told: dict[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in told.items() if key != "broker"}


def _own_command(host: Host, command: str, *options: str) -> str:
    """Run a command of the server's program, which becomes its own user; raises OSError with its error message."""
    root = ["--root", host.root] if host.root else []
    argv = [host.real(paths.SERVER), *root, command, *options]
    done = host.run(argv, timeout=_OWN_COMMAND_S, env=asked_by())
    if done.code != 0:
        why = done.err.strip() or done.out.strip() or f"it {done.ended}"
        raise OSError(f"epp-server {command}: {why}")
    return done.out
