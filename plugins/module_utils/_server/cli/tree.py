# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands ``tree`` and ``register`` of ``epp-server``."""

from __future__ import annotations

import argparse
import json
import sqlite3
import syslog
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Callable

from ..._core.audit.entry import Note
from ..._core.exit_codes import DONE
from ..._core.policy.change import TreeChange
from ..._core.policy.of_products import PRODUCTS
from ..._core.policy.overrides import flat
from ..._core.settings.registration import Registration
from ..._host.local_host import LocalHost
from ..._host.output import write_lines
from ..audit.changes import policy_changed, record_published, tree_changed
from ..audit.log import record
from ..campaigns.store import drop_endpoints, mark_reachable
from ..database.database import open_copy, open_database, transaction
from ..enrollment import enrollment_of
from ..fleet.dirty_shards import counted
from ..fleet.edit import set_values
from ..fleet.explain import explain
from ..fleet.nodes import read_nodes
from ..fleet.registry import RegistrationResult, register
from ..publication.publish import publication_lock, publish
from ..reports.places import update_places
from ..reports.records import forget
from .output import print_json, print_table, read_stdin_json, report_rejections

Work = Callable[[sqlite3.Connection], Any]

_CHANGE = """\
Sets values at one node, removes the keys of inherit from it, and publishes.
An example of the document on standard input:

  {"scope": "domain", "name": "emea",
   "values": {"schedule": {"window": "2h"}}, "inherit": ["schedule.start"]}

scope is root, domain or endpoint. At root, "apply_to": "future_domains" leaves
existing domains and endpoints as they are.
"""
_REGISTRATION = """\
Registers the domains and endpoints of a document, and publishes. Others stay as
they are. An example of the document on standard input:

  {"domains": {"emea": {"schedule": {"start": "22:00"}}},
   "endpoints": [{"name": "pc-17", "domain": "emea",
                  "address": "pc-17.example.com:22"}]}

"absent": ["pc-18"] removes endpoints. "purge": true removes all endpoints that
are not in the list.
"""


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to a command line; each sets ``run`` to its function."""
    _add_tree(commands.add_parser("tree", help="show and change the policies of the client tree"))
    words = "register domains and endpoints from a JSON document"
    many = commands.add_parser("register", help=words, description=_REGISTRATION)
    many.add_argument("--check", action="store_true", help="change nothing, report what would change")
    many.add_argument("--enrollment", action="store_true", help="add the data that endpoints need to enroll")
    many.set_defaults(run=run_register)


def _add_tree(tree: argparse.ArgumentParser) -> None:
    verbs = tree.add_subparsers(dest="verb", required=True, metavar="VERB")
    words = "set values at a node from a JSON document"
    change = verbs.add_parser("set", help=words, description=_CHANGE)
    change.add_argument("--check", action="store_true", help="change nothing, report what would change")
    change.set_defaults(run=run_set)
    show = verbs.add_parser("show", help="show what root and domains set")
    show.set_defaults(run=run_show)
    explained = verbs.add_parser("explain", help="show the policy of an endpoint and the source of each value")
    explained.add_argument("endpoint", help="the name of the endpoint")
    explained.set_defaults(run=run_explain)
    change.add_argument("--json", action="store_true", help="no effect: the result is always JSON")
    for parser in (show, explained):
        parser.add_argument("--json", action="store_true", help="report as one JSON document")


def run_set(host: LocalHost, options: argparse.Namespace) -> int:
    """Change what one node sets, and publish."""
    with report_rejections() as refused:
        wanted = TreeChange.from_dict(read_stdin_json())
        made = _change(
            host,
            lambda connection: set_values(connection, wanted),
            lambda result: policy_changed(wanted, result),
            check=options.check,
        )
        if made["changed"] and not options.check:
            keys = ", ".join([*flat(wanted.values), *(f"{key} (inherited)" for key in wanted.inherit)])
            host.log(syslog.LOG_NOTICE, f"tree: {wanted.scope.value} {wanted.name}: {keys}")
        print_json(made)
    return refused.status


def run_register(host: LocalHost, options: argparse.Namespace) -> int:
    """Register in bulk, and publish."""
    with report_rejections() as refused:
        wanted = Registration.from_dict(read_stdin_json())
        made = _change(
            host, lambda connection: _register(connection, wanted, host.now()), tree_changed, check=options.check
        )
        if made["changed"] and not options.check:
            host.log(syslog.LOG_NOTICE, f"registry: changed, {made['registered']} endpoints are registered")
        print_json({**made, **({"enrollment": enrollment_of(host, check=options.check)} if options.enrollment else {})})
    return refused.status


def _register(connection: sqlite3.Connection, wanted: Registration, now: float) -> RegistrationResult:
    """Register, and let campaigns follow in the same transaction."""
    outcome = register(connection, wanted, now=now)
    forget(connection, outcome.removed)
    drop_endpoints(connection, outcome.removed, now)
    mark_reachable(connection, outcome.rerouted, now)
    return outcome


def _change(host: LocalHost, work: Work, note: Callable[[Mapping[str, Any]], Note], *, check: bool) -> dict[str, Any]:
    """Do the work in one transaction and publish what follows; with ``check`` on a copy that is thrown away.

    A change is written down before it is made: what can't be written down is not done.
    """
    if check:
        with closing(open_copy(host)) as copy, transaction(copy):
            return {**work(copy).to_result(), "published": {}}
    with publication_lock(host), closing(open_database(host)) as connection:
        with transaction(connection):
            result = work(connection).to_result()
            if result["changed"]:
                record(host, note(result))
        published = publish(host, connection)
        record_published(host, connection, published)
        update_places(host, **_places(result))
        return {**result, "published": counted(published)}


def _places(result: Mapping[str, Any]) -> dict[str, set[str]]:
    """The names that have become registered, and those that are no more."""
    before, after = (result[side].get("endpoints") or {} for side in ("before", "after"))
    return {"made": after.keys() - before.keys(), "removed": before.keys() - after.keys()}


def run_show(host: LocalHost, options: argparse.Namespace) -> int:
    """Show every node with what it sets."""
    with closing(open_database(host)) as connection:
        nodes = read_nodes(connection)
        counted = dict(
            tuple(row) for row in connection.execute("SELECT domain, count(*) FROM endpoints GROUP BY domain")
        )
    root = nodes.pop("")
    if options.json:
        domains = {
            path: {"own": node.own, "born": node.born, "endpoints": counted.get(path, 0)}
            for path, node in nodes.items()
        }
        mine = {"own": root.own, "future_domains": root.future, "endpoints": counted.get("", 0)}
        print_json({"root": mine, "domains": domains})
        return DONE
    _show("root", counted.get("", 0), {"": root.own, " (future domains)": root.future})
    for path, node in nodes.items():
        _show(path, counted.get(path, 0), {"": node.own, " (born)": node.born})
    return DONE


def _show(name: str, endpoints: int, parts: dict[str, Any]) -> None:
    write_lines([f"{name}: {endpoints} endpoint{'' if endpoints == 1 else 's'}"])
    for words, values in parts.items():
        for key, one in flat(values).items():
            write_lines([f"  {key}  {json.dumps(one)}{words}"])


def run_explain(host: LocalHost, options: argparse.Namespace) -> int:
    """Explain what one endpoint gets."""
    with closing(open_database(host)) as connection:
        explained = explain(connection, options.endpoint)
    if options.json:
        print_json(explained.to_dict())
        return DONE
    values = flat(explained.policy.to_dict())
    rows: list[tuple[str, ...]] = [(key, json.dumps(one), explained.origins[key]) for key, one in values.items()]
    of_all = tuple(rows)
    for name, (policy, origins) in explained.products.items():
        own = ((key, json.dumps(one), origins[key]) for key, one in flat(policy.to_dict()).items())
        rows += [(f"{PRODUCTS}.{name}.{row[0]}", *row[1:]) for row in own if row not in of_all]
    print_table(rows)
    return DONE
