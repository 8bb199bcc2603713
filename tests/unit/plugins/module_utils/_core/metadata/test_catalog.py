# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signed catalog, who is behind it, and the settings of what is downloaded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.catalog import (
    Catalog,
    CatalogItem,
    CatalogManifest,
    version_label,
    versions_of,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.header import Header
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.manifest import Kind
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.components import read_components
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.notify import NotifySettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace

ITEM = CatalogItem("clamav", "daily", "27500", Kind.PATTERN, 12, "0" * 64, "components/clamav/daily.cvd")
MANIFEST = CatalogManifest("files", 34, "1" * 64, "components/files/manifest.json")
CATALOG = Catalog.of(Header(3, 10, 20), [replace(ITEM, name="main"), ITEM], [MANIFEST])


def test_a_catalog_survives_its_bytes_and_is_sorted() -> None:
    assert Catalog.from_bytes(CATALOG.to_bytes()) == CATALOG
    assert [item.name for item in CATALOG.components] == ["daily", "main"]
    assert CATALOG.digest() == replace(CATALOG, header=Header(9, 10, 99)).digest()
    assert CATALOG.digest() != replace(CATALOG, components=(ITEM,)).digest()
    assert CATALOG.digest() != replace(CATALOG, manifests=(replace(MANIFEST, sha256="2" * 64),)).digest()


def test_a_manifest_is_no_component() -> None:
    """Nobody is behind for its sake, and no version is told of it."""
    assert versions_of(CATALOG.components) == {"daily": "27500", "main": "27500"}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"format": 2}, "format"),
        ({"format": True}, "format"),
        ({"kind": "tree"}, "kind"),
        ({"serial": -1}, "serial"),
        ({"issued": "1"}, "issued"),
        ({"more": 1}, "more"),
        ({"components": {}}, "components"),
        ({"components": [{}]}, "components[0].name"),
        ({"components": [1]}, "components[0]"),
        ({"manifests": None}, "manifests"),
        ({"manifests": [{}]}, "manifests[0].sha256"),
        ({"manifests": [{"version": "1"}]}, "manifests[0].version"),
    ],
)
def test_errors_of_a_catalog_have_their_path(change: dict[str, Any], path: str) -> None:
    raw = {**json.loads(CATALOG.to_bytes()), **change}
    with pytest.raises(InvalidDocument) as refused:
        Catalog.from_bytes(json.dumps(raw).encode())
    assert path in [error.path for error in refused.value.errors]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("product", "word"),
        ("sha256", "0" * 63),
        ("sha256", "A" * 64),
        ("size", -1),
        ("kind", "virus"),
        ("path", "../etc/passwd"),
        ("path", "/etc/passwd"),
        ("path", "http://elsewhere/x"),
        ("name", ""),
        ("version", "1\n2"),
    ],
)
def test_errors_of_an_item_have_their_path(key: str, value: object) -> None:
    raw = json.loads(CATALOG.to_bytes())
    raw["components"][1][key] = value
    with pytest.raises(InvalidDocument) as refused:
        Catalog.from_bytes(json.dumps(raw).encode())
    assert [error.path for error in refused.value.errors] == [f"components[1].{key}"]


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_what_is_no_catalog_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidDocument):
        Catalog.from_bytes(content)


def test_equal_versions_have_equal_words() -> None:
    assert version_label({"main": "62", "daily": "27500"}) == "daily=27500 main=62"
    many = {f"component{number}": "1" for number in range(40)}
    assert version_label(many) == version_label(dict(reversed(list(many.items()))))
    assert len(version_label(many)) < 60
    assert version_label(many) != version_label({**many, "component0": "2"})


@pytest.mark.parametrize(
    ("raw", "paths"),
    [
        ({"word": {}}, ["components.word"]),
        ({"files": {}}, ["components.files"]),
        ({"files": {"directory": "/srv/a", "url": "http://h/a.tar"}}, ["components.files"]),
        ({"files": {"directory": "srv"}}, ["components.files.directory"]),
        ({"files": {"git": "ext::sh -c id"}}, ["components.files.git"]),
        ({"files": {"git": "--upload-pack=id"}}, ["components.files.git"]),
        ({"files": {"git": "/srv/a", "branch": "--all"}}, ["components.files.branch"]),
        ({"files": {"url": "file:///etc/passwd"}}, ["components.files.url"]),
        ({"command": {}}, ["components.command.fetch"]),
        ({"command": {"fetch": ["sh"]}}, ["components.command.fetch"]),
        ({"clamav": {"databases": ["mine"]}}, ["components.clamav.databases[0]"]),
        (
            {"clamav": {"mirror": "ftp://h", "keep_cdiffs": 0}},
            ["components.clamav.mirror", "components.clamav.keep_cdiffs"],
        ),
        ({"clamav": {"extra": {"daily.cvd": "http://h/daily.cvd"}}}, ["components.clamav.extra"]),
        ({"clamav": {"extra": {"../x.ndb": "http://h/x.ndb"}}}, ["components.clamav.extra"]),
    ],
)  # fmt: skip
def test_errors_of_the_components_settings_have_their_path(raw: object, paths: list[str]) -> None:
    with pytest.raises(InvalidDocument) as refused:
        read_components(raw)
    assert [error.path for error in refused.value.errors] == paths


def test_the_defaults_of_notifying_are_those_of_the_rules() -> None:
    settings = NotifySettings.from_dict({})
    assert (settings.caps.normal, settings.caps.peak, settings.caps.off_peak) == (250, 250, 250)
    limits = settings.limits
    assert (limits.lease, limits.retry_delay, limits.retries, limits.offline_ttl) == (1800, 900, 5, 7 * 86400)
    chosen = NotifySettings.from_dict(
        {"max_in_flight": 40, "max_in_flight_peak": 10, "peak_hours": ["08:00-18:00"], "retry_delay": "1m"}
    )
    assert (chosen.caps.normal, chosen.caps.peak, chosen.caps.off_peak) == (40, 10, 40)
    assert chosen.limits.retry_delay == 60


def test_all_errors_of_the_notify_settings_at_once() -> None:
    with pytest.raises(InvalidDocument) as refused:
        NotifySettings.from_dict({"max_in_flight": 0, "notifier": "pigeon", "peak_hours": ["8-18"], "more": 1})
    found = [error.path for error in refused.value.errors]
    assert found == ["notify.max_in_flight", "notify.notifier", "notify.peak_hours[0]", "notify.more"]
