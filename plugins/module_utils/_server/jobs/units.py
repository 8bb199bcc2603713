# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts of the server's systemd units, each service shut in as far as its work allows.

``systemd-analyze security`` measures how far; the tests do, too.
"""

from __future__ import annotations

from ..._core.validation.strings import HOMES
from ..._host.systemd.calendar import intervals
from ..._host.systemd.quoting import path_word
from ..._host.systemd.sandboxing import EVERY_SERVICE, private_tmp
from ..._host.systemd.timers import timer_text
from .job_plan import Interval, JobPlan

FETCH, NOTIFY, PUBLISH = "epp-server-fetch", "epp-server-notify", "epp-server-publish"
ASK, INGEST, METRICS = "epp-server-ask", "epp-server-ingest", "epp-server-metrics"
PROMOTE = "epp-server-promote"
_ALL = (ASK, FETCH, INGEST, METRICS, NOTIFY, PROMOTE, PUBLISH)
SERVICES = tuple(f"{name}.service" for name in _ALL)
TIMERS = tuple(f"{name}.timer" for name in _ALL)
PATHS = (f"{INGEST}.path", f"{PROMOTE}.path")

_HEAD = """\
# Managed by the Ansible collection epp.autoupdate; changes are undone by the next converge.
"""

_SERVICE = """\
[Unit]
Description={description}
After=network-online.target nss-lookup.target time-sync.target
{unit}
[Service]
Type=oneshot
User={user}
Group={user}
ExecStart={program} {command}
TimeoutStartSec={limit}
StateDirectory={state}
StateDirectoryMode=0750
"""

# What a fetch began is sent at once. Where one of several products could not be fetched, the notices' own timer finds
# it within a minute: a second trigger of the same unit would have systemd complain at each start.
_NOTIFIES = f"OnSuccess={NOTIFY}.service\n"
_UNREACHABLE_IS_NO_FAULT = """\
# 75: upstream is not reachable. Reported in the status; not a local failure.
SuccessExitStatus=75
"""

# systemd starts the service as long as the directory is not empty, and would give up after five starts in ten seconds.
# One run waits for more reports before it ends, so that starts are seconds apart whatever arrives.
_NO_LIMIT = "StartLimitIntervalSec=0\n"
_ARRIVAL = """\
[Unit]
Description=Reports of endpoints have arrived
{no_limit}
[Path]
DirectoryNotEmpty={inbox}
Unit={unit}

[Install]
WantedBy=paths.target
"""
_NEWS = """\
[Unit]
Description=Reports on which a staged rollout may depend have been taken in
{no_limit}
[Path]
PathChanged={news}
Unit={unit}

