# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts of our systemd units."""

from __future__ import annotations

from ..._core.resources.resources import Directory
from ..._core.schedule.calendars import DailyCalendar
from ..._host.systemd.calendar import on_calendar
from ..._host.systemd.quoting import argument, path_word
from ..._host.systemd.timers import timer_text
from ..paths import NOTICE_SOCKET as SOCKET_PATH
from ..paths import unit_of_product
from ..time_limits import JOIN_MARGIN_S, SYNC_S
from . import (
    BOOT_TIMER,
    CONFIGURE_SERVICE,
    ENGINE_SERVICE,
    ENGINE_TIMER,
    LISTEN_SERVICE,
    NOTICE_SERVICE,
    NOTICE_SOCKET,
    RECONNECT_TIMER,
    REPORT_SERVICE,
    ROAMING_SERVICE,
    SCAN_SERVICE,
    SCHEDULE_SERVICE,
    SELFTEST_SERVICE,
    SYNC_SERVICE,
    SYNC_TIMER,
    UPDATE_SERVICE,
    UPDATE_TIMER,
)
from .job_plan import JobPlan
from .sandboxing import (
    for_configuring,
    for_engine,
    for_listening,
    for_notice,
    for_report,
    for_scan,
    for_selftest,
    for_switch,
    for_sync,
    for_update,
)

_MARGIN_S = 120
"""What the agent gets to end a run by itself before systemd kills it: its own limits come first and tell why."""
_SWITCH_LIMIT_S = 60
_REPORT_LIMIT_S = 60
_CONFIGURE_LIMIT_S = 600
_SELFTEST_LIMIT_S = 180
_BOOT_DELAY_S = 120
_BOOT_SPREAD_S = 600

_HEAD = """\
# Managed by the Ansible collection epp.autoupdate; changes are undone by the next converge.
"""

_UPDATE_SERVICE = """\
[Unit]
Description=Update of the protection components{of} (%i)
After=network-online.target nss-lookup.target time-sync.target{after}

[Service]
Type=oneshot
{preparations}ExecStart={agent} run --trigger %i{options}
# 75: the server is not reachable. Reported in the status; not a local failure.
SuccessExitStatus=75
TimeoutStartSec={limit}
"""

# systemd opens to the agent only what exists when the agent starts. So what is missing is made before, by an agent that
# is not shut in (+); it is not started where nothing is missing. The script is a constant. A failure (-) is not the
# end: the update says better what is wrong.
_MAKE_DIRECTORY = """\
ExecStartPre=-+/bin/sh -c 'test -d "$$2" || exec "$$1" prepare' {words}
"""

_SCAN_SERVICE = """\
[Unit]
Description=Scan after an update of the protection components{of}
After=time-sync.target{after}

[Service]
Type=oneshot
ExecStart={agent} scan{options}
TimeoutStartSec={limit}
Nice=19
CPUSchedulingPolicy=idle
IOSchedulingClass=idle
# The scheduling classes count inside the service's own control group, the weights between groups.
CPUWeight=1
IOWeight=1
"""

_SWITCH_SERVICE = """\
[Unit]
Description={description}

[Service]
Type=oneshot
ExecStart={agent} {command} %i
TimeoutStartSec={limit}
"""

_SELFTEST_SERVICE = """\
[Unit]
Description=Try what an update of the protection components{of} needs

[Service]
Type=oneshot
{preparations}ExecStart={agent} selftest{options}
# 1: it found an error, which the converge that asked for the test tells.
SuccessExitStatus=1
TimeoutStartSec={limit}
"""

_REPORT_SERVICE = """\
[Unit]
Description=Report of this endpoint to its update server

[Service]
Type=oneshot
ExecStart={agent} report --due
TimeoutStartSec={limit}
"""

_SYNC_SERVICE = """\
[Unit]
Description=Ask the update server for this endpoint's configuration
After=network-online.target nss-lookup.target time-sync.target

[Service]
Type=oneshot
ExecStart={agent} sync --due
# 75: the server could not be reached, 65: what it publishes is refused. Both are told in the status.
SuccessExitStatus=65 75
TimeoutStartSec={limit}
"""

_CONFIGURE_SERVICE = """\
[Unit]
Description=Converge this endpoint to the configuration that it has adopted

[Service]
Type=oneshot
ExecStart={agent} sync --adopted
TimeoutStartSec={limit}
"""

# A stop, or a shutdown, asks the agent alone, which lets an installation come to its end.
_ENGINE_SERVICE = """\
[Unit]
Description=Upgrade of the packages of the protection product's engine
After=network-online.target nss-lookup.target time-sync.target

[Service]
Type=oneshot
ExecStart={agent} engine --due
# 75: the package sources are not reachable. Reported in the status; not a local failure.
SuccessExitStatus=75
TimeoutStartSec={limit}
KillMode=mixed
TimeoutStopSec={stop}
"""

