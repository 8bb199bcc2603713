# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Before and after as values, and as Ansible's diff shows them."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import sha256_hex
from ansible_collections.epp.autoupdate.plugins.module_utils._core.resources.diff import (
    Action,
    ActualState,
    ansible_diff,
    compare,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._core.resources.resources import (
    Absent,
    Directory,
    File,
    Link,
    Resource,
)

FILE = File("/etc/x", b"new\n")


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (FILE, ActualState(content=b"new\n", mode=0o644)),
        (Link("/etc/l", "x"), ActualState(target="x")),
        (Directory("/etc/d"), ActualState(mode=0o755)),
        (Absent("/etc/x"), None),
    ],
)
def test_what_is_as_it_should_be_is_no_change(entry: Resource, found: ActualState | None) -> None:
    assert compare(entry, found) is None


@pytest.mark.parametrize(
    ("entry", "found", "action", "before", "after"),
    [
        (FILE, None, Action.CREATE, None, "new\n"),
        (FILE, ActualState(content=b"old\n", mode=0o644), Action.MODIFY, "old\n", "new\n"),
        (FILE, ActualState(content=b"new\n", mode=0o600), Action.MODIFY, "new\n", "new\n"),
        (FILE, ActualState(target="y"), Action.MODIFY, "link to y\n", "new\n"),
        (FILE, ActualState(mode=0o755), Action.MODIFY, "directory\n", "new\n"),
        (FILE, ActualState(), Action.MODIFY, "special file\n", "new\n"),
        (Link("/etc/l", "x"), None, Action.CREATE, None, "link to x\n"),
        (Directory("/etc/d", 0o700), ActualState(mode=0o755), Action.MODIFY, "directory\n", "directory\n"),
        (Absent("/etc/x"), ActualState(content=b"old\n", mode=0o644), Action.REMOVE, "old\n", None),
    ],
)
def test_changes(
    entry: Resource, found: ActualState | None, action: Action, before: str | None, after: str | None
) -> None:
    change = compare(entry, found)
    assert change is not None
    assert (change.path, change.action, change.before, change.after) == (entry.path, action, before, after)


def test_a_diff_names_the_mode_and_what_is_not_there() -> None:
    created = compare(FILE, None)
    chmod = compare(FILE, ActualState(content=b"new\n", mode=0o600))
    assert created is not None
    assert chmod is not None
    assert ansible_diff([created, chmod]) == [
        {"before_header": "/etc/x (absent)", "after_header": "/etc/x (mode 0644)", "before": "", "after": "new\n"},
        {
            "before_header": "/etc/x (mode 0600)",
            "after_header": "/etc/x (mode 0644)",
            "before": "new\n",
            "after": "new\n",
        },
    ]


def test_secrets_stay_hidden_and_still_show_that_they_differ() -> None:
    change = compare(File("/etc/s", b"hunter2", 0o600, secret=True), ActualState(content=b"hunter1", mode=0o600))
    assert change is not None
    assert "hunter" not in repr(change) + repr(ansible_diff([change]))
    assert change.before != change.after
    assert "sha256" in str(change.after)
    removed = compare(Absent("/etc/s"), ActualState(content=b"hunter1", mode=0o600))
    assert "hunter" not in repr(removed)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a\0b", b"x" * 200_000])
def test_what_nobody_could_read_is_shown_by_its_digest(content: bytes) -> None:
    change = compare(File("/usr/local/bin/a", content, 0o755), None)
    assert change is not None
    assert "sha256" in str(change.after)
    assert len(str(change.after)) < 150


def test_a_program_is_shown_by_its_version() -> None:
    built = b'#!/usr/bin/python3\nPK\x03\x04\xff\xfe# comment\nVERSION = "1.2.3"\nPK'
    change = compare(File("/usr/local/bin/epp-agent", built, 0o755), ActualState(content=b"\xff\0other", mode=0o755))
    assert change is not None
    assert change.after == f"(version 1.2.3: {len(built)} bytes, sha256 {sha256_hex(built)})\n"
    assert (change.before or "").startswith("(binary: 7 bytes")


def test_urls_show_no_secret_and_still_that_they_differ() -> None:
    """A password, a token or a customer's key may be in any file that has URLs."""
    old = ActualState(content=b"DatabaseCustomURL https://a.example.com/hunter1/x.ndb\n", mode=0o600)
    change = compare(File("/etc/f", b"DatabaseCustomURL https://a.example.com/hunter2/x.ndb\n", 0o600), old)
    assert change is not None
    assert "hunter" not in repr(change) + repr(ansible_diff([change]))
    assert change.before == "DatabaseCustomURL https://a.example.com/\u2026/x.ndb\n"
    assert change.after == f"{change.before}(what differs is a part of a URL that is not shown)\n"
    chmod = compare(File("/etc/f", old.content or b"", 0o640), old)
    assert chmod is not None
    assert chmod.before == chmod.after
