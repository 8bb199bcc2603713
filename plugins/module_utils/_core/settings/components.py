# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the server downloads (section ``components`` of its settings), read with complete validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Union

from ..durations import format_duration
from ..validation.errors import ValidationErrors, join
from ..validation.parsers import InvalidValue, Parser, duration, integer, listing, read_mapping
from ..validation.strings import argument, base_url, database, directory, given_arguments, line, path, safe_url, url
from ..values import field, frozen
from .endpoint_keys import ProductKind

OFFICIAL = ("main", "daily", "bytecode")
_PLACES = ("directory", "url", "git")
_REQUESTS = integer(0, 100_000)
_TIMEOUT = duration(1, 86400)


@frozen
class ClamAVSource:
    """ClamAV databases through cvdupdate, whose program is ``cvd``.

    ``extra`` are databases of others by file name (``local.ndb``, ``vendor.cvd``) and URL. ``nameserver`` answers for
    the record that tells the versions; the empty text means the host's own. ``keep_cdiffs`` is how many
    incremental files of each database stay published. The vendor's limit is ``requests_per_hour`` for each file.
    """

    cvd: str = "/opt/epp-autoupdate/cvdupdate/bin/cvd"
    mirror: str = "https://database.clamav.net"
    databases: tuple[str, ...] = OFFICIAL
    extra: Mapping[str, str] = field(default_factory=dict)
    nameserver: str = ""
    keep_cdiffs: int = 30
    requests_per_hour: int = 10
    timeout: int = 3600


@frozen
class FilesSource:
    """Any set of files: of a ``directory``, of an archive at a ``url``, or of a ``git`` repository's ``branch``."""

    directory: str = ""
    url: str = ""
    git: str = ""
    branch: str = ""
    requests_per_hour: int = 60
    timeout: int = 3600


@frozen
class CommandSource:
    """Any program that fills a directory with what is to be published; ``{directory}`` stands for that one.

    ``version`` prints the version of what it brought; without it the server counts.
    """

    fetch: tuple[str, ...] = ()
    version: tuple[str, ...] = ()
    requests_per_hour: int = 0
    timeout: int = 3600


SourceSettings = Union[ClamAVSource, FilesSource, CommandSource]


def read_components(raw: object, where: str = "components") -> dict[ProductKind, SourceSettings]:
    """Read the section; raises InvalidDocument with all its errors."""
    errors = ValidationErrors()
    sections = read_mapping(raw, path=where, known={kind.value: _as_is for kind in ProductKind}, errors=errors)
    found: dict[ProductKind, SourceSettings] = {}
    for name, section in sections.items():
        kind = ProductKind(name)
        values = read_mapping(section, path=join(where, name), known=_KEYS[kind], errors=errors)
        _check(kind, values, join(where, name), errors)
        found[kind] = _CLASSES[kind](**values)
    errors.check()
    return found


def plain_components(components: Mapping[ProductKind, SourceSettings]) -> dict[str, Any]:
    """The section in its canonical form, which ``read_components`` reads back as the same values."""
    return {kind.value: _plain(kind, components[kind]) for kind in ProductKind if kind in components}


def _plain(kind: ProductKind, source: SourceSettings) -> dict[str, Any]:
    values = {key: getattr(source, key) for key in _KEYS[kind]}
    # What a source does not use is not there: no reader takes an empty path.
    used = {key: one for key, one in values.items() if one != "" and (one != () or key == "databases")}
    plain = {key: list(one) if isinstance(one, tuple) else one for key, one in used.items()}
    return {**plain, "timeout": format_duration(source.timeout)}


def _check(kind: ProductKind, values: dict[str, Any], where: str, errors: ValidationErrors) -> None:
    given = sum(bool(values.get(key)) or errors.has_error(f"{where}.{key}") for key in _PLACES)
    if kind is ProductKind.FILES and given != 1:
        errors.add(where, f"{given} of {', '.join(_PLACES)}", "exactly one")
    if kind is ProductKind.COMMAND and not values.get("fetch") and not errors.has_error(f"{where}.fetch"):
        errors.add(f"{where}.fetch", "", "the argument list of a program")


def _as_is(raw: object) -> object:
    return raw


def _program(raw: object) -> tuple[str, ...]:
    argv: tuple[str, ...] = listing(argument, least=1, most=256, unique=False)(given_arguments(raw))
    path(argv[0])
    return argv


def _extra(raw: object) -> dict[str, str]:
    if not isinstance(raw, dict) or len(raw) > 100:
        raise InvalidValue("a mapping of at most 100 file names and URLs")
    for name, source in raw.items():
        stem, dot, suffix = str(name).partition(".")
        if not dot or not suffix.isalnum():
            raise InvalidValue("file names with a suffix (local.ndb)")
        database(stem)
        if stem in OFFICIAL:
            raise InvalidValue("databases other than the official ones (those belong to databases)")
        url("https", "http")(source)
    return dict(raw)


def _repository(raw: object) -> str:
    """A URL of git's, or a path. Nothing that git would take for an option or for a program to run."""
    try:
        text = line(raw, "a repository (https://example.com/rules.git, or a path)")
        if text.startswith("/"):
            return path(text)
        if not text.startswith(("https://", "http://", "ssh://", "git://", "file://")):
            raise InvalidValue("a repository by https, http, ssh, git or file, or a path")
    except InvalidValue as unfit:
        raise InvalidValue(unfit.allowed, found=safe_url(raw)) from None
    return text


def _branch(raw: object) -> str:
    text = line(raw, "the name of a branch")
    if text.startswith(("-", "/", ".")) or not text.replace("-", "").replace("/", "").replace(".", "").isalnum():
        raise InvalidValue("the name of a branch (letters, digits and - / . inside)")
    return text


def _official(raw: object) -> str:
    if raw not in OFFICIAL:
        raise InvalidValue(f"one of {', '.join(OFFICIAL)} (others belong to extra)")
    return str(raw)


_KEYS: dict[ProductKind, dict[str, Parser]] = {
    ProductKind.CLAMAV: {
        "cvd": path,
        "mirror": base_url("https", "http"),
        "databases": listing(_official),
        "extra": _extra,
        "nameserver": lambda raw: "" if raw == "" else line(raw, "an IP address"),
        "keep_cdiffs": integer(1, 1000),
        "requests_per_hour": _REQUESTS,
        "timeout": _TIMEOUT,
    },
    ProductKind.FILES: {
        "directory": directory,
        "url": url("https", "http"),
        "git": _repository,
        "branch": _branch,
        "requests_per_hour": _REQUESTS,
        "timeout": _TIMEOUT,
    },
    ProductKind.COMMAND: {
        "fetch": _program,
        "version": _program,
        "requests_per_hour": _REQUESTS,
        "timeout": _TIMEOUT,
    },
}
_CLASSES: dict[ProductKind, Any] = {
    ProductKind.CLAMAV: ClamAVSource,
    ProductKind.FILES: FilesSource,
    ProductKind.COMMAND: CommandSource,
}
