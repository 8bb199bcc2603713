# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever else starts the product's updater is found by what it starts, switched off, and given back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.system_files.cron_tables import DISARMED, OFF
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.converge.remove import remove
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.vendor_updaters.units import DROP_IN

from ..conftest import Sandbox

LOOKING: dict[str, Any] = {"product": "clamav"}
CLAMAV: dict[str, Any] = {**LOOKING, "takeover": True}
UNITS = "etc/systemd/system"
VENDOR = "usr/lib/systemd/system"
ONCE = "[Service]\nType=oneshot\nExecStart=/usr/bin/freshclam\n[Install]\nWantedBy=multi-user.target\n"
SCRIPT = "#!/bin/sh\nsleep 1\nfreshclam --quiet\n"
HOST = {
    f"{VENDOR}/clamav-freshclam.service": "[Service]\nExecStart=/usr/bin/freshclam -d\n",
    f"{VENDOR}/clamav-freshclam-once.service": ONCE,
    f"{VENDOR}/clamav-freshclam-once.timer": "[Timer]\nOnCalendar=daily\n",
    f"{VENDOR}/clamav-daemon.service": "[Service]\nExecStart=/usr/sbin/clamd --foreground=true\n",
    f"{UNITS}/clamav-daemon.service.d/mine.conf": "[Service]\nExecStartPre=-/usr/bin/freshclam\n",
    f"{UNITS}/my-freshclam.service": "[Service]\nExecStart=/usr/local/bin/patterns\n",
    f"{UNITS}/nightly.timer": "[Timer]\nUnit=my-freshclam.service\n",
    f"{UNITS}/arm.path": "[Path]\nUnit=each@1.service\n",
    f"{UNITS}/each@.service": "[Service]\nExecStart=/usr/bin/freshclam --config-file=/srv/%i\n",
    f"{UNITS}/clamscan.timer": "[Timer]\nOnCalendar=daily\n",
    f"{UNITS}/clamscan.service": "[Service]\nExecStart=/usr/bin/clamscan -r /\n",
    "usr/local/bin/patterns": SCRIPT,
    "etc/crontab": "SHELL=/bin/sh\n17 * * * * root run-parts /etc/cron.hourly\n5 * * * * clamav freshclam\n",
    "etc/cron.d/clamav-freshclam": "0 */1 * * * clamav [ -x /usr/bin/freshclam ] && /usr/bin/freshclam --quiet\n",
    "etc/cron.d/mixed": "0 2 * * * root freshclam && clamscan -r /home\n",
    "etc/cron.d/other": "0 2 * * * root clamscan -r /home\n",
    "var/spool/cron/crontabs/root": "0 5 * * * /usr/local/bin/patterns\n",
    "etc/anacrontab": "1 5 cron.daily run-parts /etc/cron.daily\n7 9 patterns nice freshclam\n",
    "etc/cron.daily/patterns": SCRIPT,
    "etc/cron.weekly/nightly": "#!/bin/sh\nrsync -a /srv /backup\nfreshclam\n",
    "etc/cron.daily/logrotate": "#!/bin/sh\nlogrotate /etc/logrotate.conf\n",
    "etc/cron.hourly/freshclam.dpkg-dist": SCRIPT,
}
LINKS = {
    f"{UNITS}/multi-user.target.wants/clamav-freshclam-once.service": f"/{VENDOR}/clamav-freshclam-once.service",
    f"{UNITS}/timers.target.wants/nightly.timer": "../nightly.timer",
    f"{UNITS}/paths.target.wants/arm.path": f"/{UNITS}/arm.path",
    f"{UNITS}/multi-user.target.wants/each@7.service": f"/{UNITS}/each@.service",
    f"{UNITS}/timers.target.wants/clamscan.timer": f"/{UNITS}/clamscan.timer",
    "etc/cron.monthly/freshclam": "/usr/local/bin/patterns",
}
KEPT = (f"{UNITS}/timers.target.wants/clamscan.timer",)


@pytest.fixture
def busy(sandbox: Sandbox) -> Sandbox:
    """A host on which a dozen things start freshclam, in ways of their own."""
    for path, text in HOST.items():
        put(sandbox.root / path, text)
        (sandbox.root / path).chmod(0o755 if text.startswith("#!") else 0o644)
    (sandbox.root / "var/spool/cron/crontabs/root").chmod(0o600)
    for path, target in LINKS.items():
        (sandbox.root / path).parent.mkdir(parents=True, exist_ok=True)
        (sandbox.root / path).symlink_to(target)
    return sandbox


