# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's signing keys and how one follows the other, each trusted before it signs and after (C2).

A key is announced in the tree (``next``), then signs (``current``), then is trusted only (``old``), then is gone.
Endpoints replace what they trust by what a tree names, so one that fetches once in each stage never loses the server.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from typing import Any

from ..settings.update_server import signer
from ..timestamps import iso
from ..validation.errors import ValidationErrors
from ..validation.parsers import InvalidValue, Parser, choice, integer, listing, read_mapping
from ..validation.strings import line
from ..values import frozen, replace


class KeyStage(str, Enum):
    """What a key is good for."""

    NEXT = "next"
    CURRENT = "current"
    OLD = "old"


@frozen
class SigningKey:
    """``name`` is the file of the private key in the directory of keys; ``since`` when this stage began (seconds)."""

    name: str
    public: str
    stage: KeyStage
    since: int

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "public": self.public, "stage": self.stage.value, "since": self.since}

    def to_result(self) -> dict[str, Any]:
        """The same for people and programs, who read no Unix seconds."""
        return {**self.to_dict(), "since": iso(self.since)}


@frozen
class Keyring:
    """All keys that are trusted; exactly one of them signs, and one at most is to follow it."""

    keys: tuple[SigningKey, ...]

    @classmethod
    def from_dict(cls, raw: object) -> Keyring:
        """Read what ``to_dict`` wrote; raises InvalidDocument with all errors."""
        errors = ValidationErrors()
        values = read_mapping(raw, path="", known={"keys": listing(_key, least=1, most=16)}, errors=errors)
        stages = [key.stage for key in values.get("keys", ())]
        if values and (stages.count(KeyStage.CURRENT) != 1 or stages.count(KeyStage.NEXT) > 1):
            errors.add("keys", "another number", "one current key and at most one next key")
        if isinstance(raw, dict) and "keys" not in raw:
            errors.add("keys", "", "there")
        errors.check()
        return cls(values["keys"])

    def to_dict(self) -> dict[str, Any]:
        return {"keys": [key.to_dict() for key in self.keys]}

    def to_result(self) -> dict[str, Any]:
        """The same for people and programs."""
        return {"keys": [key.to_result() for key in self.keys]}

    @property
    def current(self) -> SigningKey:
        """The key that signs."""
        return next(key for key in self.keys if key.stage is KeyStage.CURRENT)

    @property
    def next(self) -> SigningKey | None:
        """The key that is announced, if one is."""
        return next((key for key in self.keys if key.stage is KeyStage.NEXT), None)

    @property
    def signers(self) -> tuple[str, ...]:
        """The public keys that endpoints are to trust: the one that signs first."""
        order = {KeyStage.CURRENT: 0, KeyStage.NEXT: 1, KeyStage.OLD: 2}
        return tuple(key.public for key in sorted(self.keys, key=lambda key: order[key.stage]))

    def with_next(self, name: str, public: str, now: int) -> Keyring:
        """With one more key, which is to follow the current one."""
        return Keyring((*self.keys, SigningKey(name, public, KeyStage.NEXT, now)))

    def promote(self, now: int) -> Keyring:
        """After the next key has followed: it signs, and the one before is trusted for a while."""
        after = {KeyStage.NEXT: KeyStage.CURRENT, KeyStage.CURRENT: KeyStage.OLD}
        turned = (replace(key, stage=after[key.stage], since=now) if key.stage in after else key for key in self.keys)
        return Keyring(tuple(turned))

    def rotate_due(self, now: int, overlap: int, in_use: Collection[str]) -> Keyring:
        """What follows from the time alone: an old key is dropped, a next one follows, when its overlap is over.

        ``in_use`` are the public keys by which published documents are signed: such a key is not dropped.
        """
        kept = tuple(
            key
            for key in self.keys
            if key.stage is not KeyStage.OLD or now < key.since + overlap or key.public in in_use
        )
        ring = Keyring(kept)
        following = ring.next
        return ring.promote(now) if following is not None and now >= following.since + overlap else ring


def _key(raw: object) -> SigningKey:
    errors = ValidationErrors()
    values = read_mapping(raw, path="", known=_KEY, errors=errors)
    if len(values) != len(_KEY):
        raise InvalidValue("a signing key (name, public, stage, since)")
    return SigningKey(**values)


def _name(raw: object) -> str:
    text = line(raw, "a file's name")
    if "/" in text or text.startswith("."):
        raise InvalidValue("a file's name")
    return text


_KEY: dict[str, Parser] = {
    "name": _name,
    "public": signer,
    "stage": choice(KeyStage),
    "since": integer(0, 2**53),
}
