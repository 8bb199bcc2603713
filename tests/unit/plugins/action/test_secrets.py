# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Passwords, tokens and customers' keys in settings: nothing that runs shows one, and no file has one for everybody.

Each has a word of its own, so that a leak tells where it comes from. Everything runs at ``-vvv --diff``.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Control, Fleet, Inventory, Run

LOUD = ("-vvv", "--diff")
MARK = "hunter2"
NOBODY = "127.0.0.1:9"
"""Where no server listens."""


def mark(name: str) -> str:
    return f"{MARK}{name}"


CLAMAV: dict[str, Any] = {
    "autoupdate_product": "clamav",
    "autoupdate_require": False,
    "autoupdate_policy": {"sources": {"urls": [f"http://{NOBODY}/{mark('mirror')}"]}},
    "autoupdate_clamav": {
        "databases": [],
        "custom_urls": [
            f"http://{NOBODY}/{mark('path')}/vendor.ndb",
            f"https://{NOBODY}/feed/other.hdb?key={mark('query')}",
        ],
    },
}
COMMAND: dict[str, Any] = {
    "autoupdate_product": "command",
    "autoupdate_command": {
        "update": ["/bin/sh", "-c", 'echo "bad license: $0" >&2; exit 3', mark("license")],
        "version": ["/bin/echo", "--", "1"],
    },
}
COMPONENTS: dict[str, Any] = {
    "clamav": {
        "cvd": "/bin/false",
        "databases": ["main"],
        "mirror": f"http://{NOBODY}/{mark('vendor')}",
        "extra": {"vendor.ndb": f"http://{NOBODY}/{mark('extra')}/vendor.ndb"},
    },
    "files": {"git": f"http://me:{mark('git')}@{NOBODY}/rules.git"},
    "command": {"fetch": ["/bin/sh", "-c", 'echo "bad key: $0" >&2; exit 3', mark("fetch")]},
}


def leaks(text: str) -> list[str]:
    """The lines that hold a secret."""
    return [line[:300] for line in text.splitlines() if MARK in line]


def public_files(root: Path) -> Iterator[Path]:
    """Files below a directory that stands for a host, which everybody there could read."""
    for parent, directories, names in os.walk(root):
        directories[:] = [name for name in directories if (Path(parent) / name).stat().st_mode & 0o001]
        for name in names:
            path = Path(parent) / name
            if path.is_file() and path.stat().st_mode & 0o004:
                yield path


def check_files(root: Path) -> None:
    assert [str(path) for path in public_files(root) if MARK.encode() in path.read_bytes()] == []


def check_quiet(run: Run, code: int = 0) -> None:
    assert run.code == code, run.output
    assert leaks(run.output) == []
    assert leaks(json.dumps(run.results, indent=0)) == []
    assert leaks(run.files) == []


