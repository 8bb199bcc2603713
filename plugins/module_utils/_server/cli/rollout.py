# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands ``promote`` and ``rollout`` of ``epp-server``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from ..._core.durations import format_duration
from ..._core.exit_codes import DONE, FAILED
from ..._core.rings.by_hand import NotPossible
from ..._core.rings.simulate import Assumptions
from ..._core.untrusted_text import shown
from ..._core.validation.errors import InvalidDocument, ValidationError
from ..._host.local_host import LocalHost
from ..._host.output import write_lines, write_logged
from ..database.database import open_copy, open_database
from ..rollout.actions import Acted, Action, RequestedAction, act
from ..rollout.decisions import sentence
from ..rollout.preview import plain, preview
from ..rollout.promote import Promoted, promote
from ..rollout.status import EVENTS, rollouts
from .output import print_json, print_table, seconds

_WORDS = {
    Action.RESUME: "go on with a halted version; its rings are offered it anew",
    Action.ABORT: "take a version back that rings try, and hold it",
    Action.HOLD: "take any version back everywhere, and hold it",
    Action.RELEASE: "lift a hold",
    Action.EXPEDITE: "offer a version to all rings at once",
}
_SHARES = {
    "failing": "percent of the endpoints whose update fails",
    "lost": "percent that are not heard of after it",
    "off": "percent that do not take part",
}
_COURSE = ("RING", "ENDPOINTS", "OFFERED AFTER", "PASSED AFTER", "BEGIN IT")
_HEAD = ("RING", "PHASE", "OFFERED", "TRIES", "ENDPOINTS", "HEALTHY", "FAILED", "PENDING", "NEXT")


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to a command line; each sets ``run`` to its function."""
    parser = commands.add_parser("promote", help="decide about staged rollouts, and offer versions to the next rings")
    parser.add_argument("--json", action="store_true", help="report as one JSON document")
    parser.set_defaults(run=run_promote)
    parser = commands.add_parser("rollout", help="show staged rollouts, or decide about one by hand")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    shows = actions.add_parser("status", help="where each ring of each product stands")
    shows.add_argument("--events", type=int, default=EVENTS, metavar="N", help=f"decisions to list ({EVENTS})")
    shows.add_argument("--json", action="store_true", help="report as one JSON document")
    shows.set_defaults(run=run_status)
    sees = actions.add_parser("preview", help="what would become of a new version, by assumptions")
    sees.add_argument("--within", default="1d", metavar="TIME", help="how long after an offer all have updated (1d)")
    for name, words in _SHARES.items():
        sees.add_argument(f"--{name}", type=_share, default=0.0, metavar="PERCENT", help=f"{words} (0)")
    sees.add_argument("--json", action="store_true", help="report as one JSON document")
    sees.set_defaults(run=run_preview)
    for action, words in _WORDS.items():
        one = actions.add_parser(action.value, help=words)
        one.add_argument("version", nargs="?", default="", help="the version; default: the only one that can be meant")
        one.add_argument("--product", default="", help="the product; default: the only one that has rings")
        one.add_argument("--reason", required=True, help="why; it is kept, and endpoints report it")
        one.add_argument("--by", default="", help="who decided; default: the account that called")
        one.add_argument("--check", action="store_true", help="change nothing, and tell what would change")
        one.add_argument("--json", action="store_true", help="report as one JSON document")
        one.set_defaults(run=run_order)


def run_promote(host: LocalHost, options: argparse.Namespace) -> int:
    """Decide, and bring it about; the timer's command."""
    with closing(open_database(host)) as connection:
        done = promote(host, connection)
    if options.json:
        print_json([_promoted(one) for one in done])
    else:
        write_logged(list(_decisions(done)) or ["promote: nothing to decide"])
    return DONE


def run_status(host: LocalHost, options: argparse.Namespace) -> int:
    """Where the rollouts stand; changes nothing."""
    with closing(open_copy(host)) as connection:
        found = rollouts(host, connection, events=max(0, options.events))
    if options.json:
        print_json(found)
        return DONE
    if not found:
        write_lines(["rollout: no product has rings"])
    for one in found:
        write_lines(_heading(one))
        print_table([_HEAD, *map(_row, one["rings"])])
        write_lines([*_stops(one), *_events(one)])
    return DONE


def run_preview(host: LocalHost, options: argparse.Namespace) -> int:
    """The course of a version on a virtual clock; changes nothing."""
    within, shares = seconds(options.within), {name: getattr(options, name) for name in _SHARES}
    with closing(open_copy(host)) as connection:
        found = plain(preview(host, connection, Assumptions(update_within=int(within), **shares)))
    if options.json:
        print_json(found)
        return DONE
    if not found:
        write_lines(["rollout: no product has rings"])
    for one in found:
        end = format_duration(int(one["end"]))
        ends = f"halted after {end} ({one['reason']})" if one["halted"] else f"through after {end}"
        write_lines([f"{one['product']}: {ends}; {one['begun']} endpoints begin the version"])
        print_table([_COURSE, *map(_course, one["rings"])])
    return DONE


