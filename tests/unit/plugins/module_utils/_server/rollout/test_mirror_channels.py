# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The channels of ClamAV: mirrors of hard links that keep the incremental files up to their version (G2)."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.components import ClamAVSource
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.channels.base import Content
from ansible_collections.epp.autoupdate.plugins.module_utils._server.channels.mirror_channels import MirrorChannels
from ansible_collections.epp.autoupdate.plugins.module_utils._server.components.base import Workplace

PUBLIC = "/public/components/clamav"


def database(version: int) -> bytes:
    """The beginning of a signed database, as its header is laid out."""
    fields = (
        "ClamAV-VDB",
        "29 Nov 2026 12-00 +0000",
        str(version),
        "1",
        "90",
        "0" * 32,
        "sig",
        "builder",
        "1795953600",
    )
    return ":".join(fields).encode().ljust(512) + b"content %d" % version


class Mirror:
    """What a fetch leaves, and the channels that are filled from it."""

    def __init__(self, root: Path) -> None:
        self.host = LocalHost(str(root))
        self.public = Path(self.host.real(PUBLIC))
        settings = ClamAVSource(databases=("daily",), keep_cdiffs=3)
        self.channels = MirrorChannels(self.host, Workplace("/work", PUBLIC, "components/clamav", True), settings)

    def put(self, directory: str, *versions: int) -> None:
        """The newest of these versions, and the incremental files that lead to each, as a fetch replaces files."""
        place = self.public / directory
        place.mkdir(parents=True, exist_ok=True)
        for version in versions:
            (place / f"daily-{version}.cdiff").write_bytes(b"step %d" % version)
        (place / ".new").write_bytes(database(versions[-1]))
        (place / ".new").rename(place / "daily.cvd")

    def newest(self) -> Content:
        found = self.channels.newest()
        assert found is not None
        return found

    def files(self, directory: str) -> set[str]:
        return {one.name for one in (self.public / directory).iterdir() if one.is_file()}


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    (tmp_path / "root").mkdir()
    return Mirror(tmp_path / "root")


def test_each_channel_has_its_version_and_the_steps_that_lead_to_it(mirror: Mirror) -> None:
    mirror.put("newest", 100, 101)
    old = mirror.newest()
    mirror.put("newest", 102, 103)
    new = mirror.newest()
    mirror.channels.write({"canary": new.text, "broad": old.text}, old.text)
    assert mirror.files("channels/canary") == {"daily.cvd", *(f"daily-{one}.cdiff" for one in (101, 102, 103))}
    assert mirror.files("channels/broad") == {"daily.cvd", "daily-100.cdiff", "daily-101.cdiff"}
    assert b"content 101" in (mirror.public / "channels/broad/daily.cvd").read_bytes()
    assert b"content 103" in (mirror.public / "channels/canary/daily.cvd").read_bytes()
    assert b"content 101" in (mirror.public / "daily.cvd").read_bytes()
    (item,) = mirror.channels.items("canary", new.text)
    assert (item.version, item.path) == ("103", "components/clamav/channels/canary/daily.cvd")


def test_nothing_is_stored_twice_and_what_is_right_is_left_alone(mirror: Mirror) -> None:
    mirror.put("newest", 100)
    content = mirror.newest()
    mirror.channels.write({"canary": content.text, "broad": content.text}, content.text)
    places = [mirror.public / one / "daily.cvd" for one in ("newest", "channels/canary", "channels/broad", ".")]
    before = [place.stat() for place in places]
    assert len({one.st_ino for one in before}) == 1
    mirror.channels.write({"canary": content.text, "broad": content.text}, content.text)
    assert [place.stat().st_ctime_ns for place in places] == [one.st_ctime_ns for one in before]


def test_a_channel_goes_back_to_a_version_that_is_kept_and_loses_the_steps_beyond_it(mirror: Mirror) -> None:
    mirror.put("newest", 100)
    old = mirror.newest()
    mirror.put("newest", 101)
    new = mirror.newest()
    mirror.channels.write({"canary": new.text}, old.text)
    mirror.channels.write({"canary": old.text}, old.text)
    assert mirror.files("channels/canary") == {"daily.cvd", "daily-100.cdiff"}
    assert b"content 100" in (mirror.public / "channels/canary/daily.cvd").read_bytes()


def test_a_ring_that_is_held_back_keeps_its_steps_when_the_newest_ones_go_on(mirror: Mirror) -> None:
    mirror.put("newest", 100)
    old = mirror.newest()
    mirror.channels.write({"canary": old.text, "broad": old.text}, old.text)
    for version in range(101, 110):
        mirror.put("newest", version)
    (mirror.public / "newest/daily-100.cdiff").unlink()
    new = mirror.newest()
    mirror.channels.write({"canary": new.text, "broad": old.text}, old.text)
    assert mirror.files("channels/broad") == {"daily.cvd", "daily-100.cdiff"}


def test_what_everybody_has_is_the_newest_version_where_rings_are_new(mirror: Mirror) -> None:
    mirror.put(".", 99, 100)
    content = mirror.newest()
    assert content.version == "daily=100"
    mirror.channels.write({"canary": content.text}, content.text)
    assert mirror.files("channels/canary") == {"daily.cvd", "daily-99.cdiff", "daily-100.cdiff"}


def test_dropped_versions_and_channels_are_removed(mirror: Mirror) -> None:
    mirror.put("newest", 100)
    old = mirror.newest()
    mirror.put("newest", 101)
    new = mirror.newest()
    mirror.channels.write({"canary": new.text, "broad": old.text}, old.text)
    mirror.channels.clean([new.text], [old.text])
    assert len(list((mirror.public / "versions").iterdir())) == 1
    mirror.channels.write({"canary": new.text}, new.text)
    assert [one.name for one in (mirror.public / "channels").iterdir()] == ["canary"]
    mirror.channels.close()
    assert {one.name for one in mirror.public.iterdir()} == {"daily.cvd", "daily-100.cdiff", "daily-101.cdiff"}
