# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scheduled tasks on real schedulers: they fire, at the planned second, and leave nothing behind (S1, S3-S5, S7)."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import lab_documents as documents
import pytest
from lab_ansible import Ansible
from lab_cases import cases
from lab_nodes import Node, eventually

MINUTELY, PLANNED, CRON = "n1", "n2", "b1"
TIMER = "epp-update.timer"
SERVICES = (
    "epp-update@schedule.service",
    "epp-scan.service",
    "epp-schedule@disable.service",
    "epp-roaming@on.service",
)


@pytest.fixture(scope="module")
def minutely(ansible: Ansible) -> float:
    """Since when a systemd machine and a bare one update every minute; the last test looks whether they did."""
    schedule = {"frequency": "minutes", "interval": 1}
    wanted = {name: documents.command(name, policy={"schedule": schedule}) for name in (MINUTELY, CRON)}
    ansible.converge(wanted).demand()
    return time.time()


@pytest.fixture(scope="module")
def planned(node: Callable[[str], Node], ansible: Ansible, minutely: float) -> Node:
    """A systemd machine with the agent, for schedules that no test can wait for."""
    ansible.converge({PLANNED: documents.command(PLANNED)}).demand()
    return node(PLANNED)


SUDOERS = "/etc/sudoers.d/epp-autoupdate"
SCHEDULES = {
    "daily": {"frequency": "daily", "start": "12:00", "window": "2h"},
    "daily over midnight in a zone": {
        "frequency": "daily",
        "start": "23:30",
        "window": "3h",
        "timezone": "America/New_York",
    },
    "daily in the hosts zone": {"frequency": "daily", "start": "06:00", "window": "10m", "timezone": "local"},
    "weekly": {"frequency": "weekly", "day": "sunday", "start": "23:30", "window": "90m"},
    "weekly in a zone": {
        "frequency": "weekly",
        "day": "wednesday",
        "start": "00:10",
        "window": "6h",
        "timezone": "Asia/Kolkata",
    },
}


@pytest.mark.parametrize("schedule", cases(SCHEDULES, "daily over midnight in a zone", "weekly"))
def test_systemd_elapses_next_at_the_planned_second(planned: Node, schedule: dict[str, Any]) -> None:
    """S3, S5: what systemd says is the slot of the plan, inside the window."""
    planned.apply(documents.command(PLANNED, policy={"schedule": schedule}))
    slot = documents.instant(planned.agent_status()["next_run"])
    assert next_elapse(planned) == slot
    assert 0 <= slot - window_start(schedule, before=slot) < seconds(schedule["window"])
    assert slot > time.time()


def test_a_schedule_may_be_changed_as_often_as_somebody_tries(planned: Node) -> None:
    """systemd refuses the sixth start in ten seconds of a unit that sets no limit of its own."""
    planned.run("for i in 1 2 3 4 5 6 7 8; do systemctl restart epp-update.timer epp-boot.timer || exit 1; done")
    assert planned.run(["systemctl", "is-active", "epp-update.timer"]).out.strip() == "active"


@pytest.mark.parametrize("form", ["cp", "ln -s"])
def test_the_local_zone_is_the_clock_s_in_whatever_form(planned: Node, form: str) -> None:
    """S3: systemd and the agent mean the same second, also with a copy for a link and another zone's name beside it."""
    zone = "/usr/share/zoneinfo/Asia/Kathmandu"
    planned.run("cp -P /etc/localtime /root/zone; cp /etc/timezone /root/name 2>/dev/null; echo UTC > /etc/timezone")
    try:
        planned.run(f"rm -f /etc/localtime; {form} {zone} /etc/localtime")
        planned.apply(documents.command(PLANNED, policy={"schedule": SCHEDULES["daily in the hosts zone"]}))
        shown = planned.run('date -d "$(systemctl show -P NextElapseUSecRealtime epp-update.timer)" +%H:%M').out
        assert next_elapse(planned) == documents.instant(planned.agent_status()["next_run"])
        assert "06:00" <= shown.strip() < "06:10"
    finally:
        planned.run("mv -f /root/zone /etc/localtime; mv -f /root/name /etc/timezone || rm -f /etc/timezone")


def test_even_slots_are_ordinal_times_a_step_near_the_golden_section(planned: Node) -> None:
    """S5, by what systemd says: slot = (ordinal * step) mod S, step coprime to S."""
    schedule = SCHEDULES["daily"]
    window = seconds(schedule["window"])
    slots = []
    for ordinal in (0, 1, 2, 10):
        planned.apply(documents.command(PLANNED, ordinal=ordinal, policy={"schedule": schedule}))
        elapse = next_elapse(planned)
        slots.append(elapse - window_start(schedule, before=elapse))
    step = slots[1]
    assert slots == [ordinal * step % window for ordinal in (0, 1, 2, 10)]
    assert math.gcd(int(step), window) == 1
    assert min(abs(step / window - golden) for golden in (0.381966, 0.618034)) < 0.01


