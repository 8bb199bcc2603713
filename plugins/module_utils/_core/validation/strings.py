# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readers of texts that end up in unit files, cron tables, rules and argument lists.

What passes here holds no line break and no other control character, so that it cannot become a second line of
anything. Quoting for one format (``%`` of systemd and cron, white space) is the business of who writes that format.
"""

from __future__ import annotations

import re
from typing import Callable

from ..masking import url_like
from ..values import frozen
from .errors import show
from .parsers import InvalidValue

ENDPOINT_NAME = "[A-Za-z0-9_](?:[A-Za-z0-9._:-]{0,250}[A-Za-z0-9_])?"
"""The pattern of an endpoint's name, as web servers know it, too."""
PRODUCT_NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}")
"""The name of a product, built in or defined."""
HOMES = ("/home/", "/root/", "/run/user/")
"""What ``ProtectHome=`` hides (systemd.exec(5))."""
_TEMPORARY = ("/tmp/", "/var/tmp/")
"""What each service has of its own by ``PrivateTmp=``."""
_NAME = re.compile(ENDPOINT_NAME)
_DOMAIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_])?")
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_RING = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?")
_STREAM = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_DATABASE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_PACKAGE_VERSION = re.compile(r"[0-9][A-Za-z0-9.+~:-]{0,99}")
_URL = re.compile(
    r"(?P<scheme>[a-z]{1,8})://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>/[A-Za-z0-9._~:/@%+,;=!$&()*-]*)?(?P<query>\?[A-Za-z0-9._~:/?@%+,;=!$&()*-]*)?"
)
_FILE_URL = re.compile(r"file://(/[A-Za-z0-9._~:/@%+,=-]+)")
_PORTS = {"http": 80, "https": 443}
_LONGEST = 4096
_DEEPEST_DOMAIN = 16


def line(value: object, allowed: str) -> str:
    """A text of one line without control characters, not empty; ``allowed`` says what it should have been."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise InvalidValue(allowed)
    # isprintable() refuses every control and format character, line and paragraph separators, and lone surrogates.
    if not value.isprintable():
        raise InvalidValue(f"{allowed} without line breaks and control characters")
    return value


def path(value: object) -> str:
    """An absolute path without ``.`` and ``..``, in its plain form (no doubled or trailing slash)."""
    text = line(value, "an absolute path")
    parts = [part for part in text.split("/") if part]
    if not text.startswith("/") or "." in parts or ".." in parts:
        raise InvalidValue("an absolute path (from / on, without . and ..)")
    return "/" + "/".join(parts)


def visible_path(value: object) -> str:
    """An absolute path of a file that services see, which are shut in."""
    text = path(value)
    if text.startswith((*HOMES, *_TEMPORARY)):
        hidden = ", ".join(place.rstrip("/") for place in (*HOMES, *_TEMPORARY))
        raise InvalidValue(f"a path that services see (such as one in /etc; they see nothing below {hidden})")
    return text


def directory(value: object) -> str:
    """A path that may be a directory of our own, so never ``/`` itself."""
    text = path(value)
    if text == "/":
        raise InvalidValue("a directory below /")
    return text


def endpoint_name(value: object) -> str:
    """An endpoint's identity."""
    allowed = "a name (letters, digits and . _ : - inside, at most 252)"
    return _matching(_NAME, value, allowed)


def domain_path(value: object) -> str:
    """A domain in the client tree: names with ``/`` between; the empty text is the root."""
    allowed = f"a domain such as emea/finance (at most {_DEEPEST_DOMAIN} names of letters, digits and . _ - inside)"
    if value == "":
        return ""
    names = line(value, allowed).split("/")
    if len(names) > _DEEPEST_DOMAIN or not all(_DOMAIN.fullmatch(name) for name in names):
        raise InvalidValue(allowed)
    return "/".join(names)


def account(value: object) -> str:
    """The name of a user or a group."""
    return _matching(_ACCOUNT, value, "an account name (small letters, digits, _ and -, at most 31)")


def database(value: object) -> str:
    """The name of a ClamAV database, without its suffix."""
    return _matching(_DATABASE, value, "a database name (letters, digits, _ and -)")


