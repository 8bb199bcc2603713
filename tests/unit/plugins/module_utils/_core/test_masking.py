# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.masking import (
    url_like,
    without_arguments,
    without_secrets,
)

OBJECT = "objects/ab/ab" + "0" * 62


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://a.example.com", "https://a.example.com"),
        ("https://a.example.com/", "https://a.example.com/"),
        ("https://a.example.com/x.ndb", "https://a.example.com/x.ndb"),
        ("https://a.example.com/KEY", "https://a.example.com/\u2026"),
        ("https://a.example.com/KEY/", "https://a.example.com/\u2026"),
        ("https://a.example.com/KEY/x.ndb", "https://a.example.com/\u2026/x.ndb"),
        ("https://a.example.com/one/KEY/x.ndb?key=KEY#KEY", "https://a.example.com/\u2026/x.ndb?***#***"),
        ("https://me:KEY@a.example.com:8443/x.zip", "https://***@a.example.com:8443/x.zip"),
        ("https://KEY@a.example.com/rules.git", "https://***@a.example.com/rules.git"),
        ("https://me:K@Y@a.example.com/rules.git", "https://***@a.example.com/rules.git"),
        ("https://me:KE/Y@a.example.com/x.zip", "https://***/\u2026/x.zip"),
        ("https://[2001:db8::1]:80/KEY/x.ndb", "https://[2001:db8::1]:80/\u2026/x.ndb"),
        ("file:///srv/rules/x.ndb", "file:///srv/rules/x.ndb"),
        ("ssh://git:KEY@host/srv/rules", "ssh://***@host/\u2026"),
        (f"http://a.example.com/{OBJECT}", f"http://a.example.com/{OBJECT}"),
        (f"http://a.example.com/KEY/{OBJECT}", f"http://a.example.com/\u2026/{OBJECT}"),
        ("http://a.example.com/KEY/objects/cd/ab" + "0" * 62, "http://a.example.com/\u2026"),
        ("the source lacks http://a/KEY/x.ndb (404)", "the source lacks http://a/\u2026/x.ndb (404)"),
        ('{"u": "http://a/KEY/x.ndb", "v": 1}', '{"u": "http://a/\u2026/x.ndb", "v": 1}'),
        ("(see http://a/KEY/x.ndb). http://b/KEY, too", "(see http://a/\u2026/x.ndb). http://b/\u2026, too"),
        ("nothing of the kind", "nothing of the kind"),
        ("://", "://"),
    ],
)
def test_a_url_shows_scheme_host_and_file(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
    assert without_secrets(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a.example.com/KEY/x.ndb", "a.example.com/\u2026/x.ndb"),
        ("https:/a.example.com/KEY/x.ndb", "https:/\u2026/x.ndb"),
        ("htps://a.example.com/KEY/x.ndb", "htps://a.example.com/\u2026/x.ndb"),
        ("updates.example.com", "updates.example.com"),
        ("", ""),
    ],
)
def test_what_is_no_url_shows_no_more(text: str, shown: str) -> None:
    assert url_like(text) == shown


@pytest.mark.parametrize(
    ("said", "argv", "shown"),
    [
        ("license KEY12345 is bad", ("/av", "--license", "KEY12345"), "license *** is bad"),
        ("license KEY12345 is bad", ("/av", "--license=KEY12345"), "license *** is bad"),
        ("unknown option --quiet", ("/av", "--quiet"), "unknown option --quiet"),
        ("/etc/av.conf: line 1", ("/av", "/etc/av.conf"), "/etc/av.conf: line 1"),
        ("no to all", ("/av", "no"), "no to all"),
        ("https://host/KEY12345/x.db: 403", ("/av",), "https://host/\u2026/x.db: 403"),
        ("long-KEY12345 KEY12345", ("/av", "KEY12345", "long-KEY12345"), "*** ***"),
    ],
)
def test_what_a_program_was_called_with_is_not_shown(said: str, argv: tuple[str, ...], shown: str) -> None:
    assert without_arguments(said, argv) == shown
