# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands ``publish``, ``verify``, ``keys`` and ``enrollment`` of ``epp-server``."""

from __future__ import annotations

import argparse
import syslog
from contextlib import closing

from ..._core.durations import format_duration
from ..._core.exit_codes import DONE, FAILED
from ..._core.metadata.header import LARGEST_SERIAL
from ..._core.metadata.keyring import Keyring, KeyStage, SigningKey
from ..._core.timestamps import iso
from ..._host.local_host import LocalHost
from ..._host.output import complain, write_lines
from ..audit.changes import record_keys, record_published, record_restored, record_settings
from ..audit.check import first_problem
from ..channels.staged import published_products
from ..database.database import open_database
from ..enrollment import enrollment_of
from ..fleet.dirty_shards import counted
from ..health import record_states
from ..publication.key_files import mend_modes
from ..publication.keys import ensure_keyring, read_keyring, rotate
from ..publication.publish import Renewal, configuration_settings, publication_lock, publish, publish_catalog
from ..publication.restoration import came_back
from ..publication.samples import refresh_samples
from ..publication.verify import find_problems
from ..reports.places import mend_places
from ..rollout.promote import ready_channels
from .output import print_json, print_table


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to a command line; each sets ``run`` to its function."""
    one = commands.add_parser("publish", help="issue documents that changed, are damaged or expire soon")
    words = "after a restore: sign everything anew, under higher serials"
    one.add_argument("--anew", action="store_true", help=words)
    words = "with --anew: serials above this one, which endpoints have adopted"
    one.add_argument("--above", type=int, default=0, metavar="SERIAL", help=words)
    one.set_defaults(run=run_publish)
    check = commands.add_parser("verify", help="verify published documents and components")
    check.set_defaults(run=run_verify)
    enroll = commands.add_parser("enrollment", help="print the data that endpoints need to enroll, as JSON")
    enroll.add_argument("--check", action="store_true", help="create no keys; print null if there are none")
    enroll.set_defaults(run=run_enrollment)
    keys = commands.add_parser("keys", help="show and rotate the signing keys")
    verbs = keys.add_subparsers(dest="verb", required=True, metavar="VERB")
    shown = verbs.add_parser("show", help="show each key, its stage and the next step")
    shown.set_defaults(run=run_keys_show)
    turned = verbs.add_parser("rotate", help="announce the next key; the second time: sign with it now")
    turned.set_defaults(run=run_keys_rotate)
    enroll.add_argument("--json", action="store_true", help="no effect: the result is always JSON")
    for parser in (one, check, shown, turned):
        parser.add_argument("--json", action="store_true", help="report as one JSON document")


def run_publish(host: LocalHost, options: argparse.Namespace) -> int:
    """Publish; the timer's command. Where the records were brought back from elsewhere, everything is signed anew.

    Samples that can't be published keep nothing else from being published, and are a failure.
    """
    if options.above and not options.anew:
        raise ValueError("--above: only with --anew")
    if not 0 <= options.above < LARGEST_SERIAL:
        raise ValueError(f"--above: {options.above} is not a serial (0 to {LARGEST_SERIAL - 1})")
    _ready_channels(host)
    with publication_lock(host):
        why = refresh_samples(host)
        names = _publish_all(host, anew=options.anew, above=options.above)
    with closing(open_database(host)) as connection:
        record_states(host, connection)
    if options.json:
        print_json({"changed": bool(names), "published": counted(names)})
    else:
        words = ", ".join(f"{number} {kind}" for kind, number in counted(names).items())
        write_lines([f"publish: {words or 'nothing to publish'}"])
    if why:
        host.log(syslog.LOG_ERR, f"publish: {why}")
        complain("epp-server", why)
    return FAILED if why else DONE


def run_verify(host: LocalHost, options: argparse.Namespace) -> int:
    """Name every problem."""
    with publication_lock(host), closing(open_database(host)) as connection:
        found = find_problems(host, connection)
    if options.json:
        print_json({"problems": [{"file": problem.file, "problem": problem.what} for problem in found]})
    else:
        write_lines([f"{problem.file}: {problem.what}" for problem in found] or ["verify: no problems found"])
    return FAILED if found else DONE


def run_enrollment(host: LocalHost, options: argparse.Namespace) -> int:
    """Tell what an endpoint's document has in its section ``server``."""
    print_json(enrollment_of(host, check=options.check))
    return DONE


def run_keys_show(host: LocalHost, options: argparse.Namespace) -> int:
    """Tell the keys; makes none."""
    ring, overlap = read_keyring(host), configuration_settings(host).overlap
    keys = [{**key.to_result(), "then": _then(key, overlap)} for key in ring.keys] if ring else []
    if options.json:
        print_json({"overlap": format_duration(overlap), "keys": keys})
        return DONE
    if not keys:
        write_lines(["keys: there is none yet, the first publication makes it"])
        return DONE
    print_table([(one["name"], one["stage"], f"since {one['since']}", one["then"], one["public"]) for one in keys])
    return DONE


def run_keys_rotate(host: LocalHost, options: argparse.Namespace) -> int:
    """One step, published at once."""
    _ready_channels(host)
    with publication_lock(host):
        before = ensure_keyring(host)
        after = rotate(host)
        record_keys(host, before, after)
        names = _publish_all(host)
    result = {"changed": True, "before": before.to_result(), "after": after.to_result(), "published": counted(names)}
    if options.json:
        print_json(result)
    else:
        write_lines(_rotated(after, configuration_settings(host).overlap))
    return DONE


def _ready_channels(host: LocalHost) -> None:
    with closing(open_database(host)) as connection:
        ready_channels(host, connection)


def _publish_all(host: LocalHost, *, anew: bool = False, above: int = 0) -> list[str]:
    with closing(open_database(host)) as connection:
        mend_modes(host)
        restored = came_back(host, connection)
        record_settings(host)
        if restored:
            record_restored(host)
            host.log(syslog.LOG_WARNING, "publish: the records were brought back; everything is signed anew")
        renewal = Renewal(repair=True, anew=anew or restored, above=above)
        before = read_keyring(host)
        names = publish(host, connection, renewal)
        names += publish_catalog(host, connection, published_products(host, connection).values(), renewal)
        record_keys(host, before, ensure_keyring(host))
        record_published(host, connection, names)
        first_problem(host, remember=True)
        mend_places(host, connection)
        return names


def _then(key: SigningKey, overlap: int) -> str:
    """The next step in the life of a key, without manual rotation."""
    if key.stage is KeyStage.CURRENT:
        return "signs until the next one follows"
    words = "signs from" if key.stage is KeyStage.NEXT else "is trusted until"
    return f"{words} {iso(key.since + overlap)}"


def _rotated(after: Keyring, overlap: int) -> list[str]:
    if after.next is not None:
        return [
            f"keys: {after.next.name} is announced beside {after.current.name}, which still signs.",
            (
                f"It follows by itself on {iso(after.next.since + overlap)}, or at once with the next `keys rotate`:"
                " endpoints that have not fetched the configuration by then have to be converged again."
            ),
        ]
    return [
        f"keys: {after.current.name} signs from now on; the key before is trusted for {format_duration(overlap)} more"
    ]
