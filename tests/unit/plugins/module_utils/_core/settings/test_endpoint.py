# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoint's document: what is allowed, what is filled in, and that no input breaks the reading."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import (
    ClamavSettings,
    EndpointDocument,
    ProductKind,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from hypothesis import given, settings
from hypothesis import strategies as st

SMALLEST: dict[str, Any] = {"format": 1, "endpoint": "n1", "product": "clamav"}
RICH: dict[str, Any] = {
    "format": 1,
    "endpoint": "web-01.example.com",
    "domain": "emea/finance",
    "ordinal": 4,
    "policy": {
        "events": {"include_roaming_and_offline": True, "scan_after_update": True},
        "schedule": {"frequency": "weekly", "day": "sunday", "start": "23:30", "window": "3d", "timezone": "local"},
        "privileges": {"toggle_scheduled_update": True},
        "components": {"scope": "all"},
        "sources": {"urls": ["https://[2001:db8::1]:8443/epp/"], "proxy": "http://proxy.example.com:3128"},
    },
    "product": "command",
    "command": {"update": ["/opt/av/up date", "", "--p=100%"], "version": ["/opt/av/version"]},
    "scan_paths": ["/", "/srv//data/"],
    "scheduler": "cron",
    "user_group": "epp-users",
    "reconnect": {"probe": "1m", "jitter": "0s", "wait": "0s"},
    "limits": {"update": "90m", "scan": "1d"},
    "probe": {"enabled": False, "find": ["/srv/a"], "clean": [], "command": ["/bin/true"], "timeout": "90s"},
    "restore": {"keep_versions": 0, "keep_space": "1536M"},
    "held_versions": [{"version": "7"}, {"component": "daily", "version": "27001", "reason": "it is bad"}],
    "textfile_directory": "/var/lib/node_exporter",
}


@pytest.mark.parametrize("raw", [SMALLEST, RICH], ids=["smallest", "rich"])
def test_the_canonical_form_reads_back_as_the_same_document(raw: dict[str, Any]) -> None:
    document = EndpointDocument.from_dict(raw)
    again = EndpointDocument.from_dict(document.to_dict())
    assert again == document
    assert again.to_dict() == document.to_dict()


def test_defaults_fill_what_is_missing() -> None:
    document = EndpointDocument.from_dict(SMALLEST)
    assert document.clamav == ClamavSettings()
    assert (document.reconnect.probe, document.reconnect.jitter, document.reconnect.wait) == (300, 120, 240)
    assert (document.limits.update, document.limits.scan) == (1800, 21600)
    assert (document.probe.enabled, document.probe.timeout, document.held_versions) == (True, 300, ())
    assert document.to_dict()["restore"] == {"keep_versions": 2, "keep_space": "1G"}
    assert document.policy.schedule.window == 7200
    assert document.to_dict()["policy"]["schedule"] == {
        "frequency": "daily",
        "start": "12:00",
        "window": "2h",
        "timezone": "UTC",
        "spread": "even",
        "initiator": "endpoint",
        "blackouts": [],
        "blackout_exceptions": ["rollback", "expedite", "update_now"],
    }


def test_values_are_brought_into_their_plain_form() -> None:
    document = EndpointDocument.from_dict(RICH)
    assert document.policy.sources.urls == ("https://[2001:db8::1]:8443/epp",)
    assert document.scan_paths == ("/", "/srv/data")
    assert document.command.update == ("/opt/av/up date", "", "--p=100%")


def test_settings_of_another_product_are_checked_but_make_no_difference() -> None:
    other = {**SMALLEST, "files": {"directory": "/srv/x"}}
    assert EndpointDocument.from_dict(other) == EndpointDocument.from_dict(SMALLEST)
    assert "files" not in EndpointDocument.from_dict(other).to_dict()
    with pytest.raises(InvalidDocument):
        EndpointDocument.from_dict({**SMALLEST, "files": {"directory": "srv"}})