def asked(root: Path, program: str, *arguments: str) -> str:
    """What a program of the collection says, on both of its streams."""
    command = [root / "usr/local/bin" / program, "--root", root, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


def of_fleet(control: Control) -> dict[str, dict[str, Any]]:
    return {
        name: {**options, "autoupdate_installroot": str(control.root(name)), "autoupdate_scheduler": "systemd"}
        for name, options in (("clamav1", CLAMAV), ("command1", COMMAND))
    }


@pytest.fixture
def endpoints(control: Control) -> dict[str, dict[str, Any]]:
    for name in ("clamav1", "command1"):
        textfiles = control.root(name) / "var/lib/prometheus/node-exporter"
        textfiles.mkdir(parents=True)
    return of_fleet(control)


@pytest.mark.heavy
def test_endpoints_show_no_secret(control: Control, endpoints: dict[str, dict[str, Any]]) -> None:
    check_quiet(control.playbook("epp.autoupdate.site", endpoints, "--check", *LOUD))
    check_quiet(control.playbook("epp.autoupdate.site", endpoints, *LOUD))
    again = control.playbook("epp.autoupdate.site", endpoints, *LOUD)
    check_quiet(again)
    assert not any(line["result"].get("changed") for line in again.results)
    check_quiet(control.playbook("epp.autoupdate.preview", endpoints, *LOUD))
    updated = control.playbook("epp.autoupdate.update_now", endpoints, *LOUD)
    check_quiet(updated, code=2)
    assert "bad license: ***" in updated.text
    for name in endpoints:
        root = control.root(name)
        said = [asked(root, "epp-agent", *words) for words in (["run"], ["status"], ["status", "--json"], ["scan"])]
        assert leaks("\n".join(said)) == []
        check_files(root)
        assert MARK in "".join(path.read_text() for path in root.glob("etc/epp-autoupdate/*"))


@pytest.mark.heavy
def test_the_difference_of_secrets_says_that_there_is_one(
    control: Control, endpoints: dict[str, dict[str, Any]]
) -> None:
    assert control.playbook("epp.autoupdate.site", endpoints).code == 0
    clamav = {**CLAMAV["autoupdate_clamav"], "custom_urls": [f"http://{NOBODY}/{mark('new')}/vendor.ndb"]}
    endpoints["clamav1"]["autoupdate_clamav"] = clamav
    endpoints["command1"]["autoupdate_command"] = {
        **COMMAND["autoupdate_command"],
        "version": ["/bin/sh", "-c", "echo 1", mark("v")],
    }
    compared = control.playbook("epp.autoupdate.check", endpoints, *LOUD)
    check_quiet(compared, code=2)
    assert "clamav1: configuration /etc/epp-autoupdate/freshclam.conf: differs" in compared.text
    assert f"-DatabaseCustomURL https://{NOBODY}/\u2026/other.hdb?***" in compared.text
    assert f"-DatabaseCustomURL https://{NOBODY}/\u2026/other.hdb?***" in compared.files
    changed = control.playbook("epp.autoupdate.site", endpoints, *LOUD)
    check_quiet(changed)
    clamav["custom_urls"] = [f"http://{NOBODY}/{mark('newer')}/vendor.ndb"]
    hidden = control.playbook("epp.autoupdate.site", endpoints, *LOUD)
    check_quiet(hidden)
    assert "+(what differs is a part of a URL that is not shown)" in hidden.text
    for name in endpoints:
        check_files(control.root(name))
    removed = control.playbook("epp.autoupdate.site", endpoints, *LOUD, "-e", "autoupdate_state=absent")
    check_quiet(removed)


@pytest.mark.heavy
def test_a_server_shows_no_secret(fleet: Fleet) -> None:
    def with_secrets(hosts: Inventory) -> Inventory:
        hosts["updates"]["autoupdate_server_components"] = COMPONENTS
        hosts["updates"]["autoupdate_server_cvdupdate_pip_arguments"] = f"--proxy me:{mark('proxy')}@{NOBODY}"
        hosts["n1"] |= {name: CLAMAV[name] for name in CLAMAV if name != "autoupdate_policy"}
        return hosts

    fleet.adapt = with_secrets
    check_quiet(fleet.play("site", "--check", *LOUD))
    check_quiet(fleet.play("site", *LOUD))
    again = fleet.play("site", *LOUD)
    check_quiet(again)
    assert not any(line["result"].get("changed") for line in again.results)
    check_quiet(fleet.play("check", *LOUD))
    server = fleet.control.server
    said = asked(server, "epp-server", "fetch", "--notify")
    assert "bad key: ***" in said, said
    check_quiet(fleet.play("update_now", *LOUD), code=2)
    for words in (["fetch", "--json"], ["campaigns"], ["endpoints", "--json"], ["status", "--json"], ["status"]):
        said += asked(server, "epp-server", *words)
    assert leaks(said) == []
    COMPONENTS["clamav"]["extra"]["vendor.ndb"] += "x"
    check_quiet(fleet.play("check", *LOUD), code=2)
    check_quiet(fleet.play("site", *LOUD))
    info = {"name": "Ask", "epp.autoupdate.fleet_info": {"installroot": str(server)}}
    check_quiet(fleet.control.play([info], {"updates": {}}, *LOUD))
    check_files(server)
    check_files(fleet.control.root("n1"))


WRONG_ENDPOINTS: tuple[dict[str, Any], ...] = (
    {"autoupdate_clamav": {"custom_urls": [f"htps://a.example.com/{MARK}/x.ndb"]}},
    {"autoupdate_clamav": {"custom_urls": [f"a.example.com/{MARK}/x.ndb"]}},
    {"autoupdate_clamav": {"custom_urls": f"https://a.example.com/{MARK}/x.ndb"}},
    {"autoupdate_clamav": {"custom_urls": [f"https://me:{MARK}@a.example.com/x.ndb"]}},
    {"autoupdate_policy": {"sources": {"proxy": f"http://me:{MARK}@proxy.example.com:3128"}}},
    {"autoupdate_command": {"update": f"/opt/av/update --key={MARK}"}, "autoupdate_product": "command"},
    {"autoupdate_command": {"update": ["update", f"--key={MARK}"]}, "autoupdate_product": "command"},
    {"autoupdate_command": {"update": ["/a", f"--key={MARK}\n"]}, "autoupdate_product": "command"},
    {"autoupdate_clamav": {"custom_urls": [f"https://a.example.com/{MARK}/{{{{ nothing }}}}.ndb"]}},
)


@pytest.mark.parametrize("entry", ["epp.autoupdate.site", "epp.autoupdate.check", "role"])
def test_refusals_of_an_endpoint_s_settings_show_no_secret(control: Control, entry: str) -> None:
    hosts = {
        f"n{number}": {**CLAMAV, "autoupdate_installroot": str(control.root("n")), **wrong}
        for number, wrong in enumerate(WRONG_ENDPOINTS)
    }
    role = [{"name": "Role", "ansible.builtin.import_role": {"name": "epp.autoupdate.endpoint"}}]
    run = control.play(role, hosts, *LOUD) if entry == "role" else control.playbook(entry, hosts, *LOUD)
    check_quiet(run, code=2)
    assert not control.root("n").exists()


WRONG_SERVERS: tuple[dict[str, Any], ...] = (
    {"files": {"git": f"me:{MARK}@example.com:rules"}},
    {"files": {"url": f"https://me:{MARK}@example.com/rules.zip"}},
    {"files": {"url": f"example.com/{MARK}/rules.zip"}},
    {"command": {"fetch": f"/opt/fetch --key={MARK}"}},
    {"clamav": {"extra": {"x": f"https://example.com/{MARK}/x.ndb"}}},
    {"clamav": {"extra": f"https://example.com/{MARK}/x.ndb"}},
)


def test_refusals_of_a_server_s_settings_show_no_secret(control: Control) -> None:
    common = {
        "autoupdate_server_installroot": str(control.server),
        "autoupdate_server_url": "http://updates.example.com",
    }
    hosts = {
        f"updates{number}": {**common, "autoupdate_server_components": wrong}
        for number, wrong in enumerate(WRONG_SERVERS)
    }
    role = [{"name": "Role", "ansible.builtin.import_role": {"name": "epp.autoupdate.server"}}]
    run = control.play(role, hosts, *LOUD)
    check_quiet(run, code=2)
    assert {line["host"] for line in run.results if line["kind"] == "failed"} == set(hosts)
    assert not control.server.exists()


@pytest.mark.heavy
def test_pip_that_fails_shows_no_secret(control: Control, tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nindex-url = http://{NOBODY}/{mark('index')}/simple\nretries = 0\n")
    variables = {
        "autoupdate_server_url": "http://updates.example.com",
        "autoupdate_server_cvdupdate_pip_arguments": f"--extra-index-url http://me:{mark('argument')}@{NOBODY}/simple",
        "autoupdate_server_cvdupdate_pip_config": str(config),
    }
    only = {"name": "epp.autoupdate.server", "tasks_from": "cvdupdate.yml"}
    role = [{"name": "Role", "ansible.builtin.import_role": only}]
    place = f"__server_cvdupdate={tmp_path / 'environment'}"
    run = control.play(role, {"updates": variables}, *LOUD, "-e", place)
    check_quiet(run, code=2)
    assert "pip did not install cvdupdate" in run.text
    assert run.text.count("***") > 1
    assert "No matching distribution" in run.text or "Could not find a version" in run.text
