# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event source ``epp.autoupdate.endpoints``: an event for each endpoint that comes into a state.

It asks the update server itself, so neither Prometheus nor Alertmanager is needed. It imports nothing but the standard
library: ansible-rulebook does not have the collection on its path.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import Any

DOCUMENTATION = r"""
---
short_description: Endpoints of an update server that come into a state
description:
  - Asks the update server for its endpoints at an interval, and makes an event of each that has come into one of the
    states since it was asked last. The first answer makes an event of each that is in one.
  - An event has C(endpoint), C(state), C(reason), C(since), C(domain), and the state C(before), empty at first.
  - Where the server does not answer, this is logged, and it is asked again.
options:
  states:
    description:
      - The states that make events, as M(epp.autoupdate.fleet_info) explains them.
    type: list
    elements: str
    default: [failing]
  command:
    description:
      - What prints the list of C(epp-server endpoints --json). For another host, begin with C(ssh) and its name.
    type: list
    elements: str
    default: [sudo, -n, -u, epp-server, --, /usr/local/bin/epp-server, endpoints, --json]
  interval:
    description:
      - Seconds between the end of an answer and the next question, 1 at least.
    type: float
    default: 60
  timeout:
    description:
      - Seconds after which an answer is no longer waited for.
    type: float
    default: 60
"""

EXAMPLES = r"""
- epp.autoupdate.endpoints:
    states: [failing]
    command: [ssh, reader@updates.example.com, sudo, -n, -u, epp-server, /usr/local/bin/epp-server, endpoints, --json]
    interval: 300
"""

STATES = ("failing", "refusing", "silent", "behind", "never_seen", "switched_off", "roaming", "current")
_COMMAND = ("sudo", "-n", "-u", "epp-server", "--", "/usr/local/bin/epp-server", "endpoints", "--json")
_LARGEST = 256 * 1024 * 1024
_CHUNK = 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}")
_LONGEST = 500
_OPTIONS = frozenset({"states", "command", "interval", "timeout"})
_log = logging.getLogger(__name__)


class NoAnswer(RuntimeError):
    """The server told no list of endpoints; the message says why."""


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Ask for ever, and put the events into the queue; raises ValueError for options that make no sense."""
    states, command, interval, timeout = _options(args)
    before: dict[str, str] = {}
    while True:
        try:
            listed = await _asked(command, timeout)
        except NoAnswer as why:
            _log.warning("the update server was not asked: %s", why)
        else:
            for event in came_into(states, before, listed):
                await queue.put(event)
            before = {one["endpoint"]: one["state"] for one in listed}
        await asyncio.sleep(interval)


def came_into(states: frozenset[str], before: dict[str, str], now: list[dict[str, str]]) -> list[dict[str, str]]:
    """The endpoints that are in one of the states and were not in the same one before, as events."""
    told = ({**one, "before": before.get(one["endpoint"], "")} for one in now)
    return [one for one in told if one["state"] in states and one["state"] != one["before"]]


def parse(content: bytes) -> list[dict[str, str]]:
    """What the command printed, as endpoints; entries that make no sense are left out. Raises NoAnswer."""
    try:
        listed = json.loads(content.strip().rpartition(b"\n")[2])  # a login shell may say something before it
    except (ValueError, RecursionError):
        raise NoAnswer("its answer is not JSON") from None
    if not isinstance(listed, list):
        raise NoAnswer("its answer is no list of endpoints")
    return [found for found in map(_endpoint, listed) if found is not None]


def _endpoint(raw: object) -> dict[str, str] | None:
    if not isinstance(raw, dict):
        return None
    name, state = raw.get("name"), raw.get("state")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or state not in STATES:
        return None
    return {"endpoint": name, "state": state, **{key: _shown(raw.get(key)) for key in ("reason", "since", "domain")}}


def _shown(raw: object) -> str:
    """One line of text without anything that acts on a screen or begins a template."""
    text = raw[:_LONGEST] if isinstance(raw, str) else ""
    return "".join(one if one.isprintable() else "?" for one in text).replace("{{", "{ {").replace("{%", "{ %")


async def _asked(command: list[str], timeout: float) -> list[dict[str, str]]:
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise NoAnswer(f"{command[0]} can't be started: {error.strerror}") from error
    try:
        printed, complaint = await asyncio.wait_for(_output(process), timeout)
    except (asyncio.TimeoutError, TimeoutError):
        raise NoAnswer(f"there was no answer within {timeout:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        lines = complaint.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
        raise NoAnswer(_shown(lines[0]))
    return parse(printed)


async def _output(process: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    """What a process prints to its end, and what it complains of; raises NoAnswer for more than a list can have."""
    out, err = process.stdout, process.stderr
    if out is None or err is None:
        raise NoAnswer("it was started without pipes")
    printed, complaint = await asyncio.gather(_bounded(out, _LARGEST), _bounded(err, _CHUNK))
    if len(printed) > _LARGEST:
        raise NoAnswer(f"its answer is larger than {_LARGEST} bytes, and so no list of endpoints")
    await process.wait()
    return printed, complaint


async def _bounded(stream: asyncio.StreamReader, most: int) -> bytes:
    """All of a stream, or a little more than ``most`` of it."""
    found = b""
    while len(found) <= most and (chunk := await stream.read(_CHUNK)):
        found += chunk
    return found


def _options(args: dict[str, Any]) -> tuple[frozenset[str], list[str], float, float]:
    unknown = sorted(set(args) - _OPTIONS)
    if unknown:
        raise ValueError(f"{unknown[0]} is no option of this source; it has {', '.join(sorted(_OPTIONS))}")
    states = args.get("states", ["failing"])
    if not isinstance(states, list) or not states or not set(map(str, states)) <= set(STATES):
        raise ValueError(f"states: {states!r} is not a list of some of {', '.join(STATES)}")
    command = args.get("command", list(_COMMAND))
    if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
        raise ValueError(f"command: {command!r} is not a list of words (try [ssh, updates.example.com, ...])")
    return frozenset(states), command, _seconds(args, "interval"), _seconds(args, "timeout")


def _seconds(args: dict[str, Any], name: str) -> float:
    value = args.get(name, 60)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value <= 86400:
        raise ValueError(f"{name}: {value!r} is not a number of seconds from 1 to 86400")
    return float(value)
