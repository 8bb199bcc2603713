# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe of ClamAV by the real programs: what works passes, each way of not working is told (G3)."""

from __future__ import annotations

import base64
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.canonical import sha256_hex
from ansible_collections.epp.autoupdate.plugins.module_utils._core.holds import NO_HOLDS, Hold, Holds
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.samples import sample_file
from ansible_collections.epp.autoupdate.plugins.module_utils._core.probes import ProbeOutcome
from ansible_collections.epp.autoupdate.plugins.module_utils._core.results import ReasonKind, Result
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.trust import ProbeSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.values import replace
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav import offers, own_signature
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.clamd import Clamd
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.product import ClamAV
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.clamav.samples import Sample, samples
from ansible_collections.epp.autoupdate.plugins.module_utils._endpoint.products.published_samples import SampleSet
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.clamav.conftest import (
    OwnClamd,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._endpoint.products.clamav.samples import (
    DATABASES,
    MARKER,
    LiveHost,
    clamav,
    needs_clamd,
    needs_clamscan,
    needs_databases,
    needs_freshclam,
    publish,
    signature,
    versions,
)
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.http.scripted_server import (
    Answer,
    ScriptedServer,
)

TIMEOUT = 60.0
MALIGN, CLEAN = "/srv/malign", "/srv/clean"


def custom(server: ScriptedServer, content: str, *, newer: int = 0) -> str:
    """Serve a database of a third party; returns its URL."""
    path = Path(server.folder) / "epp.ndb"
    path.write_text(content)
    os.utime(path, (path.stat().st_mtime + newer, path.stat().st_mtime + newer))
    return f"{server.url}/epp.ndb"


@pytest.fixture
def product(host: LocalHost, server: ScriptedServer) -> ClamAV:
    """ClamAV in a sandbox, whose one database finds the marker, and two samples."""
    url = custom(server, signature("Epp.Good"))
    host.write(MALIGN, b"before " + MARKER)
    host.write(CLEAN, b"a clean file")
    product = clamav(host, databases=[], custom_urls=[url])
    assert product.update(TIMEOUT).result is Result.UPDATED
    product.keep()
    return product


def probe(product: ClamAV, *, alive: bool = False, **settings: Any) -> ProbeOutcome:
    outcome = product.probe(replace(ProbeSettings(clean=(CLEAN,), find=(MALIGN,)), **settings), alive=alive)
    assert outcome is not None
    return outcome


@needs_clamscan
@needs_freshclam
def test_what_works_passes_and_leaves_nothing(product: ClamAV) -> None:
    assert probe(product) == ProbeOutcome()
    assert not product.host.exists(f"{paths.RUNTIME_DIRECTORY}/probe")
    assert own_signature.belongs(product, product.components())


@needs_clamscan
@needs_freshclam
def test_a_sample_that_is_encoded_is_decoded(product: ClamAV) -> None:
    product.host.write("/srv/sample.base64", base64.encodebytes(MARKER))
    assert probe(product, find=("/srv/sample.base64",)) == ProbeOutcome()
    product.host.write("/srv/sample.base64", base64.encodebytes(b"harmless"))
    assert probe(product, find=("/srv/sample.base64",)).failures == ("/srv/sample.base64 was not found",)


@needs_clamscan
@needs_freshclam
def test_samples_of_the_server_count_like_local_ones(product: ClamAV) -> None:
    """What comes before them is tested with the other products' tests: they are here, verified."""
    given = {"find/mark.base64": base64.b64encode(MARKER), "clean/a": b"clean", "find/b.base64": b"%"}
    for content in given.values():
        product.host.write(f"{paths.SAMPLES}/{sha256_hex(content)}", content)
    files = tuple(sample_file(path, len(content), sha256_hex(content)) for path, content in given.items())
    published = SampleSet(product.host, files, "the samples are those of before")
    settings = ProbeSettings(find=(), clean=())
    found = [one for one in samples(product, settings, product.components(), published) if "own" not in str(one)]
    assert found == [
        "the samples are those of before",
        Sample("the sample find/mark.base64 of the update server", MARKER, malign=True),
        Sample("the sample clean/a of the update server", b"clean", malign=False),
        "the sample find/b.base64 of the update server can't be decoded",
    ]


@needs_clamscan
@needs_freshclam
@pytest.mark.parametrize(
    ("database", "failure"),
    [
        (signature("Epp.Other", b"another"), f"{MALIGN} was not found"),
        (
            signature("Epp.Good") + signature("Epp.Wrong", b"a clean file"),
            f"{CLEAN} is clean, and was called Epp.Wrong",
        ),
        ("Epp.Broken:0:*:no hexadecimal digits\n", "clamscan ended with exit code 2"),
    ],
    ids=["misses", "flags what is clean", "does not load"],
)
def test_each_way_of_not_working_is_told(product: ClamAV, database: str, failure: str) -> None:
    (Path(product.directory()) / "epp.ndb").write_text(database)
    own_signature.put(product, product.components())
    outcome = probe(product)
    assert not outcome.passed
    assert failure in outcome.why


@needs_clamscan
@needs_databases
def test_the_industrys_test_file_does_not_decide_alone(host: LocalHost) -> None:
    """A vendor has shipped a database without it once."""
    product = clamav(host, databases=["daily"])
    place = Path(product.directory())
    place.mkdir(parents=True)
    shutil.copyfile(DATABASES / "test-1.cvd", place / "daily.cvd")
    own_signature.put(product, product.components())
    outcome = probe(product, find=(), clean=())
    assert (outcome.passed, outcome.why) == (True, "EICAR was not found")
    (place / "eicar.ndb").write_text(signature("Epp.Eicar", b"STANDARD-ANTIVIRUS-TEST-FILE"))
    assert probe(product, find=(), clean=()) == ProbeOutcome()


@needs_clamscan
@needs_freshclam
def test_a_sample_that_is_gone_is_told_and_decides_nothing(product: ClamAV) -> None:
    outcome = probe(product, find=(MALIGN, "/srv/gone"), clean=("/srv/gone-too",))
    assert outcome.passed
    assert outcome.why == "the sample /srv/gone is not there, or larger than 20 MB"


@needs_clamscan
@needs_freshclam
def test_a_command_of_the_settings_comes_last(product: ClamAV) -> None:
    assert probe(product, command=("/bin/true",)).passed
    assert probe(product, command=("/bin/false",)).why == "the probe command ended with exit code 1"
    assert probe(product, command=("/nonexistent",)).why.endswith("can't be started: No such file or directory")


@needs_freshclam
def test_without_a_scanner_that_is_told(product: ClamAV, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert probe(product).remarks == ("neither clamd nor clamscan is here to probe the databases with",)


@needs_freshclam
def test_the_earlier_set_is_back_whole(product: ClamAV, server: ScriptedServer) -> None:
    good = versions(product)
    custom(server, signature("Epp.Bad"), newer=10)
    assert product.update(TIMEOUT).result is Result.UPDATED
    bad = versions(product)["epp.ndb"]
    holds = Holds((Hold(bad, "epp.ndb", "it is bad", by_probe=True),))
    back = product.restore(holds, alive=False)
    assert (back.done, back.why) == (True, f"epp.ndb {good['epp.ndb']} is back")
    assert versions(product) == good
    assert own_signature.belongs(product, product.components())

    outcome = product.update(TIMEOUT, holds)
    assert (outcome.result, outcome.kind) == (Result.FAILED, ReasonKind.PROBE)
    assert outcome.why == f"epp.ndb {bad} failed its probe here: it is bad"
    assert versions(product) == good
    custom(server, signature("Epp.Better"), newer=20)
    assert product.update(TIMEOUT, holds).result is Result.UPDATED


class WithClamd:
    """ClamAV with a clamd of its own, and a third party's database."""

    def __init__(self, folder: Path, clamd: OwnClamd, server: ScriptedServer) -> None:
        self.clamd, self.server = clamd, server
        self.malign, self.clean = folder / "malign", folder / "clean"
        self.malign.write_bytes(MARKER)
        self.clean.write_bytes(b"a clean file")
        self.newer = 0
        url = custom(server, signature("Epp.Good"))
        self.product = clamav(
            LiveHost(folder / "own"),
            databases=[],
            custom_urls=[url],
            database_directory=str(clamd.database),
            clamd_config=str(clamd.config),
        )
        self.product = replace(self.product, probing=ProbeSettings(timeout=10))

    def update(self, database: str) -> None:
        self.newer += 10
        custom(self.server, database, newer=self.newer)
        assert self.product.update(TIMEOUT).result is Result.UPDATED

    def probe(self) -> ProbeOutcome:
        return probe(self.product, alive=True, find=(str(self.malign),), clean=(str(self.clean),), timeout=10)


@pytest.fixture
def with_clamd(tmp_path: Path, own_clamd: OwnClamd, server: ScriptedServer) -> WithClamd:
    return WithClamd(tmp_path, own_clamd, server)


@needs_clamd
@needs_freshclam
def test_clamd_is_waited_for_until_it_has_loaded_what_is_on_disk(with_clamd: WithClamd) -> None:
    assert with_clamd.product.alive()
    with_clamd.update(signature("Epp.Good"))
    assert with_clamd.probe() == ProbeOutcome()
    with_clamd.update(signature("Epp.Good", b"another marker"))
    assert with_clamd.probe().failures == (f"{with_clamd.malign} was not found",)
    with_clamd.update(signature("Epp.Good") + signature("Epp.Wrong", b"clean"))
    assert with_clamd.probe().failures == (f"{with_clamd.clean} is clean, and was called Epp.Wrong.UNOFFICIAL",)


@needs_clamd
@needs_freshclam
def test_clamd_that_refuses_the_new_databases_is_told_and_goes_on_with_the_old(with_clamd: WithClamd) -> None:
    with_clamd.update(signature("Epp.Good"))
    assert with_clamd.probe().passed
    with_clamd.product.keep()
    product = with_clamd.product
    (with_clamd.clamd.database / "epp.ndb").unlink()
    (with_clamd.clamd.database / "epp.ndb").write_text("Epp.Broken:0:*:no hexadecimal digits\n")
    own_signature.put(product, product.components())
    assert Clamd(path=f"{with_clamd.clamd.folder}/socket").reloads()
    assert with_clamd.probe().failures == ("clamd goes on with the old databases: it could not load the new ones",)
    back = product.restore(NO_HOLDS, alive=True)
    assert back.done
    assert back.why.endswith("is back")
    assert with_clamd.probe() == ProbeOutcome()


@needs_clamd
@needs_freshclam
def test_clamd_that_has_ended_is_told(with_clamd: WithClamd) -> None:
    with_clamd.update(signature("Epp.Good"))
    with_clamd.clamd.kill()
    assert with_clamd.probe().failures == ("clamd has ended (often out of memory)",)


@needs_databases
@needs_freshclam
def test_a_held_version_is_not_begun_and_asked_for_by_its_header_alone(host: LocalHost, server: ScriptedServer) -> None:
    product = clamav(host, server.url)
    publish(server, 1)
    product.update(TIMEOUT)
    publish(server, 2)
    server.forget()
    holds = Holds((Hold("2", "test", "it takes printers for malware"),))
    outcome = product.update(TIMEOUT, holds)
    assert (outcome.result, outcome.why) == (Result.HELD, "test 2 is held: it takes printers for malware")
    assert server.seen() == [("/test.cvd", 206)]
    assert versions(product) == {"test": "1"}

    publish(server, 3)
    assert product.update(TIMEOUT, holds).result is Result.UPDATED
    assert versions(product) == {"test": "3"}


@needs_databases
@needs_freshclam
def test_a_source_that_offers_the_held_version_is_passed_over_and_another_one_is_asked(
    host: LocalHost, serve: Any
) -> None:
    bad, good = serve(), serve()
    publish(bad, 2)
    publish(good, 3)
    product = clamav(host, bad.url, good.url)
    assert product.update(TIMEOUT, Holds((Hold("2"),))).result is Result.UPDATED
    assert versions(product) == {"test": "3"}
    assert [path for path, _status in bad.seen()] == ["/test.cvd"]


@needs_databases
@needs_freshclam
def test_other_databases_go_on_while_one_is_held(host: LocalHost, server: ScriptedServer) -> None:
    publish(server, 1)
    product = clamav(host, server.url, databases=["test", "bytecode"])
    folder = Path(server.folder)
    (folder / "bytecode.cvd").write_bytes((folder / "test.cvd").read_bytes())
    outcome = product.update(TIMEOUT, Holds((Hold("1", "test"),)))
    assert (outcome.result, outcome.why) == (Result.UPDATED, "in part: test 1 is held")
    assert versions(product) == {"bytecode": "1"}


@pytest.mark.parametrize(
    ("record", "names", "kept_back"),
    [
        ("1.4.3:62:27002:1:1:90:1:339", ("main", "daily"), ()),
        ("1.4.3:62:27001:1:1:90:1:339", ("main",), ("daily 27001 is held",)),
        ("", ("main",), ("a version of daily is held, and what is offered can't be told: the DNS does not tell what",)),
        ("1.4.3:62", ("main",), ("a version of daily is held, and what is offered can't be told: the DNS does not",)),
    ],
)
def test_what_the_vendor_offers_is_told_by_dns_alone(
    host: LocalHost, monkeypatch: pytest.MonkeyPatch, record: str, names: tuple[str, ...], kept_back: tuple[str, ...]
) -> None:
    """The question itself is asked of a real name server elsewhere: no test may ask the vendor's."""
    monkeypatch.setattr(offers, "text_record", lambda *_asked, **_more: record)
    product = clamav(host, databases=["main", "daily"])
    found = offers.permitted(product, ("main", "daily"), Holds((Hold("27001", "daily"),)), time.monotonic() + 20)
    assert (found.names, found.mirrors) == (names, ())
    assert len(found.kept_back) == len(kept_back)
    assert all(one.why.startswith(why) for one, why in zip(found.kept_back, kept_back))
    assert all(one.result is Result.HELD for one in found.kept_back)


def test_a_source_that_does_not_answer_is_unreachable_while_a_version_is_held(host: LocalHost, dead_url: str) -> None:
    outcome = clamav(host, dead_url).update(TIMEOUT, Holds((Hold("2", "test"),)))
    assert outcome.result is Result.UNREACHABLE


@needs_databases
def test_a_source_whose_answer_is_no_database_keeps_the_held_one_back(host: LocalHost, server: ScriptedServer) -> None:
    server.always(Answer(200, b"<html>"))
    outcome = clamav(host, server.url).update(TIMEOUT, Holds((Hold("2", "test"),)))
    assert outcome.result is Result.HELD
    assert outcome.why.endswith("/test.cvd is no database")


@needs_databases
@needs_freshclam
def test_a_held_version_without_a_kept_one_is_replaced_by_an_older_one_of_the_source(
    host: LocalHost, server: ScriptedServer
) -> None:
    """freshclam itself never goes back."""
    product = clamav(host, server.url)
    publish(server, 2)
    product.update(TIMEOUT)
    publish(server, 3)
    product.update(TIMEOUT)
    publish(server, 2)
    holds = Holds((Hold("3", "test"),))
    before = (Path(product.directory()) / "freshclam.dat").read_bytes()
    assert not product.restore(holds, alive=False).done
    assert product.update(TIMEOUT, holds).result is Result.UPDATED
    assert versions(product) == {"test": "2"}
    names = {path.name for path in Path(product.directory()).iterdir()}
    assert names == {"test.cvd", "freshclam.dat", own_signature.NAME}
    assert (Path(product.directory()) / "freshclam.dat").read_bytes() == before
    assert product.update(TIMEOUT, holds).result is Result.CURRENT