def _course(ring: Mapping[str, Any]) -> tuple[str, ...]:
    times = ["-" if ring[key] is None else format_duration(int(ring[key])) for key in ("offered", "passed")]
    return (ring["name"], str(ring["endpoints"]), *times, str(ring["begun"]))


def _share(text: str) -> float:
    """A percentage as a share."""
    found = float(text)
    if not 0 <= found <= 100:
        raise ValueError(text)
    return found / 100


def run_order(host: LocalHost, options: argparse.Namespace) -> int:
    """Carry out what somebody decided."""
    if not options.reason.strip():
        raise InvalidDocument((ValidationError("--reason", "an empty text", "a sentence that says why"),))
    order = RequestedAction(
        Action(options.action),
        options.product,
        options.version,
        shown(options.reason.strip()),
        shown(options.by or _caller()),
    )
    opened = open_copy(host) if options.check else open_database(host)
    with closing(opened) as connection:
        try:
            done = act(host, connection, order, check=options.check)
        except NotPossible as error:
            if options.json:
                print_json({"failed": True, "changed": False, "msg": str(error)})
                return FAILED
            raise
    if options.json:
        print_json(done.to_dict())
    else:
        write_lines(list(_acted(done, check=options.check)))
    return DONE


def _caller() -> str:
    """The account behind the call: root became it through sudo, or is itself."""
    return next((os.environ[name] for name in ("SUDO_USER", "LOGNAME", "USER") if os.environ.get(name)), "root")


def _promoted(one: Promoted) -> dict[str, Any]:
    events = [
        {"version": event.version, "ring": event.ring, "kind": event.kind.value, "reason": event.reason}
        for event in one.events
    ]
    return {"product": one.product, "events": events, "campaigns": list(one.campaigns)}


def _decisions(done: list[Promoted]) -> Iterator[str]:
    for one in done:
        for event in one.events:
            plain = {"product": one.product, "version": event.version, "ring": event.ring, "kind": event.kind.value}
            yield sentence({**plain, "reason": event.reason, "evidence": event.evidence})


def _heading(one: Mapping[str, Any]) -> list[str]:
    dry = "; dry run: all endpoints are offered the newest version" if one["dry_run"] else ""
    published = f", published {one['published']}" if one["published"] else ""
    return [f"{one['product']}: newest version {one['newest'] or 'none'}{published}{dry}"]


def _row(ring: Mapping[str, Any]) -> tuple[str, ...]:
    counts = ring["counts"] or {}
    numbers = [str(counts[key]) if key in counts else "-" for key in ("healthy", "failed", "pending")]
    coming = ring["next"] or (f"after {ring['bake_ends']}" if ring["bake_ends"] else "-")
    return (
        ring["name"],
        ring["phase"],
        ring["offered"] or "-",
        ring["candidate"] or "-",
        str(ring["endpoints"]),
        *numbers,
        coming,
    )


def _stops(one: Mapping[str, Any]) -> Iterator[str]:
    for stop in one["stops"]:
        where = f" in {stop['ring']}" if stop["ring"] else ""
        who = f" by {stop['by']}" if stop["by"] else ""
        back = f"; endpoints go back to {stop['restore']}" if stop["restore"] else ""
        yield shown(f"{stop['version']} {stop['kind']}{where}{who} since {stop['since']}: {stop['reason']}{back}")
        yield from (f"  {command}" for command in stop["commands"])


def _events(one: Mapping[str, Any]) -> Iterator[str]:
    for event in reversed(one["events"]):
        yield f"{event['at']}  {sentence(event)}"


def _acted(done: Acted, *, check: bool) -> Iterator[str]:
    order = done.order
    if not done.changed:
        yield f"rollout: {order.product} {order.version}: nothing to {order.action.value}, it is so already"
        return
    would = "would be " if check else ""
    yield f"rollout: {order.product} {order.version}: {would}{_PAST[order.action]} by {order.by} ({order.reason})"
    after = done.to_dict()["after"]
    for ring, version in after["offered"].items():
        if version != done.to_dict()["before"]["offered"].get(ring):
            yield f"  {ring} {would}offered {version or 'nothing'}"


_PAST = {
    Action.RESUME: "resumed",
    Action.ABORT: "aborted",
    Action.HOLD: "held",
    Action.RELEASE: "released",
    Action.EXPEDITE: "expedited",
}
