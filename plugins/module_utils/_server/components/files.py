# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The source ``files``: a directory, an archive behind a URL, or a branch of a git repository."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from ..._core.results import Outcome, Result
from ..._core.settings.components import FilesSource
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.values import frozen
from ..._host.host import Completed, Host
from .archives import InvalidArchive, unpack
from .base import Published, Workplace
from .download import DownloadFault, fetch_file
from .folder import publish_folder, published_folder
from .git_login import GitLogin

_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
}

_SUFFIXES = (".git", *(f".tar{packed}" for packed in ("", ".gz", ".bz2", ".xz")), ".tgz", ".tbz2", ".txz", ".zip")
"""Of repositories and archives: no part of their names."""


@frozen
class Files:
    """The product ``files`` on a server."""

    host: Host
    settings: FilesSource
    workplace: Workplace
    product: ProductKind = ProductKind.FILES

    @property
    def cost(self) -> int:
        return 0 if self.settings.directory else 1

    @property
    def requests_per_hour(self) -> int:
        return self.settings.requests_per_hour

    def published(self) -> Published | None:
        return published_folder(self.host, self.product, self.workplace)

    def fetch(self) -> Outcome:
        try:
            if self.settings.directory:
                return self._from_directory()
            self.host.mkdir(self.workplace.work, mode=0o750)
            return self._from_url() if self.settings.url else self._from_git()
        except OSError as error:
            return Outcome(Result.FAILED, f"{error.strerror or error} ({error.filename})")
        finally:
            self.host.remove(self._staging)
            self.host.remove(self._git_login)

    @property
    def _source(self) -> str:
        """What people call the source: the name of its directory, archive or repository."""
        place = self.settings.directory or self.settings.git or urlsplit(self.settings.url).path
        name = place.rstrip("/").rpartition("/")[2]
        return next((name[: -len(suffix)] for suffix in _SUFFIXES if name.lower().endswith(suffix)), name)

    @property
    def _staging(self) -> str:
        return self.workplace.work + "/staging"

    def _from_directory(self) -> Outcome:
        folder = self.host.real(self.settings.directory)
        if not os.path.isdir(folder):
            return Outcome(Result.FAILED, f"{self.settings.directory} is not a directory")
        return publish_folder(self.host, folder, self.workplace, source=self._source)

    def _from_url(self) -> Outcome:
        archive = self.workplace.work + "/archive"
        try:
            fetch_file(self.host, self.settings.url, archive, timeout=self.settings.timeout)
        except DownloadFault as error:
            return error.outcome
        folder = self._emptied_staging()
        try:
            unpack(self.host.real(archive), folder)
        except InvalidArchive as error:
            self.host.remove(archive)  # so that the next fetch asks for it anew
            self.host.remove(archive + ".json")
            return Outcome(Result.FAILED, f"the archive can't be taken: {error}")
        return publish_folder(self.host, folder, self.workplace, source=self._source)

    def _from_git(self) -> Outcome:
        """Publish a branch's newest commit; its version is the number of commits up to it, and its short name."""
        store = self.host.real(self.workplace.work + "/repository.git")
        reference = f"refs/heads/{self.settings.branch}" if self.settings.branch else "HEAD"
        # For a repository that is a directory of somebody else's: git passes this on to its own helpers, no option.
        login = GitLogin.of(self.settings.git)
        settings = "[safe]\n\tdirectory = *\n" + login.settings(self.host.real(self._git_login))
        self.host.write(self._git_settings, settings.encode(), mode=0o640)
        self.host.write(self._git_login, login.content.encode(), mode=0o600)
        self._git("init", "--quiet", "--bare", store)  # does no harm to one that is there, and completes half a one
        asked = ("fetch", "--quiet", "--", login.url, f"+{reference}:refs/epp/new")
        done = self._git("--git-dir", store, *asked)
        if done.code != 0:
            return Outcome(Result.UNREACHABLE, f"git fetch: {_last_line(done)}")
        count = self._git("--git-dir", store, "rev-list", "--count", "refs/epp/new").out.strip()
        name = self._git("--git-dir", store, "rev-parse", "--short=12", "refs/epp/new").out.strip()
        folder = self._emptied_staging()
        done = self._git("--git-dir", store, "--work-tree", folder, "checkout", "--force", "refs/epp/new", "--", ".")
        if done.code != 0 or not count.isdigit():
            return Outcome(Result.FAILED, f"git checkout: {_last_line(done)}")
        return publish_folder(self.host, folder, self.workplace, source=self._source, version=f"{count}.g{name}")

    def _git(self, *arguments: str) -> Completed:
        environment = {**_ENVIRONMENT, "GIT_CONFIG_GLOBAL": self.host.real(self._git_settings)}
        argv = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
        return self.host.run(argv, timeout=self.settings.timeout, env=environment)

    @property
    def _git_settings(self) -> str:
        return self.workplace.work + "/gitconfig"

    @property
    def _git_login(self) -> str:
        return self.workplace.work + "/credentials"

    def _emptied_staging(self) -> str:
        self.host.remove(self._staging)
        self.host.mkdir(self._staging, mode=0o700)
        return self.host.real(self._staging)


def _last_line(done: Completed) -> str:
    if done.cut:
        return f"it {done.ended}"
    lines = (done.err.strip() or done.out.strip() or f"it {done.ended}").splitlines()
    return lines[-1]
