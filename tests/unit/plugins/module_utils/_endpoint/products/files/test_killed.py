# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kill -9 at every step of an update of the product files: what is installed is always a whole version (C3)."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import Outcome, Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.endpoint import EndpointDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products import select_product
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.base import Product
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.files.samples import (
    publish_set,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    ScriptedServer,
)

COMPONENTS = "var/lib/epp-autoupdate/components"
STEPS = {"os.rename", "os.link", "os.symlink", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "open"}
CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
OLD = {"patterns/a.dat": "one", "patterns/b.dat": "bee", "patterns/same.dat": "same"}
NEW = {"patterns/a.dat": "two", "patterns/c/new.dat": "new", "patterns/same.dat": "same"}


def write(folder: Path, contents: dict[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def installed(root: Path) -> dict[str, str]:
    current = root / COMPONENTS / "current"
    return {str(path.relative_to(current)): path.read_text() for path in current.rglob("*") if path.is_file()}


def is_step(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether an act changes the components: by their path, or in a directory that the update has open."""
    if event not in STEPS or (event == "open" and not arguments[2] & CHANGES):
        return False
    return any(isinstance(name, str) and (COMPONENTS in name or "/" not in name) for name in arguments[:2])


def killed_at(step: int, product: Product) -> bool:
    """Update in a child that kills itself before its ``step``-th act on the file system; False when it got through."""
    child = os.fork()
    if child == 0:
        left = step

        def count(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            if is_step(event, arguments):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            product.update(20)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.heavy
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_killed_at_every_step(
    tmp_path: Path, server: ScriptedServer, document: Callable[..., EndpointDocument]
) -> None:
    source, start, root = tmp_path / "source", tmp_path / "start", tmp_path / "root"

    def product(directory: Path) -> Product:
        return select_product(document("files", urls=[server.url]), LocalHost(str(directory)))

    write(source, OLD)
    publish_set(source, server.folder, "1")
    start.mkdir()
    assert product(start).update(20).result is Result.UPDATED
    write(source, NEW)
    publish_set(source, server.folder, "2")

    seen = []
    for step in range(1, 500):
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(start, root, symlinks=True)
        was_killed = killed_at(step, product(root))
        assert installed(root) in (OLD, NEW), f"half a version after step {step}"
        seen.append(installed(root) == NEW)
        # The next run recovers, whatever lies about, and leaves nothing behind.
        assert product(root).update(20).result in (Result.UPDATED, Result.CURRENT)
        assert installed(root) == NEW
        assert product(root).update(20) == Outcome(Result.CURRENT)
        litter = [path for path in (root / COMPONENTS).rglob("*") if path.suffix in (".new", ".part")]
        assert litter == []
        assert list((root / COMPONENTS / "incoming").iterdir()) == []
        assert len(list((root / COMPONENTS / "releases").iterdir())) <= 3
        if not was_killed:
            break
    else:
        pytest.fail("the update never got through")
    assert len(seen) > 20
    # From one step on it is the new version, and never the old one again.
    assert seen == sorted(seen)
