# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take an endpoint off its host."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from ..._core.resources.resources import Absent
from ..._host.host import Host
from ..._host.local_host import SANDBOX_LOG
from ..._host.lock import exclusively
from ..._host.paths import CONFIGURATION_DIRECTORY, SERVER_SETTINGS_NAME
from ..._host.reconcile import apply, diff, owned_paths
from ..._host.scheduler import all_schedulers
from ..._host.scheduler.base import Owned
from .. import paths
from ..installed import Installed, instances_left
from ..jobs import owned_with
from ..jobs.vendor_updaters import start_again
from ..products import select_product
from ..vendor_updaters.restore import notes_left, remembered_entries, running_before
from . import groups
from .former import textfiles
from .machine import host_key
from .plan import back_end_paths
from .result import Converged

if TYPE_CHECKING:
    from ..notify_access.authorized_keys import Access


def remove(host: Host, *, check: bool) -> Converged:
    """Take every trace of this project off the host; an update under way is ended or waited for."""
    installed = Installed.load(host)
    state = installed.state
    notes = notes_left(host, state.switched_off)
    resumed = running_before(host, notes)
    access = _access_left(host, installed)
    removed = (f"group {group} is removed" for group in state.created_groups)
    corrections = (*removed, *(f"{name} is started again" for name in resumed), *access.corrections)
    instances = _instances(host, installed)
    owned = owned_with(instances)
    gone = dict.fromkeys((*(entry.path for entry in access.entries), *_everything(host, installed, owned)))
    entries = (*remembered_entries(host, notes), *(Absent(path) for path in gone))
    changes = diff(host, entries)
    edits = (edit.change for edit in access.edits)
    found = Converged(changes=(*edits, *changes), corrections=corrections, host_key=host_key(host))
    if check or not found.changed:
        return found
    with exclusively(host, paths.CONVERGE_LOCK, "converge"):
        for scheduler in all_schedulers(host, owned):
            scheduler.deactivate()
        with ExitStack() as ended:
            for lock in (paths.of_product(paths.UPDATE_LOCK, name) for name in ("", *instances)):
                ended.enter_context(exclusively(host, lock, "update"))
            ended.enter_context(exclusively(host, paths.REPORT_LOCK, "report"))
            for group in state.created_groups:
                groups.remove(host, group)
            for edit in access.edits:
                edit.carry_out(host)
            by_path = {entry.path: entry for entry in entries}
            for change in changes:
                apply(host, by_path[change.path])
        access.remove_accounts(host)
    for scheduler in all_schedulers(host, owned):
        scheduler.forget()
    start_again(host, resumed)
    host.remove(paths.RUNTIME_DIRECTORY)
    return found


def _access_left(host: Host, installed: Installed) -> Access:
    from ..notify_access.authorized_keys import access

    return access(host, None, installed.document, sudo=False)


def _instances(host: Host, installed: Installed) -> tuple[str, ...]:
    """Those of the further products; their units are looked for, too, as a document may have been lost."""
    return tuple(dict.fromkeys((*installed.instances, *instances_left(host))))


def _everything(host: Host, installed: Installed, owned: Owned) -> tuple[str, ...]:
    configuration = owned_paths(host, CONFIGURATION_DIRECTORY, ours=lambda name: name != SERVER_SETTINGS_NAME)
    own = [paths.AGENT, *configuration, paths.STATE_DIRECTORY, paths.CACHE_DIRECTORY]
    document = installed.document
    metrics = () if document is None else textfiles(document)
    products = () if document is None else document.each()
    beside = [path for one in products for path in select_product(one, host).needs().remains]
    found = (*back_end_paths(host, owned), *metrics, *beside, *installed.state.leaving)
    return (*found, *([] if host.live else [SANDBOX_LOG]), *own)
