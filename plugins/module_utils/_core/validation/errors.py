# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a document, every error at once and each with its path."""

from __future__ import annotations

from ..masking import without_secrets
from ..values import frozen

_SHOWN_TEXT = 80
_LOOKED_AT = 10_000
"""Characters of a text that can matter for what is shown of it."""
_SHOWN_ERRORS = 200
_SUGGESTIONS = 50


@frozen
class ValidationError:
    """One wrong place of a document: where it is, what was found there (empty: nothing) and what is allowed."""

    path: str
    found: str
    allowed: str

    def __str__(self) -> str:
        if not self.found:
            return f"{self.path}: missing, must be {self.allowed}"
        return f"{self.path}: {self.found} is not {self.allowed}"


class InvalidDocument(ValueError):
    """A document is refused; ``errors`` holds all that is wrong with it, in the order of the document."""

    def __init__(self, errors: tuple[ValidationError, ...]) -> None:
        self.errors = errors
        super().__init__(errors)

    def __str__(self) -> str:
        lines = [str(error) for error in self.errors[:_SHOWN_ERRORS]]
        if len(self.errors) > _SHOWN_ERRORS:
            lines.append(f"and {len(self.errors) - _SHOWN_ERRORS} errors more")
        return "\n".join(lines)


class ValidationErrors:
    """Collects errors while a document is read."""

    def __init__(self) -> None:
        self._errors: list[ValidationError] = []

    def add(self, path: str, found: str, allowed: str) -> None:
        self._errors.append(ValidationError(path or "document", found, allowed))

    def add_unknown_key(self, path: str, key: object, known: list[str]) -> None:
        """Note a key that is not known; the likeliest known one is suggested."""
        # A hostile document can hold a million unknown keys, and a suggestion costs a thousand times a refusal.
        near = suggestion(key, known) if len(self._errors) < _SUGGESTIONS else ""
        self.add(join(path, key), show(key), f"a known key{near or ' (known: ' + ', '.join(known) + ')'}")

    def add_all(self, errors: tuple[ValidationError, ...]) -> None:
        """Take over what was found elsewhere."""
        self._errors += errors

    @property
    def found(self) -> tuple[ValidationError, ...]:
        """All that was added so far."""
        return tuple(self._errors)

    def has_error(self, key: str) -> bool:
        """Whether a key (``schedule.frequency``) was found wrong, wherever in the document."""
        paths = (error.path.rpartition("[")[0] if error.path.endswith("]") else error.path for error in self._errors)
        return any(path == key or path.endswith(f".{key}") for path in paths)

    def check(self) -> None:
        """Raise InvalidDocument if any error was found."""
        if self._errors:
            raise InvalidDocument(tuple(self._errors))


def join(path: str, key: object) -> str:
    """The path of a mapping's key; a key that is no plain word is shown quoted and shortened."""
    plain = isinstance(key, str) and len(key) <= _SHOWN_TEXT and key.replace("_", "a").replace("-", "a").isalnum()
    segment = str(key) if plain and str(key).isascii() else f"[{show(key)}]"
    return f"{path}.{segment}" if path else segment


def show(value: object) -> str:
    """A value as a message may show it: on one line, short, no URL's secrets, whatever it is."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value) if value.bit_length() <= 64 else f"a number of {value.bit_length()} bits"
    if isinstance(value, str):
        return _show_text(value)
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, dict):
        return "a mapping"
    return repr(value) if isinstance(value, float) else f"a value of type {type(value).__name__}"


def suggestion(found: object, known: list[str]) -> str:
    """`` (did you mean X?)`` for a word that is nearly one of the known ones, else the empty string."""
    if not isinstance(found, str) or len(found) > _SHOWN_TEXT:
        return ""
    from difflib import get_close_matches

    near = get_close_matches(found.strip().lower(), known, n=1, cutoff=0.7)
    return f" (did you mean {near[0]}?)" if near else ""


def _show_text(text: str) -> str:
    told = without_secrets(text[:_LOOKED_AT])
    short = told if len(told) <= _SHOWN_TEXT else told[: _SHOWN_TEXT - 1] + "\u2026"
    if short.isprintable() and '"' not in short and "\\" not in short:
        return f'"{short}"'
    import json

    return json.dumps(short)
