# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a converge by Ansible does about the configuration: an enrollment adopts one in the same converge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..._core.metadata.sync_result import REFUSALS
from ..._core.schedule.sync_schedule import OVERDUE
from ..._core.settings.endpoint import EndpointDocument
from ..._core.values import frozen, replace
from ..._host.host import Host
from ..._host.lock import locked
from .. import paths
from ..endpoint import Endpoint
from ..installed import Installed
from ..state.store import State, SyncRecord
from ..time_limits import SYNC_S

if TYPE_CHECKING:
    from ..._core.metadata.trusted import TrustedConfiguration
    from ..._core.settings.update_server import UpdateServer
    from ..trust.refresh import VerifiedConfiguration


class NotConfigured(OSError):
    """The update server gave no configuration that can be adopted, so that nothing was changed."""


@frozen
class ManagedTarget:
    """An endpoint to be converged to.

    ``words`` tell what has to be fetched and adopted, or was; ``verified`` is what to put in force. ``until`` is when
    (Unix seconds) the server has to be asked because nobody else has; None where it was asked now.
    """

    endpoint: Endpoint
    words: tuple[str, ...] = ()
    verified: VerifiedConfiguration | None = None
    refusal: tuple[str, str] | None = None
    """Why what the update server publishes is not taken: the result and its reason. What was adopted stays in force."""
    mended: bool = False
    """Whether the server publishes what is in force, after something that was refused or nothing for long."""
    until: float | None = None

    @property
    def record(self) -> SyncRecord | None:
        """What the status is to tell of it; None where nothing was asked for."""
        from ..._core.metadata.sync_result import SyncResult

        if self.mended:
            now = self.endpoint.host.now()
            return SyncRecord(SyncResult.UNCHANGED.value, "", now, now)
        if self.verified is None:
            return None
        at = self.verified.adopted.at
        return SyncRecord(SyncResult.ADOPTED.value, "", at, at)

    @contextmanager
    def adopting(self) -> Iterator[None]:
        """While the document is replaced, its configuration lies beside that of the document before; then alone."""
        if self.verified is None:
            yield
            return
        from ..trust.store import ConfigurationStore

        host, store = self.endpoint.host, ConfigurationStore(self.endpoint.host)
        with locked(host, paths.SYNC_LOCK, wait=SYNC_S) as held:
            if not held:
                raise NotConfigured(f"another synchronization still runs after {SYNC_S} s")
            self.verified.adopt(store, beside=store.all())
            yield
            self.verified.adopt(store)


def enroll(document: EndpointDocument, host: Host, installed: Installed, *, check: bool) -> ManagedTarget:
    """The endpoint that a document describes; what a managed one lacks is fetched, and in check mode only looked at.

    Where a configuration was adopted for this document, none was refused since, and the server was heard within a day,
    or there is no server, no request is sent. Raises NotConfigured.
    """
    before = installed.adopted_for(installed.document)
    document = following(document, before)
    server, endpoint = document.server, Endpoint.of(host, document, installed.adopted_for(document))
    if server is None:
        return ManagedTarget(endpoint)
    if endpoint.adopted is not None:
        refused, until = _refused_last(installed.state), _heard_until(installed.state)
        if not refused and until - OVERDUE <= host.now() < until:
            return ManagedTarget(endpoint, until=until)
        return _asked_again(endpoint, document, server, before, silent=not refused)
    verified = _fetched(document, server, host, before, check=check)
    if verified is None:
        return ManagedTarget(endpoint, (f"the configuration is fetched from {server.url} and adopted",))
    from ..sync.sync import adopted_words

    words = (f"the configuration is adopted: {adopted_words(verified)}",)
    return ManagedTarget(Endpoint.of(host, document, verified.adopted), words, verified)


def _refused_last(state: State) -> bool:
    """Whether this endpoint refused what its update server published when it asked last."""
    return state.sync is not None and state.sync.result in REFUSALS


def _heard_until(state: State) -> float:
    """Until when it is good enough that the update server has been heard of (Unix seconds); 0 where it never was."""
    return state.sync.answered + OVERDUE if state.sync is not None and state.sync.answered else 0.0


def _asked_again(
    endpoint: Endpoint,
    document: EndpointDocument,
    server: UpdateServer,
    before: TrustedConfiguration | None,
    *,
    silent: bool,
) -> ManagedTarget:
    """What the server publishes now: after a refusal it may have been mended, and without one nobody has asked."""
    from ..._core.metadata.sync_result import ConfigurationRejected
    from ..sync.sync import adopted_words, fetch_configuration, select_trust_anchor

    host = endpoint.host
    try:
        trust = select_trust_anchor(server, before)
        verified = fetch_configuration(host, document, server, trust=trust, held=endpoint.adopted)
    except ConfigurationRejected as refused:
        return ManagedTarget(endpoint, refusal=(refused.result.value, refused.why))
    if verified is None:
        why = "had not answered for a day" if silent else "had published something else"
        words = (f"the configuration is confirmed: the update server, which {why}, publishes what is in force",)
        return ManagedTarget(endpoint, words, mended=True)
    words = (f"the configuration is adopted: {adopted_words(verified)}",)
    return ManagedTarget(Endpoint.of(host, document, verified.adopted), words, verified)


def following(document: EndpointDocument, before: TrustedConfiguration | None) -> EndpointDocument:
    """The document with the first keys of the enrollment that it continues, if it continues one.

    An endpoint learns of new keys by the trees that it adopts, so after a rotation it needs no new enrollment: the keys
    that the server names first now (``document.server.signers``, the one that signs at their head) are trusted already.
    It begins anew when it does not trust the key that signs, or when it trusts a key that the server does not name.
    """
    server = document.server
    if server is None or before is None or (before.basis.endpoint, before.basis.url) != (document.endpoint, server.url):
        return document
    trusted_now = set(before.signers)
    if server.signers[0] not in trusted_now or not trusted_now <= set(server.signers):
        return document
    return replace(document, server=replace(server, signers=before.basis.signers))


def _fetched(
    document: EndpointDocument, server: UpdateServer, host: Host, before: TrustedConfiguration | None, *, check: bool
) -> VerifiedConfiguration | None:
    """The configuration to adopt; None in check mode for an endpoint that the run before it would register."""
    from ..._core.metadata.sync_result import ConfigurationRejected, SyncResult
    from ..sync.sync import fetch_configuration, select_trust_anchor

    try:
        verified = fetch_configuration(host, document, server, trust=select_trust_anchor(server, before), held=None)
    except ConfigurationRejected as refused:
        if check and refused.result is SyncResult.NOT_REGISTERED:
            return None
        raise NotConfigured(f"the update server's configuration can't be adopted: {refused}") from None
    if verified is None:
        raise NotConfigured("the update server says that nothing has changed, though nothing is held")
    return verified
