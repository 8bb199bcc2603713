# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One update of the product ``files``, source by source; what it does is told in ``files.py``."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...._core.holds import NO_HOLDS, Holds
from ...._core.masking import without_secrets
from ...._core.metadata.manifest import MAX_SIZE, NAME, InvalidManifest, Manifest, is_older, manifest_path
from ...._core.metadata.sync_result import ConfigurationRejected
from ...._core.policy.enums import Scope
from ...._core.results import Outcome, Result
from ...._core.rollout.outdated import KINDS
from ...._core.values import frozen
from ...._host.http.client import HttpClient, Response
from ...._host.http.errors import BodyTooLarge, DeadlineExceeded, RateLimited, SourceError, Unreachable
from ...._host.http.waiting import with_jitter
from ...source_client import source_client
from ...trust.catalog import UntrustedManifest
from ..base import broken, overdue
from .download import fetch
from .releases import Release, Store, held_in
from .source_cache import SourceCache

if TYPE_CHECKING:
    from .product import Files

_PAUSES_S = (2.0, 4.0, 8.0)
"""Between publishing components and the catalog lie a signature and a few writes."""
_RELEVANCE = (Result.HELD, Result.FAILED, Result.COOLING_DOWN, Result.UNREACHABLE)
"""When no source brought us up to date: whose word counts most."""


def update(product: Files, timeout: float, holds: Holds) -> Outcome:
    """Bring the components up to date in at most ``timeout`` seconds; on any error the installed version is kept."""
    store, client = product.store(), source_client(product.host, timeout, product.sources.proxy)
    try:
        store.sweep()
        cache = SourceCache.load(store.directory)
        cache.keep_only(product.sources.urls)
        return _FileUpdate(product, store, cache, client, holds).outcome(timeout)
    except OSError as error:
        _free_space(store)
        return broken("the update stopped and the installed version is kept", error)


