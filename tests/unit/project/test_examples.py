# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation shows and says is what the validators take."""

from __future__ import annotations

import re

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.enums import Frequency
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.keys import KEYS
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import Policy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.parsers import InvalidValue

from . import examples, repository
from .examples import Example

FOREIGN = re.compile(r"route:\n|- hosts: prometheus\n|collections:\n|name: \w+\n +on:\n|default:\n +image: ")
"""A route of Alertmanager, a play for the host of Prometheus, a requirements file of ansible-galaxy, pipelines of
GitHub and GitLab."""


def of(example: Example) -> str:
    return example.where


@pytest.mark.parametrize("example", list(examples.blocks()), ids=of)
def test_every_example_is_taken(example):
    found = examples.errors(example.content)
    assert found == [] or (found is None and FOREIGN.match(example.text.lstrip())), found


@pytest.mark.parametrize("example", list(examples.sentences()), ids=of)
def test_what_a_sentence_sets_is_taken(example):
    assert not examples.errors(example.content)


@pytest.mark.parametrize(
    ("yaml", "error"),
    [
        ("autoupdate_polcy: {}", "autoupdate_polcy: unknown"),
        ("autoupdate_become: perhaps", "perhaps"),
        ("all: {hosts: {n1: {autoupdate_policy: {schedule: {window: 2x}}}}}", "schedule.window"),
        ("schedule: {window: 7200}", "schedule.window"),
        ("autoupdate_server_components: {clamv: {}}", "clamv"),
        ("- epp.autoupdate.endpoint: {policy: {schedule: {start: 12:00}}}", "schedule.start"),
        ("- epp.autoupdate.update_schedule: {window: 2x}", "schedule.window"),
        ("- epp.autoupdate.update_now: {domain: emea}", "domain: no option"),
        ("- epp.autoupdate.client_tree: {endpoints: [{name: n1, domain: a b}]}", "domain"),
        ("- hosts: all\n  roles: [{role: epp.autoupdate.endpiont}]", "not a role"),
        ("- import_playbook: epp.autoupdate.sight", "not a playbook"),
        ("product: avira", "product"),
        ("plugin: epp.autoupdate.fleet\nsever: updates", "sever: no option"),
    ],
)
def test_a_wrong_example_would_be_found(yaml, error):
    found = examples.errors(Example("here", yaml).content)
    assert found
    assert error in " ".join(found)


_ROW = re.compile(r"^   \* - ``([a-z_]+)``\n     - (.+)\n     - (.+(?:\n       .+)*)", re.MULTILINE)
_LITERAL = re.compile(r"``([^`]+)``")


def said() -> list[tuple[str, str]]:
    """Each value that the policy reference says a key takes, beside the key."""
    parsers = {key for section in KEYS.values() for key in section}
    text = repository.text("docs", "docsite", "rst", "policy.rst")
    rows = [(match[1], match[3]) for match in _ROW.finditer(text) if match[1] in parsers]
    assert {key for key, _meaning in rows} == parsers
    known = {*parsers, *(word.value for word in Frequency), "download", "reconnect", "schedule"}
    no_values = {'"HH:MM"', "12:00", "/etc/localtime"}
    found = [
        (key, value)
        for key, meaning in rows
        for value in _LITERAL.findall(meaning)
        if value not in no_values and " " not in value and (value not in known or key == "frequency")
    ]
    return [(key, value) for key, value in found if value.partition(":")[0] not in known or key == "frequency"]


@pytest.mark.parametrize(("key", "value"), said())
def test_each_value_that_the_policy_reference_names_is_taken(key, value):
    (parser,) = [section[key] for section in KEYS.values() if key in section]
    try:
        parser(value.strip('"'))
    except InvalidValue as unfit:
        pytest.fail(f"{key}: {value}: {unfit.allowed}")


@pytest.mark.parametrize("page", [("docs", "docsite", "rst", "policy.rst"), ("README.md",)])
def test_the_refusals_that_are_shown_are_those_that_come(page):
    who = r"(?:[\w, -]+: autoupdate_policy\.)?"  # a playbook names the hosts and the variable, too
    shown = re.findall(rf"^ *{who}(schedule\.\w+: .+)$", repository.text(*page), re.MULTILINE)
    assert shown
    with pytest.raises(InvalidDocument) as refused:
        Policy.from_dict({"schedule": {"window": "2x", "day": "monday"}})
    assert set(shown) <= {str(error) for error in refused.value.errors}