def test_everything_that_starts_it_is_off_and_nothing_else(busy: Sandbox) -> None:
    before = busy.tree()
    foretold = busy.converge(check=True, **CLAMAV)
    assert busy.tree() == before
    done = busy.converge(**CLAMAV)
    assert foretold.to_result() == done.to_result()
    assert not busy.converge(**CLAMAV).changed
    after = {path: kept for path, kept in busy.tree().items() if path in before}
    assert before.keys() - after.keys() == LINKS.keys() - set(KEPT)
    changed = {path for path, kept in after.items() if kept != before[path]}
    assert {path for path in changed if not (busy.root / path).is_dir()} == {
        "etc/crontab",
        "etc/cron.d/clamav-freshclam",
        "etc/cron.d/mixed",
        "var/spool/cron/crontabs/root",
        "etc/anacrontab",
        "etc/cron.daily/patterns",
        "etc/cron.weekly/nightly",
    }
    services = {path.parent.name[: -len(".d")] for path in busy.root.rglob(DROP_IN)}
    assert services == {
        "clamav-freshclam.service",
        "clamav-freshclam-once.service",
        "clamav-daemon.service",
        "my-freshclam.service",
        "each@.service",
    }


THEIRS = (
    "clamav-daemon.service (/etc/systemd/system/clamav-daemon.service.d/mine.conf) starts freshclam",
    "each@.service (/etc/systemd/system/each@.service), activated by arm.path, starts freshclam",
    "my-freshclam.service (/etc/systemd/system/my-freshclam.service), activated by nightly.timer, starts freshclam",
    "line 3 of /etc/crontab starts freshclam",
    "line 2 of /etc/anacrontab starts freshclam",
    "line 1 of /etc/cron.d/clamav-freshclam starts freshclam",
    "line 1 of /etc/cron.d/mixed starts freshclam",
    "line 1 of /var/spool/cron/crontabs/root starts freshclam",
    "/etc/cron.daily/patterns starts freshclam",
    "/etc/cron.weekly/nightly starts freshclam",
    "/etc/cron.monthly/freshclam starts freshclam",
)


def test_without_a_takeover_what_somebody_wrote_is_told_and_stays(busy: Sandbox) -> None:
    before = busy.tree()
    foretold, done = busy.converge(check=True, **LOOKING), busy.converge(**LOOKING)
    assert foretold.to_result() == done.to_result()
    again = busy.converge(**LOOKING)
    assert not again.changed
    assert foretold.other_updaters == again.other_updaters == THEIRS
    after = busy.tree()
    gone = {path for path in before if path not in after}
    assert gone == {f"{UNITS}/multi-user.target.wants/clamav-freshclam-once.service"}
    assert not [path for path in HOST if after[path] != before[path]]
    services = {path.parent.name for path in busy.root.rglob(DROP_IN)}
    assert services == {"clamav-freshclam.service.d", "clamav-freshclam-once.service.d"}


def test_what_a_takeover_had_switched_off_is_given_back_when_it_ends(busy: Sandbox) -> None:
    busy.converge(**LOOKING)
    before = busy.tree()
    assert busy.converge(**CLAMAV).other_updaters == ()
    with (busy.root / "etc/cron.d/mixed").open("a") as table:
        table.write("0 3 * * * root rsync -a /srv /backup\n")
    (busy.root / "etc/cron.daily/patterns").chmod(0o640)
    foretold = busy.converge(check=True, **LOOKING)
    assert busy.converge(**LOOKING).to_result() == foretold.to_result()
    assert not busy.converge(**LOOKING).changed
    left = {path for path in HOST.keys() | LINKS.keys() if busy.tree().get(path) != before.get(path)}
    assert left == {"etc/cron.d/mixed", "etc/cron.daily/patterns"}, "what was changed since then stays so"
    assert (
        busy.root / "etc/cron.d/mixed"
    ).read_text() == f"{HOST['etc/cron.d/mixed']}0 3 * * * root rsync -a /srv /backup\n"
    assert (busy.root / "etc/cron.daily/patterns").read_text() == SCRIPT
    assert {path.parent.name for path in busy.root.rglob(DROP_IN)} == {
        "clamav-freshclam.service.d",
        "clamav-freshclam-once.service.d",
    }
    assert busy.endpoint.store.read().taken_over == ()