def test_random_spread_wakes_the_agent_when_the_window_opens(planned: Node) -> None:
    """S5 random: the draw is the agent's, inside the window."""
    schedule = {**SCHEDULES["daily"], "spread": "random"}
    planned.apply(documents.command(PLANNED, policy={"schedule": schedule}))
    elapse = next_elapse(planned)
    assert elapse == window_start(schedule, before=elapse)


CHANGES_OF_CLOCKS = {
    # the local start; the start of that day's window in UTC, which is 24 h after the day before's, or the first pass
    "the skipped hour": ("2027-03-28", "2027-03-28T01:30:00Z"),
    "the doubled hour": ("2027-10-31", "2027-10-31T00:30:00Z"),
    "a plain day": ("2027-11-03", "2027-11-03T01:30:00Z"),
}


@pytest.mark.parametrize(("day", "start"), cases(CHANGES_OF_CLOCKS, "the skipped hour"))
def test_systemd_wakes_the_agent_on_days_when_clocks_change(planned: Node, day: str, start: str) -> None:
    """S7: no day is skipped, although systemd skips one whose local time does not exist."""
    schedule = {"frequency": "daily", "start": "02:30", "window": "20m", "timezone": "Europe/Berlin"}
    planned.apply(documents.command(PLANNED, policy={"schedule": schedule}))
    elapse = next_elapse(planned)
    slot = elapse - window_start(schedule, before=elapse)
    assert documents.instant(start) + slot in elapses(planned, day)


def test_interval_phases_differ_and_hold_the_grid(planned: Node) -> None:
    """S1: every five hours, at an instant of the grid that also crosses midnight."""
    phases = set()
    for ordinal in (0, 1, 2):
        schedule = {"frequency": "hours", "interval": 5}
        planned.apply(documents.command(PLANNED, ordinal=ordinal, policy={"schedule": schedule}))
        slot = documents.instant(planned.agent_status()["next_run"])
        # systemd wakes the agent on a grid that divides the day; the agent's own instant is one of those.
        assert next_elapse(planned) <= slot
        assert (slot - next_elapse(planned)) % 3600 == 0
        phases.add(slot % (5 * 3600))
    assert len(phases) == 3


def test_event_timers_follow_policy(planned: Node) -> None:
    """E2 on: the machine looks for its server; off: no such timer. S4: the boot timer is not started by a converge."""
    on = documents.command(PLANNED, policy={"events": {"update_on_reconnect": True}})
    planned.apply(on)
    assert active(planned, "epp-reconnect.timer")
    assert enabled(planned, "epp-boot.timer")
    assert not active(planned, "epp-boot.timer")
    planned.apply(documents.command(PLANNED))
    assert not active(planned, "epp-reconnect.timer")
    assert not planned.exists("/etc/systemd/system/epp-reconnect.timer")
    planned.apply(documents.command(PLANNED, policy={"schedule": {"frequency": "hours", "interval": 5}}))
    assert not planned.exists("/etc/systemd/system/epp-boot.timer")


def test_scheduled_update_off_by_policy_has_no_timer(planned: Node) -> None:
    """P1: nothing to fire where no switch of the user could ever let it run."""
    planned.apply(documents.command(PLANNED, policy={"privileges": {"scheduled_update": False}}))
    assert not active(planned, TIMER)
    assert planned.agent_status()["next_run"] is None
    planned.apply(documents.command(PLANNED))
    assert active(planned, TIMER)


def test_the_boot_brings_the_timers_back(planned: Node) -> None:
    planned.apply(documents.command(PLANNED, policy={"schedule": SCHEDULES["daily"]}))
    before = next_elapse(planned)
    planned.cut_power()
    planned.boot()
    planned.wait(f"systemctl is-active -q {TIMER}")
    assert next_elapse(planned) == before


def test_switching_schedulers_leaves_nothing_behind(planned: Node) -> None:
    everything_on = documents.command(PLANNED, policy={"events": {"update_on_reconnect": True}})
    planned.apply(everything_on)
    before = names_and_digests(planned)
    by_sudo = planned.exists(SUDOERS)  # a polkit that reads no rules, as Debian 11's, leaves the rights to sudo
    planned.apply({**everything_on, "scheduler": "cron"})
    assert planned.exists("/etc/cron.d/epp-autoupdate")
    assert not [path for path in planned.manifest() if path.startswith("/etc/systemd/") and "/epp-" in path]
    assert planned.run(["systemctl", "list-units", "--all", "--no-legend", "--plain", "epp-*"]).out == ""
    assert not planned.exists("/etc/polkit-1/rules.d/60-epp-autoupdate.rules")
    planned.apply(everything_on)
    assert not planned.exists("/etc/cron.d/epp-autoupdate")
    assert planned.exists(SUDOERS) == by_sudo
    assert names_and_digests(planned) == before