def ring_name(value: object) -> str:
    """The name of a ring, which the channel that it is offered has, too."""
    return _matching(_RING, value, "a name of at most 32 small letters and digits, with - and _ inside")


def stream_name(value: object) -> str:
    """The name of a stream of packages: a distribution and an architecture."""
    return _matching(_STREAM, value, "a name of at most 64 small letters and digits, with ., - and _ inside")


def package_version(value: object) -> str:
    """The version of a package of the operating system, as its package manager prints it."""
    return _matching(_PACKAGE_VERSION, value, 'the version of a package (try "1.4.3+dfsg-1~deb13u1", in quotes)')


def argument(value: object) -> str:
    """One argument of a command; it may be empty."""
    try:
        return "" if value == "" else line(value, "an argument (a text)")
    except InvalidValue as unfit:
        raise InvalidValue(unfit.allowed, found=unshown(value)) from None


def given_arguments(value: object) -> object:
    """What should be an argument list; raises InvalidValue for a whole command line, which is not shown."""
    if isinstance(value, str):
        raise InvalidValue("a list: the program and each of its arguments as an item", found=unshown(value))
    return value


def url(*schemes: str, origin_only: bool = False) -> Callable[[object], str]:
    """A reader of URLs with a host; with ``origin_only`` there is nothing behind host and port."""
    allowed = f"{'an' if schemes[0] == 'https' else 'a'} {' or '.join(schemes)} URL"
    example = "http://proxy.example.com:3128" if origin_only else f"{schemes[-1]}://updates.example.com/epp"

    def parse(value: object) -> str:
        if isinstance(value, str) and "file" in schemes and _FILE_URL.fullmatch(value):
            path(value[len("file://") :])
            return value
        match = _URL.fullmatch(value) if isinstance(value, str) and len(value) <= _LONGEST else None
        _refuse_credentials(value)
        if match is None or match["scheme"] not in schemes or match["scheme"] == "file":
            raise InvalidValue(f"{allowed} (try {example})", found=safe_url(value))
        if match["port"] and not 0 < int(match["port"]) < 65536:
            raise InvalidValue("a URL with a port from 1 to 65535", found=safe_url(value))
        if origin_only and (match["path"] or "/") + (match["query"] or "") != "/":
            raise InvalidValue(f"a URL of host and port only (try {example})", found=safe_url(value))
        return match[0]

    return parse


def base_url(*schemes: str, origin_only: bool = False) -> Callable[[object], str]:
    """A reader of URLs that something is added to: without query and without a trailing slash."""
    whole = url(*schemes, origin_only=origin_only)

    def parse(value: object) -> str:
        text = whole(value)
        if "?" in text:
            raise InvalidValue("a URL without a query", found=safe_url(text))
        return text.rstrip("/")

    return parse


@frozen
class UrlParts:
    """A URL that was read, in its parts; ``host`` keeps the brackets of IP version 6."""

    scheme: str
    host: str
    port: int
    path: str


def url_parts(text: str) -> UrlParts:
    """The parts of a URL that ``url`` has read; where it names no port, it is the scheme's."""
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError("not a URL that was read before")
    port = int(match["port"]) if match["port"] else _PORTS.get(match["scheme"], 0)
    return UrlParts(match["scheme"], match["host"], port, (match["path"] or "").rstrip("/"))


def _matching(pattern: re.Pattern[str], value: object, allowed: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidValue(allowed)
    return value


def _refuse_credentials(value: object) -> None:
    """Refuse ``user:password@host``; such a URL would end in world-readable files and in logs."""
    if isinstance(value, str) and "@" in value.partition("://")[2].partition("?")[0].partition("/")[0]:
        raise InvalidValue("a URL without user and password", found="a URL with credentials (not shown)")


def safe_url(value: object) -> str:
    """What was meant to be a URL, as a message may show it; what could hold a secret is left out."""
    if isinstance(value, str) and ("@" in value or "?" in value):
        return unshown(value)
    return show(url_like(value)) if isinstance(value, str) else show(value)


def unshown(value: object) -> str:
    """What a message says instead of a text that may hold a secret."""
    if not isinstance(value, str):
        return show(value)
    return f"a text of {len(value)} characters (not shown, it may hold a secret)"
