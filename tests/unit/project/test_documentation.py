# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guides and the README name everything there is, with the defaults that the code has."""

from __future__ import annotations

import re

import pytest
import yaml
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Manifest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.sync_result import SyncResult
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.keys import KEYS
from ansible_collections.epp.autoupdate.plugins.module_utils._core.policy.policy import OPTIONAL, Components, Policy
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result, Trigger
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.cli import exit_codes
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.privileges.base import UserAction
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.verdict import Refusal

from . import messages, repository

GUIDES = sorted(path.stem for path in (repository.ROOT / "docs" / "docsite" / "rst").glob("*.rst"))
README = repository.text("README.md")
_ROW = re.compile(r"^   \* - ``(?P<name>[a-z_]+)``\n     - (?P<second>.+)$", re.MULTILINE)


def guide(name: str) -> str:
    return repository.text("docs", "docsite", "rst", f"{name}.rst")


def section(name: str, heading: str) -> str:
    """What a guide has below a heading, up to the next one."""
    underlined = heading + "\n" + "-" * len(heading) + "\n"
    return re.split(r"^.+\n-{3,}$", guide(name).partition(underlined)[2], maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> dict[str, str]:
    """First and second cell of the rows of a guide's tables."""
    return {match["name"]: match["second"].strip("`") for match in _ROW.finditer(text)}


def in_yaml(value: object) -> str:
    words = {True: "true", False: "false", None: "null"}
    if isinstance(value, (bool, type(None))):
        return words[value]
    if isinstance(value, list):
        return f"[{', '.join(map(in_yaml, value))}]"
    return f'"{value}"' if ":" in str(value) else str(value)


@pytest.mark.parametrize("frequency", [{}, {"frequency": "hours"}, {"frequency": "weekly"}])
def test_the_policy_reference_has_every_key_with_its_default(frequency):
    policy = Policy.from_dict({"schedule": frequency}).to_dict()
    documented = rows(guide("policy"))
    optional = {key: getattr(Components(), key) for key in OPTIONAL}
    policy["components"].update({key: list(one) if isinstance(one, tuple) else one for key, one in optional.items()})
    expected = {key: in_yaml(value) for section in policy.values() for key, value in section.items()}
    expected.pop("frequency")
    assert {key: documented.get(key) for key in expected} == expected


def test_the_policy_reference_has_no_key_that_does_not_exist():
    assert set(rows(guide("policy"))) == {key for section in KEYS.values() for key in section}


def test_every_result_and_every_trigger_is_explained():
    assert set(rows(guide("status"))) == {word.value for word in (*Result, *Trigger)}


def test_every_exit_code_is_explained():
    codes = {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    assert {int(code) for code in re.findall(r"^   \* - ([0-9]+)$", guide("status"), re.MULTILINE)} == codes


def test_what_users_type_is_listed_with_the_unit_and_the_privilege():
    for action in UserAction:
        row = f"``epp-agent {action.value}``\n     - ``{action.unit}``\n     - ``{action.privilege}``"
        assert row in guide("privileges")


def test_the_manifest_in_the_guide_is_one_that_endpoints_take():
    block = re.search(r"code-block:: json\n\n((?:    .*\n)+)", guide("products"))
    manifest = Manifest.parse(block[1].encode())
    assert len(manifest.files) == 1


def test_every_guide_is_in_the_table_of_contents_and_has_its_label():
    sections = repository.load("docs", "docsite", "extra-docs.yml")["sections"]
    assert sorted(name for section in sections for name in section["toctree"]) == GUIDES
    for name in GUIDES:
        assert f".. _ansible_collections.epp.autoupdate.docsite.{name}:" in guide(name)


@pytest.mark.parametrize(
    "name",
    [
        *repository.modules(),
        *repository.filters(),
        *repository.callbacks(),
        *repository.inventories(),
        *repository.roles(),
        *(f"epp.autoupdate.{name}" for name in repository.playbooks()),
    ],
)
def test_the_readme_names_it(name):
    assert f"`{name}`" in README


@pytest.mark.parametrize("name", GUIDES)
def test_examples_in_guides_are_yaml(name):
    for block in re.findall(r"\.\. code-block:: yaml\n\n((?:    .*\n|\n)+)", guide(name)):
        assert yaml.safe_load(block) is not None


@pytest.mark.parametrize("role", repository.roles())
def test_the_readme_names_every_variable_of_a_role(role):
    missing = [name for name in repository.load("roles", role, "defaults", "main.yml") if f"`{name}`" not in README]
    assert missing == []


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_begins_with_a_sentence_that_says_what_it_is_for(name):
    """Search results and readers see it first: before the list of sections, and before the first heading."""
    _title, first, *_rest = guide(name).partition(".. _ansible_collections")[2].split("\n\n")[1:]
    assert re.match(r"[A-Z]", first), first


@pytest.mark.parametrize("name", GUIDES)
def test_a_code_host_shows_a_guide_as_it_is_meant(name):
    """README leads there: what only Sphinx knows (roles, directives of its own) would be shown raw."""
    text = guide(name)
    assert re.findall(r":[a-z]+(?::[a-z]+)*:`[^`]*`", text) == []
    assert set(re.findall(r"^ *\.\. ([a-z-]+)::", text, re.MULTILINE)) <= {
        "code-block",
        "contents",
        "image",
        "list-table",
    }


@pytest.mark.parametrize("name", GUIDES)
def test_a_picture_of_a_guide_exists_and_has_a_text_for_those_who_do_not_see_it(name):
    pictures = re.findall(r"^\.\. image:: (.+)\n((?:   .+\n)*)", guide(name), re.MULTILINE)
    found = [(repository.ROOT / "docs" / "docsite" / "rst" / path).resolve() for path, _options in pictures]
    assert [path for path in found if path.parent != repository.ROOT / "docs" / "images" or not path.is_file()] == []
    assert [path for path, options in pictures if not options.startswith("   :alt: ")] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *(f"docs/docsite/rst/{name}.rst" for name in GUIDES)])
