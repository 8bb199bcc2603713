# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The source ``clamav``: a mirror kept by cvdupdate, published file by file.

cvdupdate writes into its files in place, and over seconds; readers must not see that. So it works in a directory of its
own, and what it brought is checked and copied: incremental files first, whole databases after them, each replaced by
one rename. A freshclam that sees a new version thereby finds the incremental files that lead to it. What is published
is never taken back for an older version, and incremental files outlive the working directory.

Whether something came is told by the databases' headers, a rate limit of the vendor by cvdupdate's own
state; its exit code (the number of errors) only where those say nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from functools import partial

from ..._core.cvd_header import HEADER_SIZE, SIGNED_SUFFIXES, component_of, parse_header
from ..._core.metadata.catalog import CatalogItem, version_label, versions_of
from ..._core.metadata.manifest import Kind
from ..._core.results import Outcome, Result
from ..._core.settings.components import ClamAVSource
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.values import frozen
from ..._host.filesystem.atomic_files import digest_of
from ..._host.filesystem.open_directory import write_all
from ..._host.filesystem.safe_paths import open_directory, open_file, open_parent
from ..._host.host import Completed, Host
from .base import Published, Workplace
from .cvdupdate import Cvdupdate

INCREMENTAL = re.compile(r"(?P<name>[A-Za-z0-9_-]+)-(?P<number>\d+)\.(?:cdiff(?:\.sign)?|cvd\.sign)")
_CHUNK = 1 << 20
_DIGEST_DIGITS = 12
_COST = 3
"""How often cvdupdate asks for one file at most: a download that breaks off is tried again."""


@frozen
class ClamAV:
    """The product ``clamav`` on a server."""

    host: Host
    settings: ClamAVSource
    workplace: Workplace
    product: ProductKind = ProductKind.CLAMAV

    @property
    def cost(self) -> int:
        return _COST

    @property
    def requests_per_hour(self) -> int:
        return self.settings.requests_per_hour

    def fetch(self) -> Outcome:
        tool = Cvdupdate(self.host, self.settings, self.workplace.work, retries=_COST)
        before, checked = self.published(), tool.checked()
        try:
            done = tool.update()
        except OSError as error:
            return Outcome(Result.FAILED, f"{error.strerror or error} ({error.filename})", reached=False)
        try:
            refused = self._publish(tool.database_directory)
        except OSError as error:
            return Outcome(Result.FAILED, f"{error.strerror or error} ({error.filename})")
        # Without the record of versions nothing is asked of who has the official databases.
        reached = bool(self.settings.extra) or done.timed_out or tool.checked() != checked
        until = tool.cooling_down()
        after = self.published()
        if after is not None and (before is None or before.version != after.version):
            return Outcome(Result.UPDATED, refused)
        if until is not None:
            return Outcome(Result.COOLING_DOWN, "rate-limited by the vendor", until)
        if refused:
            return Outcome(Result.FAILED, refused)
        return Outcome(Result.CURRENT) if done.code == 0 else Outcome(Result.FAILED, _complaint(done), reached=reached)

    def published(self) -> Published | None:
        items = tuple(self._item(name) for name in self._names() if self.host.exists(f"{self.workplace.mirror}/{name}"))
        return Published(version_label(versions_of(items)), items) if items else None

    def _names(self) -> list[str]:
        return [*(f"{name}.cvd" for name in self.settings.databases), *self.settings.extra]

    def _item(self, name: str) -> CatalogItem:
        real = self.host.real(f"{self.workplace.mirror}/{name}")
        digest, version = digest_of(real), _version(real)
        return CatalogItem(
            product=self.product.value,
            # The names and versions by which endpoints report them.
            name=component_of(name),
            version=digest[:_DIGEST_DIGITS] if version is None else str(version),
            kind=Kind.PATTERN,
            size=os.stat(real).st_size,
            sha256=digest,
            path=f"{self.workplace.path}/{name}",
        )

    def _publish(self, directory: str) -> str:
        """Publish what cvdupdate has brought; returns what was not fit for it, one sentence, or nothing."""
        self.host.mkdir(self.workplace.public)
        self.host.mkdir(self.workplace.mirror)
        source, target = self.host.real(directory), self.host.real(self.workplace.mirror)
        if not os.path.isdir(source):
            return ""
        names = os.listdir(source)
        for name in sorted(name for name in names if INCREMENTAL.fullmatch(name)):
            _replace(os.path.join(source, name), os.path.join(target, name))
        refused = []
        for name in (name for name in self._names() if name in names):
            why = _unfit(os.path.join(source, name), os.path.join(target, name))
            if why is None:
                _replace(os.path.join(source, name), os.path.join(target, name))
            else:
                refused.append(f"{name} {why}")
        self._prune(target)
        return "; ".join(refused)

    def _prune(self, target: str) -> None:
        """Keep the newest incremental files of each database."""
        newest: dict[str, set[int]] = {}
        found = [(name, match) for name in os.listdir(target) if (match := INCREMENTAL.fullmatch(name))]
        for _name, match in found:
            newest.setdefault(match["name"], set()).add(int(match["number"]))
        kept = {database: sorted(numbers)[-self.settings.keep_cdiffs :] for database, numbers in newest.items()}
        for name, match in found:
            if int(match["number"]) < kept[match["name"]][0]:
                with open_directory(target) as directory:
                    directory.unlink(name)


def _version(real: str) -> int | None:
    with open(open_file(real), "rb") as stream:
        header = parse_header(stream.read(HEADER_SIZE))
    return None if header is None else header.version


def _unfit(source: str, target: str) -> str | None:
    """Why a database must not be published, None when it may: only whole ones are, and none older than before."""
    if not source.endswith(SIGNED_SUFFIXES):
        return None if os.path.getsize(source) else "is empty"
    with open(open_file(source), "rb") as stream:
        header = parse_header(stream.read(HEADER_SIZE))
        content = hashlib.md5(usedforsecurity=False)  # what the header has; freshclam checks the signature over it
        while chunk := stream.read(_CHUNK):
            content.update(chunk)
    if header is None:
        return "is no signed database"
    if header.digest and header.digest != content.hexdigest():
        return "is damaged or not whole"
    before = _version(target) if os.path.exists(target) else None
    if before is not None and header.version < before:
        return f"has version {header.version}, which is older than the published {before}"
    return None


def _replace(source: str, target: str) -> None:
    """Put a copy in place by one rename; the same content is left alone, so that its validators stay."""
    same_size = os.path.exists(target) and os.path.getsize(target) == os.path.getsize(source)
    if same_size and digest_of(target) == digest_of(source):
        return
    with open(open_file(source), "rb") as stream:
        _write(target, iter(partial(stream.read, _CHUNK), b""))


def _write(target: str, chunks: Iterable[bytes]) -> None:
    with open_parent(target) as directory, directory.replacing(os.path.basename(target), mode=0o644) as descriptor:
        for chunk in chunks:
            write_all(descriptor, chunk)


def _complaint(done: Completed) -> str:
    """cvdupdate's own words for what went wrong."""
    if done.cut:
        return f"cvdupdate {done.ended}"
    lines = [line for line in (done.err + done.out).splitlines() if "ERROR" in line] or done.err.splitlines()
    said = lines[0].partition("ERROR:")[2].strip() or lines[0] if lines else ""
    return f"cvdupdate: {said}" if said else f"cvdupdate {done.ended}"
