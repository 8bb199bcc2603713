# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The synchronization of one endpoint: ask, verify, adopt, and tell (C1, C2, S2)."""

from __future__ import annotations

import syslog
from typing import TYPE_CHECKING

from ..._core.metadata.sync_result import ConfigurationRejected, SyncResult
from ..._core.settings.endpoint import EndpointDocument
from ..._core.settings.update_server import UpdateServer
from ..._core.untrusted_text import shown
from ..._core.values import frozen, replace
from ..._host.boot import boot_id
from ..._host.host import Host
from ..._host.lock import locked
from .. import paths
from ..endpoint import Endpoint
from ..installed import adopted_for, installed_document
from ..source_client import source_client
from ..state.store import State, SyncRecord
from ..status.status import save_and_publish
from ..time_limits import SYNC_S
from ..trust.refresh import ConfigurationUpdater, TrustAnchor, VerifiedConfiguration
from ..trust.store import ConfigurationStore

if TYPE_CHECKING:
    from ..._core.metadata.trusted import TrustedConfiguration

_LEVELS = {
    SyncResult.ADOPTED: syslog.LOG_INFO,
    SyncResult.UNCHANGED: syslog.LOG_DEBUG,
    SyncResult.UNREACHABLE: syslog.LOG_WARNING,
}


class NoServer(LookupError):
    """The endpoint is a standalone one: its policy comes from Ansible alone."""


@frozen
class SyncReport:
    """What one synchronization came to."""

    result: SyncResult
    why: str = ""

    def sentence(self) -> str:
        return f"configuration: {self.result.value}" + (f"; {self.why}" if self.why else "")


def synchronize(endpoint: Endpoint) -> SyncReport:
    """Ask the update server and adopt what is new; every ending is in the report and in the state, none an exception.

    What is in force stays so unless the result is ``adopted``. Raises NoServer.
    """
    host = endpoint.host
    with locked(host, paths.SYNC_LOCK, wait=SYNC_S) as held:
        if not held:
            return SyncReport(SyncResult.FAILED, f"another synchronization still runs after {SYNC_S} s")
        now, before = host.now(), endpoint.store.read().sync
        report = _refreshed(endpoint)
        if report.result in (SyncResult.UNREACHABLE, SyncResult.FAILED):
            answered = None if before is None else before.answered
        else:
            answered = now
        record = SyncRecord(report.result.value, report.why, now, answered)
        try:
            save_and_publish(Endpoint.load(host), lambda state: replace(state, sync=record), of_endpoint=True)
        except OSError as error:  # what was adopted counts more than its record
            host.log(syslog.LOG_ERR, f"the state can't be written: {error}")
    host.log(_LEVELS.get(report.result, syslog.LOG_ERR), report.sentence())
    return report


def fetch_configuration(
    host: Host,
    document: EndpointDocument,
    server: UpdateServer,
    *,
    trust: TrustAnchor,
    held: TrustedConfiguration | None,
) -> VerifiedConfiguration | None:
    """What the server publishes for a document that a converge brings, verified; None where that is what is held.

    Writes nothing. Raises ConfigurationRejected or OSError.
    """
    return _updater(host, document, server, trust, held).refresh()


def _updater(
    host: Host, document: EndpointDocument, server: UpdateServer, trust: TrustAnchor, held: TrustedConfiguration | None
) -> ConfigurationUpdater:
    # Never through the policy's proxy: a wrong one could not be mended by any later policy.
    client = source_client(host, SYNC_S)
    return ConfigurationUpdater(host, document, server, trust, client, held)


def _refreshed(endpoint: Endpoint) -> SyncReport:
    host = endpoint.host
    try:
        document = installed_document(host)
        if document is None or document.server is None:
            raise NoServer("this endpoint has no update server: its policy comes from Ansible")
        before = Endpoint.load(host)
        trust = select_trust_anchor(document.server, adopted_for(host, document))
        updater = _updater(host, document, document.server, trust, before.adopted)
        verified = updater.refresh()
        if verified is None:
            updater.keep_validators()
            return SyncReport(SyncResult.UNCHANGED)
        verified.adopt(ConfigurationStore(host))
        _note_what_is_new(before, Endpoint.load(host))
    except ConfigurationRejected as refused:
        return SyncReport(refused.result, shown(refused.why))
    except OSError as error:
        return SyncReport(SyncResult.FAILED, shown(str(error)))
    return SyncReport(SyncResult.ADOPTED, adopted_words(verified))


def select_trust_anchor(server: UpdateServer, before: TrustedConfiguration | None) -> TrustAnchor:
    """Whom to trust: whom the tree that was adopted last names; other keys in the document are a new beginning."""
    if before is None or before.basis.signers != server.signers:
        return TrustAnchor(server.signers)
    return TrustAnchor(before.signers, before)


def adopted_words(verified: VerifiedConfiguration) -> str:
    """Which configuration it is, for people."""
    adopted = verified.adopted
    return f"tree {adopted.tree.serial}, shard {adopted.shard.serial}, from {adopted.basis.url}"


def _note_what_is_new(before: Endpoint, after: Endpoint) -> None:
    """An endpoint to which reconnect updates are new has not missed this boot's (E2)."""
    had = before.configured and before.document.policy.events.update_on_reconnect
    if not had and after.document.policy.events.update_on_reconnect:
        save_and_publish(after, lambda state: reset_reconnect(state, boot_id(after.host)))


def reset_reconnect(state: State, boot: str) -> State:
    """The state of an endpoint that has just been told to watch for its server's return."""
    return replace(state, boot_id=boot, source_lost=False)