PRODUCTS: dict[str, Callable[[], documents.Document]] = {
    "clamav": lambda: documents.clamav(PLANNED, "http://127.0.0.1:1"),
    "files": lambda: documents.files(PLANNED, "http://127.0.0.1:1"),
    "command": lambda: documents.command(PLANNED),
}


@pytest.mark.parametrize("product", cases(list(PRODUCTS), "clamav"))
def test_units_are_clean_and_hardened(planned: Node, product: str) -> None:
    """systemd-analyze verify says nothing of our units; security exposure of every service is at most 3.0."""
    everything_on = documents.merged(PRODUCTS[product](), {"policy": {"events": {"update_on_reconnect": True}}})
    planned.apply(everything_on)
    verified = planned.run("systemd-analyze verify /etc/systemd/system/epp-*.* 2>&1", check=False)
    assert [line for line in verified.out.splitlines() if "epp-" in line] == []  # the rest is of the vendor's units
    assert verified.code == 0, verified.out
    exposures = {service: exposure(planned, service) for service in SERVICES}
    print(product, exposures)
    assert {service: value for service, value in exposures.items() if value > 3.0} == {}


@pytest.mark.parametrize("name", [MINUTELY, CRON])
def test_every_minute_it_really_runs(node: Callable[[str], Node], minutely: float, name: str) -> None:
    """The timer, or cron, fired by itself, at the endpoint's own second, and the run is in the status (S1, R2)."""
    machine = node(name)

    def scheduled_run() -> Any:
        run = machine.agent_status()["last"].get("schedule")
        return run if run and documents.instant(run["started"]) >= minutely - 1 else None

    run = eventually(scheduled_run, seconds=max(5.0, minutely + 100 - time.time()), why=f"a scheduled run on {name}")
    assert run["result"] == "current", run
    next_run = documents.instant(machine.agent_status()["next_run"])
    off_grid = (documents.instant(run["started"]) - next_run) % 60
    assert off_grid <= 3, f"started {off_grid} s after its second"


def next_elapse(node: Node) -> float:
    """What systemd itself says about the timer."""
    argv = [
        "env",
        "TZ=UTC",
        "systemctl",
        "show",
        "--timestamp=utc",
        "--property=NextElapseUSecRealtime",
        "--value",
        TIMER,
    ]
    text = node.run(argv).out.strip()
    return datetime.strptime(text, "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=timezone.utc).timestamp()


def elapses(node: Node, day: str) -> set[float]:
    """When systemd would wake the agent around that day, by its own reckoning."""
    unit = node.read(f"/etc/systemd/system/{TIMER}")
    expressions = re.findall(r"^OnCalendar=(.+)$", unit, re.MULTILINE)
    base = datetime.fromisoformat(day) - timedelta(hours=12)
    argv = ["env", "TZ=UTC", "systemd-analyze", "calendar", "--iterations=2", f"--base-time={base:%F %T} UTC"]
    output = node.run([*argv, *expressions]).out
    found = re.findall(r"(?:Next elapse|Iter\. #\d+|Iteration #\d+): \w{3} (\S+ \S+) UTC", output)
    assert found, output
    return {datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp() for text in found}


def window_start(schedule: dict[str, Any], *, before: float) -> float:
    """The last start of the window at or before an instant (no change of clocks in between)."""
    zone = ZoneInfo("UTC" if schedule.get("timezone", "UTC") == "local" else schedule.get("timezone", "UTC"))
    hour, minute = (int(part) for part in schedule["start"].split(":"))
    moment = datetime.fromtimestamp(before, zone)
    start = moment.replace(hour=hour, minute=minute, second=0, microsecond=0)
    while start > moment or (schedule["frequency"] == "weekly" and f"{start:%A}".lower() != schedule["day"]):
        start -= timedelta(days=1)
    return start.timestamp()


def seconds(text: str) -> int:
    return int(text[:-1]) * {"m": 60, "h": 3600}[text[-1]]


def active(node: Node, unit: str) -> bool:
    return node.run(["systemctl", "is-active", "-q", unit], check=False).code == 0


def enabled(node: Node, unit: str) -> bool:
    return node.run(["systemctl", "is-enabled", "-q", unit], check=False).code == 0


def exposure(node: Node, service: str) -> float:
    output = node.run(["systemd-analyze", "security", "--no-pager", service], check=False).out
    match = re.search(r"Overall exposure level for .*: (\d+\.\d+)", output)
    assert match, output
    return float(match[1])


def names_and_digests(node: Node) -> dict[str, str]:
    """Paths of ours below /etc and /usr, with what they hold."""
    own = {path: facts.split() for path, facts in node.manifest().items() if "epp-" in path and path[:5] != "/var/"}
    return {path: " ".join((facts[0], facts[-1])) for path, facts in own.items()}
