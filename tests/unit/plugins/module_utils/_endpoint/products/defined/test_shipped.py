# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The definitions of the collection, driven with stand-ins that print what ``golden.json`` has.

Where each output comes from stands there. Every exit code and every pattern that an update declares is driven.
"""

from __future__ import annotations

import copy
import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.products.meanings import Meaning
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import UNREADABLE, Outcome, Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products import select_product
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.defined.product import Defined
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._core.products.test_meanings import UNCHANGED

DEFINITIONS = Path(__file__).parents[7] / "plugins/module_utils/_core/products/definitions"
GOLDEN: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("golden.json").read_text(encoding="utf-8"))
UPDATED = [name for name in GOLDEN if "new" in GOLDEN[name] or "new_files" in GOLDEN[name]]
Programs = Mapping[str, Mapping[str, Mapping[str, Any]]]


class Machine:
    """A sandbox in which a product's programs are scripts; each answers what it is told to."""

    def __init__(self, name: str, host: LocalHost, directory: Path) -> None:
        self.host = host
        self.directory = directory / "programs"
        self.golden = copy.deepcopy(GOLDEN[name])
        text = (DEFINITIONS / f"{name}.json").read_text(encoding="utf-8")
        self.definition = json.loads(text, object_hook=self._moved)
        document = {"format": 1, "endpoint": "n1", "product": name, "policy": {"components": {"scope": "all"}}}
        document["product_definitions"] = {name: self.definition}
        product = select_product(EndpointDocument.from_dict(document), host)
        assert isinstance(product, Defined)
        self.product = product
        self.answers: dict[str, dict[str, dict[str, Any]]] = {}
        self.files(self.golden.get("files", {}))
        self.programs(self.golden.get("programs", {}))

    def files(self, files: Mapping[str, str]) -> None:
        for path, text in files.items():
            self.host.write(path, text.encode())

    def programs(self, programs: Programs) -> None:
        """Give programs other answers: by arguments, what they print, their exit code and what they do before."""
        for path, answers in programs.items():
            known = self.answers.setdefault(path, {})
            known.update({key: dict(one) for key, one in answers.items()})
            self._write(path, known)

    def update_ends(self, index: int, code: int, out: str = "", before: str = "") -> None:
        """Have a command of the update end like this."""
        path, key = self._step(index)
        self.programs({path: {key: {"out": out, "code": code, "before": before}}})

    def brings_something_new(self) -> None:
        """Have the last command of the update install what the golden outputs have as new."""
        path, key = self._step(len(self.definition["update"]) - 1)
        lines = [
            f"printf %s {shlex.quote(text)} >{shlex.quote(self.host.real(name))}"
            for name, text in self.golden.get("new_files", {}).items()
        ]
        for program, answers in self.golden.get("new", {}).items():
            spare = f"{program}.new"
            self._write(spare, {**self.answers[program], **answers})
            lines.append(f"mv {self.real(spare)} {self.real(program)}")
        known = self.answers[path][key]
        self.programs({path: {key: {**known, "before": "\n".join(lines), "code": self._good(), "out": ""}}})

    def _good(self) -> int:
        codes = self.definition["update"][-1]["exit_codes"]
        return int(next((code for code, word in codes.items() if word == "updated"), "0"))

    def _step(self, index: int) -> tuple[str, str]:
        program, *arguments = self.definition["update"][index]["command"]
        settings = self.definition.get("settings", {})
        told = [one.format(**settings) for one in arguments if not isinstance(settings.get(one.strip("{}")), list)]
        return program[len(str(self.directory)) :], " ".join(told)

    def real(self, path: str) -> str:
        return f"{self.directory}{path}"

    def _moved(self, one: dict[str, Any]) -> dict[str, Any]:
        if "command" in one:
            one["command"][0] = self.real(one["command"][0])
        return one

    def _write(self, path: str, answers: Mapping[str, Mapping[str, Any]]) -> None:
        place = Path(self.real(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        cases = "".join(f"{shlex.quote(key)}) {_answer(one)};;\n" for key, one in answers.items())
        place.write_text(f'#!/bin/sh\ncase "$*" in\n{cases}*) echo "asked for $*" >&2; exit 99;;\nesac\n')
        place.chmod(0o755)


def _answer(one: Mapping[str, Any]) -> str:
    return f"{one.get('before') or ':'}\nprintf %s {shlex.quote(one['out'])}; exit {one.get('code', 0)}"


@pytest.fixture
def machine(request: pytest.FixtureRequest, host: LocalHost, tmp_path: Path) -> Machine:
    return Machine(request.param, host, tmp_path)


@pytest.mark.parametrize("machine", GOLDEN, indirect=True)
def test_what_is_installed_is_read(machine: Machine) -> None:
    found = {one.name: [one.version, one.built] for one in machine.product.components()}
    shortened = {
        name: ["sha256-*", built] if version.startswith("sha256-") else [version, built]
        for name, (version, built) in found.items()
    }
    assert shortened == machine.golden["components"]
    assert machine.product.trial(20) == ()


@pytest.mark.parametrize("machine", UPDATED, indirect=True)
def test_from_one_version_to_the_next(machine: Machine) -> None:
    machine.brings_something_new()
    assert machine.product.update(60) == Outcome(Result.UPDATED)
    assert machine.product.update(60).result is Result.CURRENT


@pytest.mark.parametrize("machine", ["bitdefender", "sophos", "trend", "withsecure"], indirect=True)
def test_who_is_observed_only_is_skipped(machine: Machine) -> None:
    assert machine.product.update(20).result is Result.SKIPPED


@pytest.mark.parametrize("machine", [name for name in GOLDEN if "unreadable" in GOLDEN[name]], indirect=True)
def test_an_output_in_other_words_is_no_version_and_no_success(machine: Machine) -> None:
    machine.programs(machine.golden["unreadable"])
    assert UNREADABLE in {one.version for one in machine.product.components()}
    assert machine.product.update(20).result is Result.FAILED
    assert machine.product.trial(20) != ()


def unwell() -> Iterator[Any]:
    for name, golden in GOLDEN.items():
        yield from (pytest.param(name, why, id=f"{name}: {why}") for why in golden.get("unwell", {}))


@pytest.mark.parametrize(("machine", "why"), list(unwell()), indirect=["machine"])
def test_a_product_that_is_unwell_is_not_current(machine: Machine, why: str) -> None:
    machine.programs(machine.golden["unwell"][why])
    outcome = machine.product.update(20)
    assert outcome.result is Result.FAILED
    assert outcome.why.startswith(why)


def endings() -> Iterator[Any]:
    """Each exit code and each pattern of each command of an update, and an exit code that nobody has named."""
    for name in UPDATED:
        definition = json.loads((DEFINITIONS / f"{name}.json").read_text(encoding="utf-8"))
        for index, step in enumerate(definition["update"]):
            for code, rule in step["exit_codes"].items():
                yield pytest.param(name, index, int(code), "", rule, id=f"{name} {index}: exit {code}")
            for rule in step.get("outputs", []):
                code = rule.get("exit_codes", [0])[0]
                yield pytest.param(name, index, code, rule["pattern"], rule, id=f"{name} {index}: {rule['pattern']}")
            yield pytest.param(name, index, 199, "", "failed", id=f"{name} {index}: exit 199")


@pytest.mark.parametrize(("machine", "index", "code", "pattern", "rule"), list(endings()), indirect=["machine"])
def test_each_declared_ending(machine: Machine, index: int, code: int, pattern: str, rule: Any) -> None:
    machine.update_ends(index, code, machine.golden["lines"][pattern] if pattern else "")
    means = Meaning(rule if isinstance(rule, str) else rule["means"])
    outcome = machine.product.update(60)
    assert outcome.result is UNCHANGED[means], outcome
    if isinstance(rule, dict) and "reason" in rule:
        assert outcome.why.startswith(rule["reason"])
    assert (outcome.until is not None) == (isinstance(rule, dict) and "wait" in rule)
