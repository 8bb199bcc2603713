# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What apt-get and dpkg-query print, read: words of the real programs of Debian 12 and 13."""

from __future__ import annotations

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.packages.apt_output import (
    Step,
    is_busy,
    last_word,
    plan_of,
    unreached,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.packages.dpkg import (
    Package,
    engine_version,
    parse,
)
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.packaged import upstream
from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Completed

SIMULATED = """\
Reading package lists...
Building dependency tree...
The following packages will be upgraded:
  clamav libclamav12
2 upgraded, 0 newly installed, 0 to remove and 130 not upgraded.
Inst clamav [1.4.2+dfsg-1] (1.4.3+dfsg-1~deb13u1 Debian:13.1/stable [amd64]) []
Inst libclamav12:amd64 [1.4.2+dfsg-1] (1.4.3+dfsg-1~deb13u1 Debian:13.1/stable [amd64])
Conf clamav (1.4.3+dfsg-1~deb13u1 Debian:13.1/stable [amd64])
Conf libclamav12 (1.4.3+dfsg-1~deb13u1 Debian:13.1/stable [amd64])
"""
MORE = """\
Inst libclamav13 (1.5.0-1 Debian:14 [amd64])
Inst libssl3t64 [3.5.1-1] (3.5.2-1 Debian:13.1/stable [amd64])
Remv clamtk [6.18-1]
"""
LOCKED = (
    "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (python3)\n"
    "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?\n"
)
LOST = """\
W: Failed to fetch http://deb.example.com/dists/trixie/InRelease  Could not connect to deb.example.com:80
W: Failed to fetch http://deb.example.com/dists/trixie/InRelease  Could not connect to deb.example.com:80
E: Failed to fetch http://deb.example.com/pool/c/clamav_1_amd64.deb  404  Not Found [IP: 192.0.2.1 80]
W: Some index files failed to download. They have been ignored, or old ones used instead.
"""
NAMES = ("clamav", "libclamav12")


def test_a_plan_has_its_upgrades() -> None:
    plan = plan_of(Completed(0, SIMULATED, ""))
    assert plan.steps == tuple(Step(name, "1.4.2+dfsg-1", "1.4.3+dfsg-1~deb13u1") for name in NAMES)
    assert plan.words == ("clamav=1.4.3+dfsg-1~deb13u1", "libclamav12=1.4.3+dfsg-1~deb13u1")
    assert (plan.version("libclamav"), plan.beside(NAMES), plan.refusal) == ("1.4.3+dfsg-1~deb13u1", (), "")


def test_what_goes_beyond_upgrades_of_these_packages_is_told() -> None:
    plan = plan_of(Completed(0, SIMULATED + MORE, ""))
    assert plan.beside(NAMES) == ("install libclamav13", "upgrade libssl3t64", "remove clamtk")


def test_a_refused_plan_says_why() -> None:
    refused = plan_of(Completed(100, SIMULATED, "W: a warning\nE: Unable to correct problems, held packages\n"))
    assert refused.steps == ()
    words = "apt-get ended with exit code 100: E: Unable to correct problems, held packages"
    assert refused.refusal == words


@pytest.mark.parametrize(("said", "busy"), [(LOCKED, True), (LOST, False), ("", False)])
def test_a_lock_of_another_is_known(said: str, busy: bool) -> None:
    assert is_busy(Completed(100, "", said)) is busy


def test_each_url_that_was_given_up_is_told_once() -> None:
    tried = "Err:1 http://deb.example.com trixie InRelease\n"
    assert unreached(Completed(0, tried, LOST)) == (
        "http://deb.example.com/dists/trixie/InRelease",
        "http://deb.example.com/pool/c/clamav_1_amd64.deb",
    )
    assert unreached(Completed(0, tried, "")) == ()


def test_the_last_word_of_a_run_that_took_too_long() -> None:
    assert last_word(Completed(-9, "", "", timed_out=True)) == "apt-get took too long and was ended"


def test_packages_of_the_source_that_are_there_are_read() -> None:
    told = (
        "ii \tclamav\tclamav\t1.4.3\nun \tclamav-data\tclamav-data\t\nrc \tclamav-milter\tclamav\t1.0\n"
        "ii \tclamav-unofficial-sigs\tclamav-unofficial-sigs\t7\nhi \tlibclamav12\tclamav\t1.4.4\n"
        "iF \tclamav-daemon\tclamav\t1.4.3\n"
    )
    found = parse(told, "clamav")
    assert [(one.name, one.whole, one.on_hold) for one in found] == [
        ("clamav", True, False),
        ("clamav-daemon", False, False),
        ("libclamav12", True, True),
    ]
    assert engine_version(found, "libclamav") == "1.4.4"
    assert engine_version(found[:1], "libclamav") == "1.4.3"
    assert engine_version((), "libclamav") == ""
    assert found[0] == Package("clamav", "1.4.3", "ii")


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.4.3+dfsg-1~deb13u1", "1.4.3"), ("1:0.103.12-0+deb11u1", "0.103.12"), ("1.5.0~rc1-1", "1.5.0"), ("git", "")],
)
def test_a_package_has_the_version_of_clamav_in_its_own(version: str, expected: str) -> None:
    assert upstream(version) == expected