def test_a_database_may_come_from_a_file() -> None:
    raw = {
        **SMALLEST,
        "clamav": {"databases": [], "custom_urls": ["file:///srv/own.ndb", "https://a.example/x.ndb?v=1"]},
    }
    document = EndpointDocument.from_dict(raw)
    assert document.product == ProductKind.CLAMAV
    assert document.clamav.custom_urls == ("file:///srv/own.ndb", "https://a.example/x.ndb?v=1")


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hunter2@a.example.com",
        "http://hunter2@a.example.com",
        "http://user:hunter2@",
        "user:hunter2@a.example.com",
        "http://user:hunter2\\@a.example.com",
        "http://user:hunter2/@a.example.com",
        "HTTP://user:hunter2@a.example.com",
        "ftp://user:hunter2@a.example.com",
        "http://a.example.com?token=hunter2",
        "http:/user:hunter2@a.example.com",
        "http://user:hunter2@a.example.com\n",
    ],
)
def test_no_message_repeats_a_secret(url: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        EndpointDocument.from_dict({**SMALLEST, "policy": {"sources": {"urls": [url], "proxy": url}}})
    assert len(refused.value.errors) == 2
    assert "hunter2" not in str(refused.value) + repr(refused.value)


@pytest.mark.parametrize(
    ("raw", "count"),
    [
        ({**SMALLEST, **{f"key{number}": 1 for number in range(50_000)}}, 50_000),
        ({**SMALLEST, "x" * 10_000_000: "y" * 10_000_000}, 1),
        ({**SMALLEST, "ordinal": 1 << 4_000_000}, 1),
        ({**SMALLEST, "scan_paths": ["/a"] * 1_000_000}, 1),
        ({**SMALLEST, "policy": {"schedule": {"window": "9" * 1_000_000 + "h"}}}, 1),
        ({**SMALLEST, 7: 1, None: 2, (1, 2): 3, True: 4}, 4),
    ],
    ids=["keys", "texts", "number", "list", "duration", "keys that are no texts"],
)
def test_a_wildly_large_document_is_refused_in_a_few_lines(raw: dict[Any, Any], count: int) -> None:
    with pytest.raises(InvalidDocument) as refused:
        EndpointDocument.from_dict(raw)
    assert len(refused.value.errors) == count
    assert len(str(refused.value)) < 100_000


def attempt(raw: object) -> tuple[EndpointDocument | None, str]:
    try:
        return EndpointDocument.from_dict(raw), ""
    except InvalidDocument as refused:
        return None, str(refused)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(sorted({*RICH, "clamav", "files"}))
POLICY = st.fixed_dictionaries(
    {},
    optional={
        section: ANYTHING | st.dictionaries(st.sampled_from(sorted(keys)), ANYTHING, max_size=4)
        for section, keys in EndpointDocument.from_dict(RICH).policy.to_dict().items()
    },
)


@settings(max_examples=300, deadline=None)
@given(ANYTHING | st.dictionaries(KEYS, ANYTHING, max_size=6), POLICY)
def test_whatever_comes_it_is_read_or_refused(raw: Any, policy: Any) -> None:
    if isinstance(raw, dict):
        raw = {**RICH, **raw, "policy": policy}
    document, message = attempt(raw)
    if document is None:
        assert message.replace("\n", "").isprintable()
        return
    assert EndpointDocument.from_dict(document.to_dict()) == document


TEXTS = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(
    ["/a\n", "/a\rb", "/a\0", "/a\u2028b", "/\ud800"]
)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.sampled_from(["endpoint", "domain", "user_group", "textfile_directory", "scan_paths", "command"]))
def test_no_text_that_passes_can_become_a_second_line(text: str, key: str) -> None:
    value: Any = {"scan_paths": ["/" + text], "textfile_directory": "/" + text}.get(key, text)
    if key == "command":
        value = {"update": ["/bin/true", text], "version": ["/bin/true"]}
    document, _message = attempt({**RICH, key: value})
    if document is None:
        return
    texts = (document.endpoint, document.domain, document.user_group, document.textfile_directory)
    for passed in (*texts, *document.scan_paths, *document.command.update):
        assert passed.isprintable()
        assert len(f"_{passed}_".splitlines()) == 1
        passed.encode("utf-8")