# Whatever comes is verified here, and carried out by the unit of notices. Where the broker, its files or the network
# are not there, this waits for them; an agent or a document that has changed has it end, to be started anew.
_LISTEN_SERVICE = """\
[Unit]
Description=Listen for the update server's orders at the message broker
After=network-online.target nss-lookup.target time-sync.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart={agent} listen
Restart=always
RestartSec=10
"""
_AT_BOOT = """
[Install]
WantedBy=multi-user.target
"""

# One instance carries out one notice: its line comes by the connection, and its answer goes there.
_NOTICE_SERVICE = """\
[Unit]
Description=Carry out a notice of the update server
After=network-online.target nss-lookup.target time-sync.target{after}
CollectMode=inactive-or-failed

[Service]
{preparations}ExecStart={agent} notice
StandardInput=socket
StandardOutput=socket
StandardError=journal
RuntimeMaxSec={limit}
"""

# The server has one notice under way on an endpoint; more come only when it asks again what became of one.
_NOTICE_SOCKET = """\
[Unit]
Description=The update server's notices

[Socket]
ListenStream={path}
SocketUser=root
SocketGroup={group}
SocketMode=0660
DirectoryMode=0755
Accept=yes
MaxConnections=16
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
"""


def unit_texts(plan: JobPlan) -> dict[str, str]:
    """Every unit that the plan needs, by name: services, then timers, then sockets.

    The services of updates, scans, switches, reports and the self-test exist whatever the policy is. A user's right to
    start a unit must never outlive its file: newer systemd asks the same question ("start" this name) for a transient
    unit, whose command line is the caller's. No user may start the one of engine packages, which policy brings.
    """
    texts = {**_service_texts(plan), **_timer_texts(plan), **_socket_texts(plan)}
    for one in plan.further:
        texts.update({unit_of_product(name, one.instance): text for name, text in _product_texts(one).items()})
        texts.update({unit_of_product(name, one.instance): text for name, text in _timer_texts(one).items()})
    return texts


def _service_texts(plan: JobPlan) -> dict[str, str]:
    report = _REPORT_SERVICE.format(agent=path_word(plan.agent), limit=_REPORT_LIMIT_S)
    managed = {} if plan.configuration is None else _managed_texts(plan)
    notice = {} if plan.notices is None else {NOTICE_SERVICE: _notice_text(plan)}
    return {
        **managed,
        **notice,
        **({LISTEN_SERVICE: _listen_text(plan)} if plan.listens else {}),
        **({} if plan.engine is None else {ENGINE_SERVICE: _engine_text(plan)}),
        **_product_texts(plan),
        REPORT_SERVICE: _HEAD + report + for_report(plan),
        SCHEDULE_SERVICE: _switch_text(plan, "schedule", "The user's switch of scheduled update (%i)"),
        ROAMING_SERVICE: _switch_text(plan, "roaming", "The user's switch of roaming (%i)"),
    }


def _product_texts(plan: JobPlan) -> dict[str, str]:
    """The services of one product, by the names that those of an endpoint's first one have."""
    words = {"agent": path_word(plan.agent), "options": "".join(f" {argument(word)}" for word in plan.options)}
    words["of"] = f" of {plan.instance}" if plan.instance else ""
    after, made = _after(plan), _preparations(plan)
    update = _UPDATE_SERVICE.format(after=after, limit=_update_limit(plan), preparations=made, **words)
    selftest = _SELFTEST_SERVICE.format(limit=_SELFTEST_LIMIT_S, preparations=made, **words)
    scan = _SCAN_SERVICE.format(after=after, limit=plan.scan_limit + _MARGIN_S, **words)
    return {
        UPDATE_SERVICE: _HEAD + update + for_update(plan),
        SCAN_SERVICE: _HEAD + scan + for_scan(plan),
        SELFTEST_SERVICE: _HEAD + selftest + for_selftest(plan),
    }


def _update_limit(plan: JobPlan) -> int:
    return plan.max_start_delay + plan.update_limit + _MARGIN_S


def _after(plan: JobPlan) -> str:
    return "".join(f" {unit}" for unit in plan.needs.after_units)


def _preparations(plan: JobPlan) -> str:
    return "".join(_preparation(plan.agent, directory) for directory in plan.needs.creates)


def _managed_texts(plan: JobPlan) -> dict[str, str]:
    agent = path_word(plan.agent)
    sync = _SYNC_SERVICE.format(agent=agent, limit=2 * SYNC_S + _MARGIN_S)
    configure = _CONFIGURE_SERVICE.format(agent=agent, limit=_CONFIGURE_LIMIT_S)
    return {SYNC_SERVICE: _HEAD + sync + for_sync(plan), CONFIGURE_SERVICE: _HEAD + configure + for_configuring()}


def _engine_text(plan: JobPlan) -> str:
    limit = plan.engine_limit + _MARGIN_S
    text = _ENGINE_SERVICE.format(agent=path_word(plan.agent), limit=limit, stop=plan.update_limit)
    return _HEAD + text + for_engine()


