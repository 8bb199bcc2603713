# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether clamd works with what is on disk: it is told to read it, waited for, and brought back where it has died."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Callable, Optional

from ...._core.results import Component
from . import clamd_service, database_directory, own_signature
from .clamd import Clamd

if TYPE_CHECKING:
    from .product import ClamAV

_TICK_S = 0.25
_START_S = 5.0
"""How long a service that was told to start may take until its process is there."""
_DAILY = "daily"
_ENDED = "clamd has ended (often out of memory)"
_KILLED = "clamd was killed by the kernel for want of memory (systemd: oom-kill)"
_ANSWER_S = 15.0
"""How long one answer may take; a clamd that is started again and again takes no question in between."""
_Question = Callable[[], Optional[bool]]
"""Whether clamd has loaded something; None where it gave no answer."""


def configured(product: ClamAV) -> Clamd | None:
    """The clamd of this host, whether it answers or not; below a root prefix there is none.

    One of another host, which clamdscan may be configured for, reads its own databases.
    """
    host = product.host
    clamd = Clamd.configured(host.read(product.settings.clamd_config)) if host.live else None
    if clamd is None or clamd.local or clamd_service.enabled(host) or clamd_service.runs(host):
        return clamd
    return None


def starting(product: ClamAV, deadline: float) -> bool:
    """Whether clamd, which did not answer before the update, is being started now that there are databases.

    Returns once it listens. It reads the databases before that, and a scanner beside it would need as much memory.
    """
    clamd = configured(product)
    if clamd is None or not clamd_service.enabled(product.host):
        return False
    started_by = time.monotonic() + _START_S
    while not clamd.listens():
        gone = time.monotonic() >= started_by and not clamd_service.runs(product.host)
        if gone or time.monotonic() >= deadline:
            return False
        time.sleep(_TICK_S)
    return True


def read_anew(product: ClamAV, deadline: float) -> None:
    """Have clamd read the databases: by a reload, or by its service where it has ended."""
    clamd = configured(product)
    if clamd is None or clamd.reloads() or not clamd_service.start(product.host):
        return
    while not clamd.listens() and time.monotonic() < deadline:
        time.sleep(_TICK_S)


def missing(product: ClamAV, components: Sequence[Component], deadline: float) -> str:
    """Why clamd does not work with these versions, once it had until ``deadline`` to load them; empty when it does."""
    clamd = configured(product)
    if clamd is None:
        return ""
    loaded = _loading(product, clamd, components, deadline)
    while not (answer := loaded()):
        gone = not clamd.listens()
        if gone or answer is None:
            why = end(product, waits=gone)
            if gone or why:
                return f"{why} when it loaded the databases" if why else _ENDED
        if time.monotonic() >= deadline:
            old = "clamd goes on with the old databases: it could not load the new ones"
            return old if clamd.answers() else "clamd does not answer any more"
        time.sleep(_TICK_S)
    # One that was killed, and that systemd has started again since, would load them at the next chance, or not.
    killed = clamd_service.killed_for_memory(product.host, own_signature.put_at(product))
    return f"{_KILLED} when it loaded the databases" if killed else ""


def end(product: ClamAV, *, waits: bool) -> str:
    """Why clamd has ended since the databases came, by systemd's word; empty where there is none.

    ``waits``: it has ended for certain, so that systemd will know in a moment.
    """
    since = own_signature.put_at(product)
    if not waits:
        return _KILLED if clamd_service.killed_for_memory(product.host, since) else ""
    word = clamd_service.ended_by(product.host, since)
    if word == clamd_service.OOM:
        return _KILLED
    return f"clamd has ended (systemd: {word})" if word else ""


def _loading(product: ClamAV, clamd: Clamd, components: Sequence[Component], deadline: float) -> _Question:
    """How to ask a clamd whether it has loaded these versions: by our own signature, by its word, or by waiting."""
    if clamd.reads(product.settings.database_directory) and own_signature.belongs(product, components):
        sample = own_signature.sample(components)
        return lambda: _found(clamd.finding(sample, min(deadline, time.monotonic() + _ANSWER_S)))
    daily = next((one.version for one in components if one.name == _DAILY), "")
    if daily and clamd.daily():
        return lambda: clamd.daily() == daily
    database_directory.await_reload(product.directory(), max(0.0, deadline - time.monotonic()))
    return lambda: clamd.scans() or None


def _found(answer: str) -> bool | None:
    return answer.endswith(" FOUND") if answer else None
