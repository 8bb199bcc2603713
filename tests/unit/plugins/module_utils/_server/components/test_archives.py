# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archives of components: what is taken from one, and what is refused."""

from __future__ import annotations

import contextlib
import os
import random
import tarfile
import zipfile
from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.archives import InvalidArchive, unpack
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._server.components.packed import tar, zipped


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "", "a\\..\\out"])
def test_an_archive_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(tar({name or ".": b"x"}))
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(InvalidArchive):
        unpack(str(archive), str(target))
    assert os.listdir(target) == []
    assert sorted(os.listdir(tmp_path)) == ["archive", "target"]


@pytest.mark.parametrize("kind", ["w:gz", "w:bz2", "w:xz", "zip"])
def test_an_archive_that_is_damaged_somewhere_is_refused(tmp_path: Path, kind: str) -> None:
    noise = random.Random(7).randbytes(20_000)
    whole = tar({"x": noise}, kind) if kind != "zip" else zipped({"x": noise})
    for number, place in enumerate(range(0, len(whole), len(whole) // 40)):
        (tmp_path / "archive").write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        (tmp_path / str(number)).mkdir()
        # The one or the other byte means nothing; anything but this refusal is an error.
        with contextlib.suppress(InvalidArchive):
            unpack(str(tmp_path / "archive"), str(tmp_path / str(number)))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_an_archive_with_anything_but_files_is_refused(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("x")
    member.type, member.linkname = kind, "/etc/shadow"
    with tarfile.open(tmp_path / "archive", "w") as archive:
        archive.addfile(member)
    (tmp_path / "target").mkdir()
    with pytest.raises(InvalidArchive):
        unpack(str(tmp_path / "archive"), str(tmp_path / "target"))


def test_zip_archives_are_taken_too_but_for_their_links(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "good", "w") as archive:
        archive.writestr("patterns/", "")
        archive.writestr("patterns/a.dat", "one")
    (tmp_path / "target").mkdir()
    unpack(str(tmp_path / "good"), str(tmp_path / "target"))
    assert (tmp_path / "target/patterns/a.dat").read_text() == "one"
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "bad", "w") as archive:
        archive.writestr(link, "/etc/shadow")
    with pytest.raises(InvalidArchive, match="link"):
        unpack(str(tmp_path / "bad"), str(tmp_path / "target"))
