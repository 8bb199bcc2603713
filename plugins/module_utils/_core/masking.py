# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""URLs and command lines as messages, logs and diffs may show them.

Passwords stand before a URL's host, tokens in its query, and vendors put a customer's key into its path. So what is
shown is scheme, host and the name of a file: ``https://***@host/…/vendor.ndb?***``.
"""

from __future__ import annotations

import re

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}://[^\s\"'<>`|\\^{}]+")
_PARTS = re.compile(r"([^:]+://)([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_HOST = re.compile(r"(?:[A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}\.[A-Za-z0-9]{1,8}")
_OBJECT = re.compile(r"(?:.*/)?(objects/([0-9a-f]{2})/\2[0-9a-f]{62})")
"""Content under its own digest, which is no secret."""
_AFTER = ".,:;!?)]"
"""What ends a URL in a sentence and is no part of it."""
_HIDDEN = "***"
_DIRECTORIES = "\u2026"
_SHORTEST = 4
"""Characters of an argument that is taken for a secret: a shorter one would blot out words of the message."""


def without_secrets(text: str) -> str:
    """The text, in which no URL shows what may be a secret; the same again for what it returned."""
    return _URL.sub(_shown, text) if "://" in text else text


def url_like(text: str) -> str:
    """What was meant to be a URL and may be none: the first and the last of its words between slashes."""
    if "://" in text:
        return without_secrets(text)
    first, slash, rest = text.partition("/")
    return f"{first}{slash}{_place(rest)}" if slash else text


def without_arguments(text: str, argv: tuple[str, ...]) -> str:
    """What a program said, in which no value that it was called with is shown; names of options and paths are."""
    values = {one.partition("=")[2] if one.startswith("-") else one for one in argv[1:]}
    secrets = (one for one in values if len(one) >= _SHORTEST and not one.startswith("/"))
    for one in sorted(secrets, key=len, reverse=True):
        text = text.replace(one, _HIDDEN)
    return without_secrets(text)


def _shown(found: re.Match[str]) -> str:
    whole = found[0]
    url = whole.rstrip(_AFTER)
    match = _PARTS.fullmatch(url)
    if match is None:
        return _HIDDEN
    scheme, place, path, query, fragment = match.groups()
    user, at, host = place.rpartition("@")
    shown = f"{scheme}{_HIDDEN + at if user or at else ''}{host if _HOST.fullmatch(host) else _HIDDEN}"
    if scheme == "file://" and not place:
        return whole  # a path of this host
    more = ("?" + _HIDDEN if query else "") + ("#" + _HIDDEN if fragment else "")
    return f"{shown}/{_place(path[1:])}{more}{whole[len(url) :]}" if path else f"{shown}{more}{whole[len(url) :]}"


def _place(path: str) -> str:
    """A path without its leading slash, of which the name of a file is shown."""
    published = _OBJECT.fullmatch(path)
    if published:
        return path if published[1] == path else f"{_DIRECTORIES}/{published[1]}"
    above, slash, name = path.rpartition("/")
    last = name if not name or _FILE.fullmatch(name) else _DIRECTORIES
    if not slash or above == "":
        return last
    return f"{_DIRECTORIES}/{last}" if last not in ("", _DIRECTORIES) else _DIRECTORIES