def test_every_link_to_a_page_of_the_project_leads_somewhere(page):
    text = repository.text(*page.split("/"))
    home = repository.load("galaxy.yml")["repository"]
    links = re.findall(rf"<{re.escape(home)}/blob/main/([^>#]+)>`__", text)
    links += [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link] if page.endswith(".md") else []
    assert [link for link in links if not (repository.ROOT / link).exists()] == []


PICTURES = sorted((repository.ROOT / "docs" / "images").iterdir())
LARGEST_PICTURE = 150_000
"""Bytes of a picture of a screen."""


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_a_picture_is_shown_by_a_guide_and_loads_nothing_from_elsewhere(path):
    """A code host shows pictures without scripts and without other files."""
    assert [name for name in GUIDES if f"../../images/{path.name}" in guide(name)] != []
    if path.suffix == ".png":
        assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert path.stat().st_size <= LARGEST_PICTURE
        return
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"<(?:script|image|foreignObject)\b|href=|@import|url\((?!#)", text) == []
    assert all(part in text for part in ('role="img"', "<title ", "<desc ", 'class="card"'))


LIBRARY = repository.ROOT / "plugins" / "module_utils"
_IN_THE_LIBRARY = re.compile(r"``(_(?:core|host|endpoint|server)/[a-z_/]+(?:\.py)?)``")


def test_every_file_and_package_that_the_architecture_names_exists():
    named = set(_IN_THE_LIBRARY.findall(guide("architecture")))
    assert len([name for name in named if name.endswith(".py")]) >= 10
    assert [name for name in sorted(named) if not (LIBRARY / name).exists()] == []


def test_the_architecture_has_every_package_of_the_library():
    packages = {face.parent.relative_to(LIBRARY).as_posix() for face in LIBRARY.glob("_[cehs]*/**/__init__.py")}
    packages = {name for name in packages if "/" in name}
    assert packages - set(_IN_THE_LIBRARY.findall(guide("architecture"))) == set()


def quoted_messages() -> list[str]:
    blocks = re.findall(r"\.\. code-block:: text\n\n((?:    .*\n)+)", guide("troubleshooting"))
    return [line.strip() for block in blocks for line in block.splitlines()]


def test_every_message_that_troubleshooting_quotes_is_one_of_the_programs():
    known = messages.texts()
    assert len(quoted_messages()) > 40
    assert {line: pieces for line in quoted_messages() if (pieces := messages.missing(line, known))} == {}


def test_a_message_that_nobody_prints_would_be_found():
    assert messages.missing("freshclam is not installed yet", messages.texts()) == ["installed yet"]


def test_troubleshooting_has_every_reason_for_which_a_configuration_is_not_adopted():
    refused = {result.value for result in SyncResult} - {"adopted", "unchanged"}
    assert set(rows(section("troubleshooting", "An endpoint does not adopt its configuration"))) == refused


def test_troubleshooting_has_every_reason_for_which_a_report_is_refused():
    refused = {code.value for code in Refusal}
    assert set(rows(section("troubleshooting", "The server refuses the report of an endpoint"))) == refused


def test_the_lab_follows_sections_that_the_guide_has():
    """A heading that changes would be noticed by the lab alone, much later."""
    followed = set(re.findall(r'follow\("([^"]+)"\)', repository.text("tests", "lab", "test_server_lost.py")))
    headings = set(re.findall(r"^(.+)\n-+$", guide("server_lost"), re.MULTILINE))
    assert followed
    assert followed - headings == set()


def test_who_looks_for_the_documentation_comes_to_a_page_that_lists_the_guides():
    place, _hash, section = repository.load("galaxy.yml")["documentation"].partition("#")
    assert place == repository.load("galaxy.yml")["repository"]
    listed = README.partition(f"\n## {section.capitalize()}\n")[2].partition("\n## ")[0]
    assert [name for name in GUIDES if f"(docs/docsite/rst/{name}.rst)" not in listed] == []
