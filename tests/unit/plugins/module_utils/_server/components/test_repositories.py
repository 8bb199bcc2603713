# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The source ``files`` from a git repository: real ones, on disk and behind a URL."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.components import read_components
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.process import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components import select_source
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.base import Source, Workplace
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    Answer,
    ScriptedServer,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._server.components.published import (
    content,
    manifest,
)


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@example.com")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.skipif(not shutil.which("git") or os.geteuid() != 0, reason="git is missing, or only root can give away")
def test_a_repository_may_be_somebody_elses_directory(source: Any, folder: Path) -> None:
    """The server's user reads a repository that, say, root keeps."""
    git(folder, "init", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 65534, 65534, follow_symlinks=False)
    assert source(files={"git": str(folder)}).fetch().result is Result.UPDATED


class _Noting(LocalHost):
    """A host that notes the command lines that every user of it could read."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.lines: list[str] = []

    def run(self, argv: Sequence[str], **more: Any) -> Completed:
        self.lines.append(" ".join(argv))
        return super().run(argv, **more)


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_git_gets_a_password_by_a_file(tmp_path: Path, folder: Path, server: ScriptedServer) -> None:
    git(folder, "init", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    git(folder, "clone", "--bare", str(folder), f"{server.folder}/rules.git")
    git(Path(f"{server.folder}/rules.git"), "update-server-info")
    granted = f"Basic {base64.b64encode(b'me:hunter/2').decode()}"
    refused = Answer(401, headers={"WWW-Authenticate": 'Basic realm="rules"'})
    server.script = lambda _path, headers: None if headers.get("Authorization") == granted else refused
    host = _Noting(str(tmp_path / "own"))
    for password, result in (("hunter%2F2", Result.UPDATED), ("hunter3", Result.UNREACHABLE)):
        url = f"http://me:{password}@127.0.0.1:{server.port}/rules.git"
        product, read = next(iter(read_components({"files": {"git": url}}).items()))
        outcome = select_source(product, read, host, Workplace("/work", "/public/x", "x")).fetch()
        assert outcome.result is result, outcome.why
        assert "hunter" not in outcome.why
    assert [line for line in host.lines if "hunter" in line] == []
    assert [path for path in (tmp_path / "own").rglob("*") if path.is_file() and b"hunter" in path.read_bytes()] == []


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_a_branch_of_a_repository_is_published_commit_by_commit(
    source: Callable[..., Source], host: LocalHost, folder: Path
) -> None:
    git(folder, "init", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    files = source(files={"git": str(folder), "branch": "main"})
    assert files.fetch().result is Result.UPDATED
    assert manifest(host).version.startswith("1.g")
    assert [file.path for file in manifest(host).files] == ["patterns/a.dat"]
    assert files.fetch().result is Result.CURRENT
    (folder / "patterns/a.dat").write_text("two")
    assert files.fetch().result is Result.CURRENT, "what is not committed is not published"
    git(folder, "commit", "-am", "two")
    assert files.fetch().result is Result.UPDATED
    assert (manifest(host).version[:3], content(host, "patterns/a.dat")) == ("2.g", b"two")
    (folder / "leak").symlink_to("/etc/shadow")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "three")
    assert files.fetch().result is Result.FAILED
    shutil.rmtree(folder)
    assert files.fetch().result is Result.UNREACHABLE
    assert content(host, "patterns/a.dat") == b"two"


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_a_store_that_was_cut_off_as_it_was_made_is_completed(source: Any, host: LocalHost, folder: Path) -> None:
    git(folder, "init", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    host.mkdir("/work/repository.git/objects")
    assert source(files={"git": str(folder)}).fetch().result is Result.UPDATED
