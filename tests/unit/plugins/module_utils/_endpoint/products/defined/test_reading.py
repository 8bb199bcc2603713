# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions from commands, files and digests, on a directory that stands for a host."""

from __future__ import annotations

from typing import Any

from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import UNREADABLE, Component
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.defined.stand_in import (
    StandIn,
)

PATTERN = "Version: (?P<version>.+)"


def test_one_command_is_asked_once_for_all_that_it_tells(stand_in: StandIn) -> None:
    told = '{"engine": "1.1", "patterns": {"version": "7", "at": "1795305600000"}, "app": "x"}'
    program = stand_in.program("health", f"echo x >>{stand_in.directory}/asked; echo '{told}'")
    date = {"date": "patterns.at", "date_format": "unix_ms"}
    places = {"engine": {"json": "engine"}, "app": {"json": "app"}, "patterns": {"json": "patterns.version", **date}}
    product = stand_in.product(components={name: {"command": [program], **one} for name, one in places.items()})
    assert product.components() == (
        Component("app", UNREADABLE),
        Component("engine", "1.1"),
        Component("patterns", "7", 1795305600),
    )
    assert (stand_in.directory / "asked").read_text() == "x\n"


def test_a_command_that_fails_or_hangs_tells_no_version(stand_in: StandIn) -> None:
    for script in ("echo Version: 1; exit 3", "echo Version: 1; sleep 30"):
        asked = {"command": [stand_in.program("version", script)], "pattern": PATTERN, "timeout": "1s"}
        assert stand_in.product(components={"x": asked}).components() == (Component("x", UNREADABLE),)


def test_standard_error_counts_where_there_is_no_other_output(stand_in: StandIn) -> None:
    for script, version in (("echo Version: 1 >&2", "1"), ("echo Version: 1 >&2; echo Version: 2", "2")):
        asked = {"command": [stand_in.program("version", script)], "pattern": PATTERN}
        assert stand_in.product(components={"x": asked}).components() == (Component("x", version),)


def test_of_several_files_the_last_counts(stand_in: StandIn) -> None:
    for directory, version in (("3.004", "5"), ("4.000", "7"), (".hidden", "9")):
        stand_in.host.write(f"/var/lib/x/{directory}/rules.cf", f"# Version: {version}\n".encode())
    source = {"file": "/var/lib/x/*/rules.cf", "pattern": "# Version: (?P<version>[0-9]+)"}
    assert stand_in.product(components={"x": source}).components() == (Component("x", "7"),)
    source = {"file": "/var/lib/y/*/rules.cf", "pattern": "# Version: (?P<version>[0-9]+)"}
    assert stand_in.product(components={"x": source}).components() == ()


def test_a_place_is_a_setting(stand_in: StandIn) -> None:
    stand_in.host.write("/srv/own/x.ndb", b"one")
    source = {"digest": ["{directory}/*.ndb"]}
    rest: dict[str, Any] = {"components": {"x": source}, "settings": {"directory": "/var/lib/x"}}
    assert stand_in.product(**rest).components() == ()
    assert len(stand_in.product(**rest, product_settings={"directory": "/srv/own"}).components()) == 1
    assert stand_in.product(**rest, product_settings={"directory": "srv/own"}).components() == ()
    assert stand_in.product(**rest, product_settings={"directory": "/var/../srv/own"}).components() == ()


def test_digests_follow_content_alone(stand_in: StandIn) -> None:
    product = stand_in.product(components={"x": {"digest": ["/rules/*.rules", "/rules/more"]}})
    assert product.components() == ()
    stand_in.host.write("/rules/a.rules", b"one")
    (first,) = product.components()
    assert first.version.startswith("sha256-")
    stand_in.host.write("/rules/a.rules", b"one")
    stand_in.host.write("/rules/other", b"x")
    assert product.components() == (first,)
    stand_in.host.write("/rules/a.rules", b"two")
    assert product.components() != (first,)
    stand_in.host.remove("/rules/a.rules")
    stand_in.host.write("/rules/b.rules", b"one")
    assert product.components() != (first,)
    stand_in.host.mkdir("/rules/more")
    assert product.components() == (Component("x", UNREADABLE),)
