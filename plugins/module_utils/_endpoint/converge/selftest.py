# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether what was converged can work.

A trial starts the agent as the host's scheduler starts jobs, in the same sandbox, and the agent tries what an update
needs (``epp-agent selftest``). It follows a converge that changed something; after that its record stands for a day.
What a look at the host shows is looked at each time.
"""

from __future__ import annotations

import json

from ..._core.untrusted_text import shown
from ..._core.values import replace
from ..._host.host import Host
from .. import engine, paths
from ..endpoint import Endpoint
from ..jobs import SELFTEST, job_of
from ..state.store import State, TrialRecord
from ..status.status import save_and_publish

_LASTS_S = 86400
_TRIAL_S = 200.0
_SCRIPT = b"#!"


def due(host: Host, state: State) -> bool:
    """Whether a converge that changes nothing has to try anew: nobody has, it failed, or that was a day ago."""
    trial = state.trial
    return host.live and (trial is None or bool(trial.errors) or not trial.at <= host.now() < trial.at + _LASTS_S)


def due_of(endpoint: Endpoint, state: State) -> bool:
    """Whether any of the endpoint's products is to be tried anew; ``state`` is that of the first."""
    states = (state, *(one.store.read() for one in endpoint.each()[1:]))
    return any(due(endpoint.host, one) for one in states)


def recorded(host: Host, state: State) -> tuple[str, ...]:
    """What the last trial found."""
    return () if state.trial is None or not host.live else state.trial.errors


def recorded_of(endpoint: Endpoint, state: State) -> tuple[str, ...]:
    """What the last trials found of all products; ``state`` is that of the first."""
    states = (state, *(one.store.read() for one in endpoint.each()[1:]))
    return tuple(found for one in states for found in recorded(endpoint.host, one))


def tried(endpoint: Endpoint) -> tuple[str, ...]:
    """Try it with each product, remember what was found and return that; a directory that stands for a host has
    nothing that runs."""
    return tuple(found for one in endpoint.each() for found in _tried(one)) if endpoint.host.live else ()


def _tried(endpoint: Endpoint) -> tuple[str, ...]:
    host, instance = endpoint.host, endpoint.document.instance
    host.remove(endpoint.at(paths.TRIAL))
    told = endpoint.scheduler.trial(job_of(SELFTEST, instance), timeout=_TRIAL_S)
    errors = (_why_not_started(host, told),) if told else _found(host, endpoint.at(paths.TRIAL))
    errors = tuple(f"{instance}: {error}" for error in errors) if instance else errors
    save_and_publish(endpoint, lambda state: replace(state, trial=TrialRecord(host.now(), errors)))
    return errors


def evident(endpoint: Endpoint, *, host_key: str | None) -> tuple[str, ...]:
    """What a look at a live host shows: nothing is started for it, and it costs next to nothing."""
    host = endpoint.host
    if not host.live:
        return ()
    return (
        *_agent(host),
        *endpoint.scheduler.errors(),
        *_key(endpoint, host_key),
        *(found for one in endpoint.each() for found in one.product.idle()),
        *_packages(endpoint),
    )


def _packages(endpoint: Endpoint) -> tuple[str, ...]:
    """Policy wants the packages of an engine upgraded, and this host's package manager is another one."""
    why = engine.unsupported(endpoint) if engine.is_wanted(endpoint) else ""
    return (f"components.engine_packages: {why}",) if why else ()


def _found(host: Host, path: str) -> tuple[str, ...]:
    try:
        return tuple(shown(str(error)) for error in json.loads(host.read(path) or b"")["errors"])
    except (ValueError, TypeError, KeyError):
        return (f"{paths.AGENT} started and left no result of its self-test",)


def _agent(host: Host) -> tuple[str, ...]:
    state = host.status(paths.AGENT)
    if state is None or not state.st_mode & 0o100 or host.executable(paths.AGENT):
        return ()
    return (f"{paths.AGENT} can't be executed: its file system is mounted noexec",)


def _key(endpoint: Endpoint, host_key: str | None) -> tuple[str, ...]:
    if endpoint.document.server is None or host_key is not None:
        return ()
    return ("this host has no SSH host key, by which its update server would know it: make one (ssh-keygen -A)",)


def _why_not_started(host: Host, told: str) -> str:
    """The reason in words for which the agent did not start, where there is one to be seen."""
    interpreter = _interpreter(host)
    noexec = _agent(host)
    if noexec:
        return noexec[0]
    if interpreter and not host.exists(interpreter):
        return f"{paths.AGENT} can't be started: {interpreter}, which its first line names, does not exist"
    if "203/EXEC" in told:
        return (
            f"{paths.AGENT} can't be started by a unit: {interpreter} is hidden from units, as is all that lies in "
            "home directories, or needs what is; use a Python outside of them (/usr/bin/python3)"
        )
    return f"{paths.AGENT} can't be started: {shown(told)}"


def _interpreter(host: Host) -> str:
    first = (host.read(paths.AGENT) or b"").partition(b"\n")[0]
    words = first[len(_SCRIPT) :].decode("utf-8", "replace").split()
    return words[0] if first.startswith(_SCRIPT) and words else ""
