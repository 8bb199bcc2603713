# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changelog of the first release: what the collection does, and no changes to what nobody has had."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from . import repository

OF_LATER_RELEASES = {"breaking_changes", "deprecated_features", "removed_features", "security_fixes", "bugfixes"}
"""Sections about something that a release before had."""


def is_released() -> bool:
    """Whether the changelog has this version, or any before it."""
    changelog = repository.load("changelogs", "changelog.yaml")
    return bool(changelog["releases"] or changelog["ancestor"])


def fragments() -> dict[str, dict[str, Any]]:
    """Every fragment, by its file's name."""
    paths = (repository.ROOT / "changelogs" / "fragments").glob("*.y*ml")
    return {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths}


before_the_first_release = pytest.mark.skipif(is_released(), reason="there is a release")


@before_the_first_release
def test_the_first_release_has_nothing_to_fix_or_to_break():
    assert fragments(), "the changelog of a release has entries"
    found = {name: sorted(OF_LATER_RELEASES & set(content)) for name, content in fragments().items()}
    assert {name: sections for name, sections in found.items() if sections} == {}, "describe the feature instead"


@before_the_first_release
def test_the_first_release_lists_every_playbook():
    """antsibull-changelog finds plugins and roles itself, and playbooks not."""
    listed = [one["name"] for content in fragments().values() for one in content.get("add object.playbook", ())]
    assert sorted(listed) == repository.playbooks()


def test_a_fragment_has_sections_that_the_configuration_knows():
    config = repository.load("changelogs", "config.yaml")
    known = {name for name, _title in config["sections"]} | {config["prelude_section_name"], "trivial"}
    for name, content in fragments().items():
        assert {one for one in content if not one.startswith(("add object.", "add plugin."))} <= known, name
