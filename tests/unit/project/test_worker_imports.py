# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of ``site`` loads on the control node: Ansible compiles it each time, and in a worker for each host."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.tests.unit.own_programs import needs

pytestmark = needs("ansible")
PLUGINS = "ansible_collections.epp.autoupdate.plugins."
ACTIONS = ("preflight", "client_tree", "endpoint")
SCRIPT = f"""
import importlib, json, sys

def loaded():
    return {{name for name in sys.modules if name.startswith({PLUGINS!r})}}

for name in {ACTIONS!r}:
    importlib.import_module({PLUGINS!r} + "action." + name)
before = loaded()
from {PLUGINS}module_utils._module.documents import Wanted
from {PLUGINS}plugin_utils._definitions import with_definition
assert Wanted.from_options(with_definition(json.load(sys.stdin))).document is not None
print(json.dumps([sorted(before), sorted(loaded() - before)]))
"""
OPTIONS = {
    "endpoint": "n1",
    "product": "clamav",
    "domain": "emea/finance",
    "policy": {"schedule": {"frequency": "daily", "start": "02:00", "window": "2h", "timezone": "UTC"}},
    "ordinal": 4,
    "product_definitions": {},
    "product_settings": {},
}


def loads(options: dict[str, Any]) -> tuple[set[str], set[str]]:
    """What the process that forks the workers has loaded, and what a worker loads besides to check these options."""
    given = json.dumps({"state": "present", **options})
    done = subprocess.run([sys.executable, "-c", SCRIPT], input=given, capture_output=True, text=True, check=True)
    before, more = json.loads(done.stdout)
    return {name[len(PLUGINS) :] for name in before}, {name[len(PLUGINS) :] for name in more}


def test_the_control_node_loads_nothing_that_works_on_a_host() -> None:
    found, _more = loads(OPTIONS)
    of_hosts = {
        "local_host",
        "process",
        "superuser",
        "systemd.bus",
        "filesystem.safe_paths",
        "filesystem.open_directory",
    }
    assert found >= {f"action.{name}" for name in ACTIONS}
    assert found & {f"module_utils._host.{name}" for name in of_hosts} == set()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (OPTIONS, set()),
        ({**OPTIONS, "product": "rkhunter"}, {"module_utils._core.products.definition"}),
    ],
)
def test_a_worker_loads_nothing_more_for_a_product_that_needs_no_definition(
    options: dict[str, Any], expected: set[str]
) -> None:
    """Of one that needs its definition, a worker loads what reads that: the test sees what is loaded."""
    _found, more = loads(options)
    assert more >= expected
    assert bool(more) is bool(expected)