def test_what_is_written_anew_during_a_takeover_is_not_lost(busy: Sandbox) -> None:
    busy.converge(**CLAMAV)
    anew = "MAILTO=al\n30 6 * * * root nice freshclam\n0 7 * * * root clamscan -r /srv\n"
    (busy.root / "etc/cron.d/mixed").write_text(anew)
    busy.converge(**CLAMAV)
    assert (busy.root / "etc/cron.d/mixed").read_text() == anew.replace("30 6", f"{OFF}30 6")
    remove(busy.host, check=False)
    assert (busy.root / "etc/cron.d/mixed").read_text() == anew


def test_a_copy_of_a_packaged_unit_counts_as_packaged(busy: Sandbox) -> None:
    put(busy.root / f"{UNITS}/clamav-freshclam.service", "[Service]\nExecStart=/usr/bin/freshclam -d -c 4\n")
    (busy.root / f"{UNITS}/freshclam.service").symlink_to(f"/{VENDOR}/clamav-freshclam.service")
    told = busy.converge(**LOOKING).other_updaters
    assert told == THEIRS
    assert (busy.root / UNITS / "clamav-freshclam.service.d" / DROP_IN).exists()


def test_how_they_are_off(busy: Sandbox) -> None:
    busy.converge(**CLAMAV)
    root = busy.root
    assert f"ConditionPathExists=!{paths.DOCUMENT}" in drop_in(root, "clamav-freshclam.service")
    assert drop_in(root, "clamav-daemon.service").endswith("[Service]\nExecStartPre=\n")
    table = HOST["etc/crontab"]
    assert (root / "etc/crontab").read_text() == table.replace("5 * * * * clamav", f"{OFF}5 * * * * clamav")
    assert (root / "etc/cron.d/mixed").read_text() == f"0 2 * * * root {DISARMED}freshclam && clamscan -r /home\n"
    assert (root / "etc/cron.daily/patterns").stat().st_mode & 0o777 == 0o644
    assert (root / "etc/cron.weekly/nightly").stat().st_mode & 0o777 == 0o755


def test_a_private_table_is_in_no_diff(busy: Sandbox) -> None:
    """A user's lines may hold secrets (R5)."""
    diff = {part.get("before_header", ""): part for part in busy.converge(**CLAMAV).to_result()["diff"]}
    (private,) = (part for header, part in diff.items() if header.startswith("/var/spool/cron/crontabs/root"))
    assert private["before"].startswith("(hidden: ")
    assert "clamscan" in str(diff)


ON_AGAIN = {
    "a link": lambda root: (root / f"{UNITS}/timers.target.wants/nightly.timer").symlink_to("../nightly.timer"),
    "a drop-in that is gone": lambda root: (root / f"{UNITS}/my-freshclam.service.d/{DROP_IN}").unlink(),
    "a line": lambda root: (root / "etc/cron.d/clamav-freshclam").write_text(HOST["etc/cron.d/clamav-freshclam"]),
    "a script": lambda root: (root / "etc/cron.daily/patterns").chmod(0o755),
    "a new service": lambda root: put(root / f"{UNITS}/new.service", ONCE),
    "a new line": lambda root: put(root / "etc/cron.d/new", "1 1 1 1 1 root freshclam\n"),
}


@pytest.mark.parametrize("again", ON_AGAIN)
def test_what_is_switched_on_again_is_found_and_mended(busy: Sandbox, again: str) -> None:
    busy.converge(**CLAMAV)
    ON_AGAIN[again](busy.root)
    found = busy.converge(check=True, **CLAMAV)
    assert len(found.changes) == 1, found.to_result()
    assert busy.converge(**CLAMAV).to_result() == found.to_result()
    assert not busy.converge(**CLAMAV).changed


def test_absent_gives_everything_back_as_it_was(busy: Sandbox) -> None:
    before = busy.tree()
    busy.converge(**CLAMAV)
    foretold = remove(busy.host, check=True)
    assert remove(busy.host, check=False).to_result() == foretold.to_result()
    kept = {path: busy.tree().get(path) for path in before}
    assert kept == before
    assert not [path for path in busy.root.rglob("*") if "epp" in path.name and "run" not in path.parts]
    assert not remove(busy.host, check=False).changed


def test_what_is_gone_or_was_changed_since_then_stays_so(busy: Sandbox) -> None:
    busy.converge(**CLAMAV)
    (busy.root / f"{VENDOR}/clamav-freshclam-once.service").unlink()
    (busy.root / "etc/cron.daily/patterns").chmod(0o600)
    (busy.root / "etc/cron.d/mixed").unlink()
    remove(busy.host, check=False)
    assert not (busy.root / f"{UNITS}/multi-user.target.wants/clamav-freshclam-once.service").is_symlink()
    assert (busy.root / "etc/cron.daily/patterns").stat().st_mode & 0o777 == 0o600
    assert not (busy.root / "etc/cron.d/mixed").exists()