[Install]
WantedBy=paths.target
"""
_INGEST_WAIT_S = 2
_INGEST_LIMIT_S = 900
_METRICS_LIMIT_S = 240
_ASK_LIMIT_S = 3600
_ENDPOINT_IS_NO_FAULT = """\
# 1: the report of an endpoint is missing. Reported in the log and by the state of the endpoint; not a local failure.
SuccessExitStatus=1
"""

_EVERY_JOB = """\
CapabilityBoundingSet=
ProtectKernelModules=yes
PrivateTmp={private_tmp}
ProtectHome={home}
UMask={umask}
"""

_NETWORK = """\
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
"""

_NO_NETWORK = """\
RestrictAddressFamilies=AF_UNIX
PrivateNetwork=yes
IPAddressDeny=any
"""

# Not for programs of which nothing is known: they may compile as they run, or ask how much memory there is.
_KNOWN_PROGRAMS = """\
MemoryDenyWriteExecute=yes
ProtectProc=invisible
ProcSubset=pid
SystemCallFilter=~@privileged @resources
"""

# systemd reckons instants from the last one, or from the timer's start. Where the clock was years ahead then and is put
# right while the job runs, it waits for years: so no more than some time goes by without the job, by no clock at all.
_WHATEVER_THE_CLOCK = """\
OnBootSec=60s
{again}={seconds}s
"""
_NOTIFY_AGAIN_S = 120


def unit_texts(plan: JobPlan) -> dict[str, str]:
    """Every unit that the plan needs, by name."""
    services = {INGEST: _ingest(plan), METRICS: _metrics(plan), NOTIFY: _notify(plan), PUBLISH: _publish(plan)}
    timers = {
        INGEST: ("Reports of endpoints", _every_minute()),
        METRICS: ("Metrics of the fleet", _when(plan.metrics)),
        NOTIFY: ("Notices to endpoints", _every_minute()),
        PUBLISH: ("Signatures that are to be renewed", _when(plan.publish)),
    }
    if plan.fetch is not None:
        services[FETCH] = _fetch(plan)
        timers[FETCH] = ("Download of new protection components", _when(plan.fetch))
    if plan.promote is not None:
        services[PROMOTE] = _promote(plan)
        timers[PROMOTE] = ("Decisions about staged rollouts", _when(plan.promote))
    if plan.ask is not None:
        services[ASK] = _ask(plan)
        timers[ASK] = ("Reports that endpoints are asked for", _when(plan.ask))
    return {
        **{name: _HEAD + text for name, text in _paths(plan).items()},
        **{f"{name}.service": _HEAD + text for name, text in services.items()},
        **{
            f"{name}.timer": _HEAD + timer_text(description, when=when, unit=f"{name}.service")
            for name, (description, when) in timers.items()
        },
    }


def _paths(plan: JobPlan) -> dict[str, str]:
    inbox = path_word(plan.inbox)
    found = {f"{INGEST}.path": _ARRIVAL.format(no_limit=_NO_LIMIT, inbox=inbox, unit=f"{INGEST}.service")}
    if plan.promote is not None:
        news = path_word(plan.rollout_news)
        found[f"{PROMOTE}.path"] = _NEWS.format(no_limit=_NO_LIMIT, news=news, unit=f"{PROMOTE}.service")
    return found


def _fetch(plan: JobPlan) -> str:
    """Sources may lie anywhere, so home directories can be read."""
    shut_in = _shut_in(private=private_tmp(plan.reads), home="read-only", umask="0022")
    text = _service(plan, "Download of new protection components", "fetch", limit=str(plan.fetch_limit), unit=_NOTIFIES)
    known = "" if plan.any_program else _KNOWN_PROGRAMS
    return text + _UNREACHABLE_IS_NO_FAULT + _writes(plan.public) + shut_in + _NETWORK + known


def _ingest(plan: JobPlan) -> str:
    """What it reads is from anybody on the network, and it needs nothing but its directories."""
    shut_in = _shut_in(private="yes", home="yes", umask="0077")
    command, limit = f"ingest --wait {_INGEST_WAIT_S}", str(_INGEST_LIMIT_S)
    text = _service(plan, "Reports of endpoints", command, limit=limit, unit=_NO_LIMIT)
    return text + _writes(plan.reports) + shut_in + _NO_NETWORK + _KNOWN_PROGRAMS


def _metrics(plan: JobPlan) -> str:
    """Where no collector was found there is no directory, and nothing is started."""
    shut_in = _shut_in(private="yes", home="yes", umask="0022")
    condition = f"ConditionPathIsDirectory={path_word(plan.metrics_directory)}\n"
    text = _service(plan, "Metrics of the fleet", "metrics --write", limit=str(_METRICS_LIMIT_S), unit=condition)
    return text + f"ReadWritePaths=-{path_word(plan.metrics_directory)}\n" + shut_in + _NO_NETWORK + _KNOWN_PROGRAMS


def _notify(plan: JobPlan) -> str:
    """A campaign takes as long as it takes: its deadlines are those of its settings."""
    text = _service(plan, "Notices to endpoints", "notify", limit="infinity")
    return text + (_writes(plan.orders) if plan.orders else "") + _notifies(plan)


def _notifies(plan: JobPlan) -> str:
    home = "read-only" if plan.key.startswith(HOMES) else "yes"
    return _shut_in(private=private_tmp([plan.key]), home=home, umask="0077") + _NETWORK + _KNOWN_PROGRAMS


def _publish(plan: JobPlan) -> str:
    home = "read-only" if plan.samples.startswith(HOMES) else "yes"
    shut_in = _shut_in(private=private_tmp((plan.samples,)), home=home, umask="0022")
    text = _service(plan, "Signatures that are to be renewed", "publish", limit="600")
    return text + _writes(plan.public, plan.reports) + shut_in + _NO_NETWORK + _KNOWN_PROGRAMS


def _promote(plan: JobPlan) -> str:
    """As publication; the notices that it begins are sent by their own timer. Reports start it, one at a time."""
    shut_in = _shut_in(private="yes", home="yes", umask="0022")
    text = _service(plan, "Decisions about staged rollouts", "promote", limit="900", unit=_NO_LIMIT)
    return text + _writes(plan.public) + shut_in + _NO_NETWORK + _KNOWN_PROGRAMS


def _ask(plan: JobPlan) -> str:
    """As notices; what endpoints answer goes to the inbox."""
    text = _service(plan, "Reports that endpoints are asked for", "ask-reports", limit=str(_ASK_LIMIT_S))
    return text + _ENDPOINT_IS_NO_FAULT + _writes(plan.reports) + _notifies(plan)


def _service(plan: JobPlan, description: str, command: str, *, limit: str, unit: str = "") -> str:
    return _SERVICE.format(
        description=description,
        unit=unit,
        user=plan.user,
        program=path_word(plan.program),
        command=command,
        limit=limit,
        state=plan.state_directory.rpartition("/")[2],
    )


def _writes(*paths: str) -> str:
    return "".join(f"ReadWritePaths={path_word(path)}\n" for path in paths)


def _shut_in(*, private: str, home: str, umask: str) -> str:
    return EVERY_SERVICE + _EVERY_JOB.format(private_tmp=private, home=home, umask=umask)


def _when(interval: Interval) -> str:
    """At its instants, and soon after a boot: who was off has missed them, and a new server should not wait."""
    instants = "".join(f"OnCalendar={one}\n" for one in intervals(interval.every, interval.phase))
    return instants + _WHATEVER_THE_CLOCK.format(again="OnUnitActiveSec", seconds=interval.every * 3 // 2)


def _every_minute() -> str:
    """A campaign takes its time, so the next minute counts from its end."""
    again = _WHATEVER_THE_CLOCK.format(again="OnUnitInactiveSec", seconds=_NOTIFY_AGAIN_S)
    return f"OnCalendar=minutely\n{again}"