@frozen
class _FileUpdate:
    """One update, source by source."""

    product: Files
    store: Store
    cache: SourceCache
    client: HttpClient
    holds: Holds = NO_HOLDS

    def outcome(self, timeout: float) -> Outcome:
        """The first good ending, or the most telling one."""
        urls = self.product.sources.urls
        endings: list[Outcome] = []
        for url in urls:
            try:
                ending = self._from_source(url.rstrip("/"), url)
            except DeadlineExceeded:
                return overdue("the update", timeout)
            if ending.result in (Result.UPDATED, Result.CURRENT):
                return ending
            endings.append(ending)
        if not endings:
            return Outcome(Result.FAILED, "sources.urls is empty: set at least one source")
        return _most_relevant(endings)

    def _from_source(self, url: str, key: str) -> Outcome:
        """What one source came to; ``key`` is its URL as policy writes it."""
        until = self.cache.cooling_until(key, self.product.host.now())
        if until is not None:
            why = f"{without_secrets(key)} was not asked: it is rate-limited"
            return Outcome(Result.COOLING_DOWN, why, until)
        try:
            return self._verified(url, key)
        except DeadlineExceeded:
            raise
        except RateLimited as wish:
            self.cache.cool_down(key, wish.until)
            return Outcome(Result.COOLING_DOWN, str(wish), wish.until)
        except Unreachable as error:
            return Outcome(Result.UNREACHABLE, str(error))
        except (SourceError, InvalidManifest, ConfigurationRejected) as error:
            return Outcome(Result.FAILED, _why(error, url))

    def _verified(self, url: str, key: str) -> Outcome:
        """What the source came to. A server publishes components first and the catalog then, so a source that is
        ahead of it is asked again a few times before its version is held."""
        for pause in _PAUSES_S:
            try:
                return self._fetch_manifest(url, key)
            except UntrustedManifest:
                if time.monotonic() + 2 * pause >= self.client.deadline:
                    break
                time.sleep(with_jitter(pause, self.client.draw()))
        try:
            return self._fetch_manifest(url, key)
        except UntrustedManifest as held:
            return Outcome(Result.HELD, f"{held}; what is installed is kept")

    def _fetch_manifest(self, url: str, key: str) -> Outcome:
        installed = self.store.installed()
        bad = installed is not None and held_in(installed.manifest, self.holds.that_restore()) is not None
        condition = self.cache.conditional_headers(key, self._held(installed)) if installed and not bad else {}
        answer = self.client.get(f"{url}/{manifest_path(self.product.channel)}", condition)
        if answer.status == 304 and installed:
            outcome = self._install(installed.manifest, installed, url)
            self.cache.touch(key, self._held(self.store.installed()))
            return outcome
        content = _whole(answer)
        published = Manifest.parse(content)
        held = held_in(published, self.holds)
        if held is not None:
            return held[1].outcome(held[0], f"version {installed.manifest.version} is kept" if installed else "")
        if installed and not bad and is_older(published.version, installed.manifest.version):
            why = f"the source offers version {published.version}, older than {installed.manifest.version}"
            return Outcome(Result.HELD, f"{why}; nothing is downgraded")
        target = self._in_scope(published, installed)
        if self.product.verifier is not None and not (installed and installed.manifest == target):
            self.product.verifier.check(content, self.client)
        outcome = self._install(target, installed, url)
        self.cache.store_validators(key, answer.headers, self._held(self.store.installed()))
        return outcome

    def _install(self, target: Manifest, installed: Release | None, url: str) -> Outcome:
        """Make the installed files what ``target`` says, with content from this source."""
        intact = installed.intact() if installed else {}
        damaged = installed.damaged() if installed else ()
        if installed and installed.manifest == target and not damaged:
            # Here too: a run that was killed right after it had put the version in place did not get to it.
            self.store.prune(self.product.keeping)
            return Outcome(Result.CURRENT)
        lacking = {file.sha256: file for file in target.files if file.sha256 not in intact}
        self.store.drop_incoming(keep=lacking)
        self.store.check_space(lacking.values())
        for file in lacking.values():
            fetch(self.client, url, file, self.store.incoming)
        self.store.install(target, intact)
        self.store.prune(self.product.keeping)
        return Outcome(Result.UPDATED, f"mended {len(damaged)} files, first {damaged[0].path}" if damaged else "")

    def _in_scope(self, published: Manifest, installed: Release | None) -> Manifest:
        """What should be installed: the published files that scope takes, and the installed ones that it leaves."""
        kinds = KINDS[self.product.scope]
        taken = [file for file in published.files if file.kind in kinds]
        if not taken:
            raise InvalidManifest(_nothing_taken(published, self.product.scope))
        components, paths = {file.component for file in taken}, {file.path for file in taken}
        left = [
            file
            for file in (installed.manifest.files if installed else ())
            if file.kind not in kinds and file.component not in components and file.path not in paths
        ]
        return Manifest.of(published.version, [*taken, *left])

    def _held(self, release: Release | None) -> Mapping[str, str]:
        held = {"release": release.name if release else "", "scope": self.product.scope.value}
        return {**held, "channel": self.product.channel} if self.product.channel else held


def _nothing_taken(published: Manifest, scope: Scope) -> str:
    """What a source has of which the scope takes nothing, and what to set."""
    if not published.files:
        return "it has no files at all"
    kinds = sorted({file.kind for file in published.files})
    there = ", ".join(f"{sum(file.kind is kind for file in published.files)} of kind {kind.value}" for kind in kinds)
    taking = next(word.value for word in Scope if set(kinds) <= set(KINDS[word]))
    return f"its files are {there}, and components.scope: {scope.value} takes none of them (set {taking})"


def _whole(answer: Response) -> bytes:
    """The body of a manifest; no more of it is read than a manifest may have."""
    try:
        return answer.content(MAX_SIZE)
    except BodyTooLarge:
        raise InvalidManifest(f"it is larger than {MAX_SIZE} bytes") from None


def _why(error: Exception, url: str) -> str:
    if isinstance(error, InvalidManifest):
        return f"{without_secrets(url)}/{NAME}: {error}"
    return f"{error}; nothing is fetched without it" if isinstance(error, ConfigurationRejected) else str(error)


def _most_relevant(endings: Sequence[Outcome]) -> Outcome:
    """The ending to report when no source brought us up to date; of cool-downs the one that ends first."""
    return min(endings, key=lambda ending: (_RELEVANCE.index(ending.result), ending.until or 0))


def _free_space(store: Store) -> None:
    """On a full disk, half a download must not take what others need."""
    try:
        store.drop_incoming(keep=())
    except OSError:
        pass  # a file system that can't be written has been told of already