def test_another_product_gives_back_what_was_off_for_the_one_before(busy: Sandbox) -> None:
    before = busy.tree()
    busy.converge(**CLAMAV)
    assert busy.converge(check=True).changed
    busy.converge()
    assert {path: busy.tree().get(path) for path in before} == before
    assert not busy.converge().changed
    assert busy.endpoint.store.read().switched_off == {}


def test_a_lost_state_leaves_no_line_and_no_drop_in_behind(busy: Sandbox) -> None:
    busy.converge(**CLAMAV)
    (busy.root / paths.STATE[1:]).unlink()
    remove(busy.host, check=False)
    assert not list(busy.root.rglob(DROP_IN))
    assert (busy.root / "etc/crontab").read_text() == HOST["etc/crontab"]


def test_a_drop_in_goes_with_its_service(busy: Sandbox) -> None:
    busy.converge(**CLAMAV)
    (busy.root / f"{UNITS}/my-freshclam.service").unlink()
    assert busy.converge(**CLAMAV).changed
    assert not (busy.root / f"{UNITS}/my-freshclam.service.d").exists()


def test_init_scripts_where_systemd_is_not(sandbox: Sandbox) -> None:
    put(sandbox.root / "etc/init.d/clamav-freshclam", "#!/bin/sh\nDAEMON=/usr/bin/freshclam\nstart_daemon $DAEMON -d\n")
    for level in (2, 3):
        (sandbox.root / f"etc/rc{level}.d").mkdir()
        (sandbox.root / f"etc/rc{level}.d/S01clamav-freshclam").symlink_to("../init.d/clamav-freshclam")
    before = sandbox.tree()
    sandbox.converge(scheduler="cron", **CLAMAV)
    assert {path.name for path in sandbox.root.glob("etc/rc*.d/*")} == {"K01clamav-freshclam"}
    assert not sandbox.converge(scheduler="cron", **CLAMAV).changed
    remove(sandbox.host, check=False)
    assert {path: sandbox.tree().get(path) for path in before} == before


def test_an_init_script_of_openrc(sandbox: Sandbox) -> None:
    put(sandbox.root / "etc/init.d/freshclam", '#!/sbin/openrc-run\ncommand="/usr/bin/freshclam"\n')
    link = sandbox.root / "etc/runlevels/default/freshclam"
    link.parent.mkdir(parents=True)
    link.symlink_to("/etc/init.d/freshclam")
    sandbox.converge(scheduler="cron", **CLAMAV)
    assert not link.is_symlink()
    remove(sandbox.host, check=False)
    assert link.is_symlink()


def test_an_init_script_that_systemd_wraps_is_kept_from_it_too(sandbox: Sandbox) -> None:
    put(sandbox.root / "usr/lib/systemd/systemd", "")
    put(sandbox.root / "etc/init.d/fresh", "#!/bin/sh\nfreshclam -d\n")
    sandbox.converge(**CLAMAV)
    assert "ConditionPathExists" in drop_in(sandbox.root, "fresh.service")


def test_weird_files_break_no_converge(sandbox: Sandbox) -> None:
    root = sandbox.root
    for directory in (UNITS, "etc/cron.d", "etc/cron.daily", "etc/init.d", "var/spool/cron/crontabs"):
        place = root / directory
        place.mkdir(parents=True, exist_ok=True)
        os.mkfifo(place / "fifo.service")
        (place / "loop.service").symlink_to("loop.service")
        (place / "gone.service").symlink_to("/nonexistent")
        (place / "out.service").symlink_to("/etc/passwd")
        (place / "directory.service").mkdir()
        (place / "binary.service").write_bytes(b"#!/bin/sh\nfreshclam\0" + bytes(range(256)))
        (place / "huge.service").write_text("#!/bin/sh\n" + "freshclam\n" * 100_000)
        (place / "\udcff.service").write_text(ONCE)
        (place / "directory.service.d").symlink_to("/proc")
    put(root / "etc/systemd/system/x.wants", "")
    sandbox.converge(**CLAMAV)
    assert not sandbox.converge(**CLAMAV).changed
    assert remove(sandbox.host, check=False).changed


def test_a_product_without_an_updater_of_its_own_looks_at_nothing(busy: Sandbox) -> None:
    before = busy.tree()
    busy.converge()
    assert {path: busy.tree().get(path) for path in before} == before


def drop_in(root: Path, service: str) -> str:
    return (root / UNITS / f"{service}.d" / DROP_IN).read_text()


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
