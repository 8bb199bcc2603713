# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tree, shard and catalog have in common, for type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from .header import Header

if TYPE_CHECKING:
    from typing_extensions import Self


class SignedDocument(Protocol):
    """A document that is published signed: what it is called, what its signature is made for, and its header."""

    kind: str
    namespace: str

    @property
    def header(self) -> Header: ...

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what ``to_bytes`` wrote; raises InvalidDocument with all errors."""

    def to_bytes(self) -> bytes:
        """The canonical document, which is what is signed."""

    def digest(self) -> str:
        """Equal for documents that differ in their header only."""


Document = TypeVar("Document", bound=SignedDocument)