def _listen_text(plan: JobPlan) -> str:
    return _HEAD + _LISTEN_SERVICE.format(agent=path_word(plan.agent)) + for_listening(plan) + _AT_BOOT


def _notice_text(plan: JobPlan) -> str:
    """It may wait for another notice first, and for another run; then it is an update as any other."""
    words = {"after": _after(plan), "preparations": _preparations(plan)}
    text = _NOTICE_SERVICE.format(agent=path_word(plan.agent), limit=2 * (_update_limit(plan) + JOIN_MARGIN_S), **words)
    return _HEAD + text + for_notice(plan)


def _timer_texts(plan: JobPlan) -> dict[str, str]:
    """Only a window can be come late to, so intervals have no boot timer (S4)."""
    wanted = {
        UPDATE_TIMER: plan.calendar is not None,
        BOOT_TIMER: isinstance(plan.calendar, DailyCalendar),
        RECONNECT_TIMER: plan.reconnect_probe is not None,
        SYNC_TIMER: plan.configuration is not None,
        ENGINE_TIMER: plan.engine is not None,
    }
    return {name: _TIMERS[name](plan) for name, needed in wanted.items() if needed}


def _socket_texts(plan: JobPlan) -> dict[str, str]:
    if plan.notices is None:
        return {}
    return {NOTICE_SOCKET: _HEAD + _NOTICE_SOCKET.format(path=SOCKET_PATH, group=plan.notices)}


def _preparation(agent: str, directory: Directory) -> str:
    words = ("epp-update", agent, directory.path)
    return _MAKE_DIRECTORY.format(words=" ".join(argument(word) for word in words))


def _update_timer(plan: JobPlan) -> str:
    expressions = () if plan.calendar is None else on_calendar(plan.calendar)
    lines = "".join(f"OnCalendar={expression}\n" for expression in expressions)
    # A slot that was missed is not made up for by the scheduler (S4). A timer that has not elapsed yet reckons from the
    # time of its start: where the clock was years ahead then, it would stay there. So a change of the clock wakes the
    # agent, which finds nothing due, and systemd reckons from now.
    when = f"{lines}OnClockChange=true\nPersistent=false\n"
    return _timer_text(plan, "Scheduled update at this endpoint's own instant", when, "schedule")


def _boot_timer(plan: JobPlan) -> str:
    return _timer_text(plan, "Scheduled update of an endpoint that comes late", "OnBootSec=60s\n", "schedule")


def _reconnect_timer(plan: JobPlan) -> str:
    when = f"OnActiveSec=15s\nOnUnitInactiveSec={plan.reconnect_probe}s\n"
    return _timer_text(plan, "Update when the server is reached again", when, "reconnect")


def _sync_timer(plan: JobPlan) -> str:
    calendar = plan.configuration
    expressions = () if calendar is None else on_calendar(calendar)
    delay = _BOOT_DELAY_S + (0 if calendar is None else calendar.phase % _BOOT_SPREAD_S)
    lines = "".join(f"OnCalendar={expression}\n" for expression in expressions)
    # A machine that is always off at its instant asks after it has started; the agent knows whether that is due.
    # Persistent=true would leave a stamp file of systemd's behind.
    when = f"{lines}OnBootSec={delay}s\nOnClockChange=true\nPersistent=false\n"
    description = "Ask for the configuration once a day where no schedule does"
    return _HEAD + timer_text(description, when=when, unit=SYNC_SERVICE)


def _engine_timer(plan: JobPlan) -> str:
    expressions = () if plan.engine is None else on_calendar(plan.engine)
    lines = "".join(f"OnCalendar={expression}\n" for expression in expressions)
    # A window is told by the agent: the timer only wakes it, at this endpoint's own second of the hour.
    when = f"{lines}OnClockChange=true\nPersistent=false\n"
    description = "Look whether the engine's packages are to be upgraded"
    return _HEAD + timer_text(description, when=when, unit=ENGINE_SERVICE)


_TIMERS = {
    UPDATE_TIMER: _update_timer,
    BOOT_TIMER: _boot_timer,
    RECONNECT_TIMER: _reconnect_timer,
    SYNC_TIMER: _sync_timer,
    ENGINE_TIMER: _engine_timer,
}


def _timer_text(plan: JobPlan, description: str, when: str, trigger: str) -> str:
    unit = unit_of_product(UPDATE_SERVICE.replace("@", f"@{trigger}"), plan.instance)
    whose = f" ({plan.instance})" if plan.instance else ""
    return _HEAD + timer_text(f"{description}{whose}", when=when, unit=unit)


def _switch_text(plan: JobPlan, command: str, description: str) -> str:
    text = _SWITCH_SERVICE.format(
        description=description, agent=path_word(plan.agent), command=command, limit=_SWITCH_LIMIT_S
    )
    return _HEAD + text + for_switch(plan)
