# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wanted state of a host by its settings: resources and jobs. Touches nothing."""

from __future__ import annotations

import json

from ..._core.canonical import readable_json
from ..._core.resources.resources import Directory, File, Link, Resource
from ..._core.settings.components import ClamAVSource, FilesSource, SourceSettings
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.settings.notify import NotifierName
from ..._core.settings.server import ServerSettings
from ..._core.settings.web import ReportsBy
from ..._core.values import frozen
from ..._host.host import Host
from ..._host.scheduler.base import Scheduler, Texts
from .. import paths, web
from ..jobs import texts
from ..jobs.job_plan import Interval, JobPlan

_MARGIN_S = 120
_HOUR, _DAY = 3600, 86400
_METRICS_S = 300
_PROMOTE_S = 120


@frozen
class Desired:
    """The resources of a host (``entries``, parents first) and its jobs."""

    entries: tuple[Resource, ...]
    jobs: Texts


def desired(host: Host, settings: ServerSettings, scheduler: Scheduler, *, program: bytes | None) -> Desired:
    """What the settings ask for; ``program`` is the file of epp-server, None to leave it out of the picture."""
    jobs = texts(job_plan(settings), scheduler=scheduler.name)
    own: list[Resource] = [] if program is None else [File(paths.SERVER, program, 0o755)]
    own += [
        Directory(paths.CONFIGURATION_DIRECTORY),
        File(
            paths.SETTINGS,
            readable_json(settings.to_dict()),
            0o640,
            owner=f"root:{paths.USER}",
            secret=_may_hold_secrets(settings.to_dict()["components"]) or installed_settings_may(host),
        ),
        # What lies in them is the user's own business: root never follows that user's paths.
        Directory(paths.STATE_DIRECTORY, 0o750, owner=paths.USER),
        Directory(paths.PUBLIC, 0o755, owner=paths.USER),
        *((Directory(paths.ORDERS, owner=paths.USER),) if by_broker(settings) else ()),
        *_of_reports(web.writer(settings, host)),
        *_of_metrics(settings, host),
    ]
    return Desired(entries=(*own, *scheduler.entries(jobs), *web.entries(settings, host)), jobs=jobs)


def _of_reports(writer: str) -> tuple[Directory, ...]:
    """The way in of reports. What ``writer``, the web server's user, makes belongs to the server's group."""
    written = f"{writer}:{paths.USER}"
    return (
        Directory(paths.REPORTS),
        Directory(paths.PLACES, owner=paths.USER),
        Directory(paths.INBOX, 0o2770, owner=written),
        Directory(paths.INCOMING, 0o2770, owner=written),
        Directory(paths.CLAIMED, 0o700, owner=paths.USER),
    )


def _of_metrics(settings: ServerSettings, host: Host) -> tuple[Resource, ...]:
    """The server's user may not write to the collector's directory: a link there leads to its own."""
    collector = settings.metrics.textfile_directory
    if not host.exists(collector):
        return ()
    return Directory(paths.METRICS, owner=paths.USER), Link(f"{collector}/{paths.METRICS_NAME}", paths.METRICS_FILE)


def job_plan(settings: ServerSettings) -> JobPlan:
    """The jobs that the server's scheduler has to run."""
    sources = settings.components
    # Each source ends its programs and downloads by its own limit; some have two.
    limit = sum(2 * source.timeout for source in sources.values()) + _MARGIN_S
    return JobPlan(
        program=paths.SERVER,
        user=paths.USER,
        state_directory=paths.STATE_DIRECTORY,
        public=paths.PUBLIC,
        reports=paths.REPORTS,
        inbox=paths.INBOX,
        rollout_news=paths.ROLLOUT_NEWS,
        fetch=Interval(settings.fetch.every, settings.fetch_offset) if sources else None,
        metrics=Interval(_METRICS_S, 0),
        metrics_directory=paths.METRICS,
        publish=Interval(_DAY, settings.publish_offset),
        fetch_limit=limit,
        ask=Interval(_HOUR, settings.ask_offset) if settings.web.reports is ReportsBy.ASK else None,
        promote=Interval(_PROMOTE_S, 0) if settings.rollout.products else None,
        reads=tuple(path for source in sources.values() for path in _paths(source)),
        samples=settings.probe_samples,
        any_program=ProductKind.COMMAND in sources,
        key=settings.notify.key,
        orders=paths.ORDERS if by_broker(settings) else "",
    )


def by_broker(settings: ServerSettings) -> bool:
    """Whether endpoints are told over a message broker (L3)."""
    return settings.notify.notifier is NotifierName.MQTT


def installed_settings_may(host: Host) -> bool:
    """Whether the settings on the host may hold secrets; damaged ones may."""
    installed = host.read(paths.SETTINGS)
    try:
        return installed is not None and _may_hold_secrets(json.loads(installed)["components"])
    except (ValueError, TypeError, KeyError):
        return True


def _may_hold_secrets(components: object) -> bool:
    """Whether there are command lines, URLs with passwords, or URL queries."""
    text = json.dumps(components)
    return any(sign in text for sign in (f'"{ProductKind.COMMAND.value}"', '"git"', "?"))


def _paths(source: SourceSettings) -> tuple[str, ...]:
    """Paths of the host that a fetch reads or runs."""
    if isinstance(source, ClamAVSource):
        return (source.cvd,)
    if isinstance(source, FilesSource):
        return tuple(path for path in (source.directory, source.git) if path.startswith("/"))
    return tuple(word for word in (*source.fetch, *source.version) if word.startswith("/"))
