# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Products that are data, with the real programs of Debian and sources of the lab's own (D1, D3).

Each goes from one version to the next, and every other result that it can have is a real one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lab_documents as documents
import lab_root
import pytest
from fleet import Fleet
from lab_ansible import Ansible
from lab_certificates import Authority
from lab_names import Records
from lab_nodes import Node
from lab_products import HUB, SPAM, channel, hub, install, rules
from lab_server import ComponentServer

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(lab_root.SUITE != "trixie", reason="the definitions were run on Debian 13"),
]
NAME = "n135"
UPDATE = "epp-update@manual.service"
Packages = Callable[..., dict[str, Path]]


@pytest.fixture
def machine(node: Callable[[str], Node]) -> Node:
    found = node(NAME)
    found.renew()
    return found


def converge(ansible: Ansible, product: str, **more: Any) -> dict[str, Any]:
    """Converge the machine; a second time changes nothing. The first result is returned."""
    document = documents.quiet(NAME, product=product, **more)
    first = ansible.converge({NAME: document}).demand()[NAME]
    assert not ansible.converge({NAME: document}).demand()[NAME].changed
    return first.task


def ran(machine: Node) -> tuple[str, str]:
    """One update as the host's scheduler starts it, in its sandbox: its result and the reason."""
    machine.run(["systemctl", "start", UPDATE], check=False)
    last = machine.agent_status()["last"]["manual"]
    return last["result"], last["reason"]


def versions(machine: Node) -> dict[str, str]:
    return {one["name"]: one["version"] for one in machine.agent_status()["components"]}


def exposure(machine: Node) -> float:
    told = machine.run(["systemd-analyze", "security", "--no-pager", UPDATE], check=False).out
    found = re.search(r"exposure level for .*: ([0-9.]+)", told)
    assert found, told[-500:]
    return float(found[1])


def test_rkhunter(
    machine: Node, ansible: Ansible, component_server: ComponentServer, debian_packages: Packages
) -> None:
    install(machine, component_server, debian_packages("rkhunter"))
    names = ("mirrors.dat", "programs_bad.dat", "backdoorports.dat", "suspscan.dat")
    data: dict[str, str] = {name: machine.read(f"/var/lib/rkhunter/db/{name}") for name in names}
    data["i18n/1.4.6/i18n.ver"] = "Version:2017080501\n"
    machine.write("/etc/rkhunter.conf.local", 'UPDATE_MIRRORS=0\nMIRRORS_MODE=1\nWEB_CMD=""\n')
    machine.write("/var/lib/rkhunter/db/mirrors.dat", f"Version:2007060601\nlocal={component_server.url}\n")
    machine.write("/etc/default/rkhunter", 'CRON_DB_UPDATE="true"\nREPORT_EMAIL="root"\n')
    component_server.publish(data)
    weekly = machine.run("stat -c %a /etc/cron.weekly/rkhunter; sha256sum </etc/cron.weekly/rkhunter").out
    converge(ansible, "rkhunter")
    assert machine.run("stat -c %a /etc/cron.weekly/rkhunter; sha256sum </etc/cron.weekly/rkhunter").out != weekly
    assert ran(machine) == ("current", "")
    before = versions(machine)
    component_server.publish({**data, "programs_bad.dat": "Version:2026113001\nhttpd: 1.3a1\n"})
    assert ran(machine) == ("updated", "")
    assert versions(machine) == {**before, "programs_bad": "2026113001"}
    assert ran(machine) == ("current", "")
    component_server.answer(404)
    result, why = ran(machine)
    assert (result, why.partition(" (")[0]) == ("failed", "at least one file could not be downloaded")
    component_server.answer(None)
    converge(ansible, "rkhunter", held_versions=[{"component": "suspscan", "version": "2030010101"}])
    assert ran(machine)[0] == "held"
    converge(ansible, "rkhunter", policy={"components": {"scope": "engines"}})
    assert ran(machine)[0] == "skipped"
    assert exposure(machine) <= 3.0
    ansible.converge({NAME: documents.quiet(NAME, product="rkhunter")}, state="absent").demand()
    assert machine.run("stat -c %a /etc/cron.weekly/rkhunter; sha256sum </etc/cron.weekly/rkhunter").out == weekly


@pytest.fixture
def records(component_server: ComponentServer) -> Iterator[Records]:
    names = Records(component_server.address, {f"mirrors.{SPAM}": f"{component_server.url}/MIRRORED.BY"})
    yield names
    names.stop()


def test_spamassassin(
    machine: Node, ansible: Ansible, component_server: ComponentServer, debian_packages: Packages, records: Records
) -> None:
    install(machine, component_server, debian_packages("spamassassin", "gpg", "gpg-agent"))
    machine.write("/etc/resolv.conf", f"nameserver {component_server.address}\noptions timeout:1 attempts:1\n")
    machine.run(["systemctl", "enable", "--now", "spamassassin-maintenance.timer"])
    settings = {"options": ["--nogpg", "--channel", SPAM]}
    converge(ansible, "spamassassin", product_settings=settings)
    off = machine.run(["systemctl", "is-active", "spamassassin-maintenance.timer"], check=False).out.strip()
    assert off == "inactive"
    for version in (1, 2):
        records.texts[f"1.0.4.{SPAM}"] = str(version)
        component_server.publish(channel(version, component_server.url))
        assert ran(machine) == ("updated", "")
        assert ran(machine) == ("current", "")
        assert machine.read(f"/var/lib/spamassassin/4.000001/{SPAM.replace('.', '_')}.cf").startswith(
            f"# UPDATE version {version}\n"
        )
    assert machine.run("stat -c %U /var/lib/spamassassin/4.000001/updates_lab_example").out.strip() == "debian-spamd"
    records.texts[f"1.0.4.{SPAM}"] = "3"
    url, reasons = component_server.url, []
    for files in ({}, channel(3, url, wrong=True), channel(3, url, rule="body LAB RULE")):
        component_server.publish(files)
        result, why = ran(machine)
        reasons.append((result, why.partition(" (")[0]))
    known = dict(records.texts)
    records.texts.clear()
    result, why = ran(machine)
    assert [*reasons, (result, why.partition(" (")[0])] == [
        ("unreachable", "no mirror of the channel has the update"),
        ("failed", "the update is not what its checksum says"),
        ("failed", "the new rules do not pass a lint check, and the former ones stay"),
        ("unreachable", "no name server tells the mirrors of the channel"),
    ]
    records.texts.update(known)
    component_server.publish(channel(3, url))
    machine.write("/etc/spamassassin/zz_lab.pre", "no_such_setting 1\n")
    result, why = ran(machine)
    assert (result, why.partition(" (")[0]) == (
        "failed",
        "a lint check of the host's own configuration failed before the update",
    )
    assert exposure(machine) <= 3.0
    ansible.converge({NAME: documents.quiet(NAME, product="spamassassin")}, state="absent").demand()
    on = machine.run(["systemctl", "is-active", "spamassassin-maintenance.timer"], check=False).out.strip()
    assert on == "active"


def test_suricata(
    machine: Node, ansible: Ansible, component_server: ComponentServer, debian_packages: Packages
) -> None:
    install(machine, component_server, debian_packages("suricata", "suricata-update"))
    machine.write("/etc/cron.d/suricata", "5 4 * * * root suricata-update --quiet\n")
    options = {"options": ["--force", "--url", f"{component_server.url}/lab.rules.tar.gz"]}
    converge(ansible, "suricata", product_settings=options, takeover=True)
    assert machine.read("/etc/cron.d/suricata").startswith("#epp-autoupdate: off#")
    for revision in (1, 2):
        rule = f'alert tcp any any -> any 9 (msg:"LAB"; sid:1000001; rev:{revision};)\n'
        component_server.publish({"lab.rules.tar.gz": rules(rule)})
        assert ran(machine) == ("updated", "")
        assert ran(machine) == ("current", "")
        assert f"rev:{revision};" in machine.run("grep LAB /var/lib/suricata/rules/suricata.rules").out
    good = versions(machine)
    component_server.publish({"lab.rules.tar.gz": rules("alert tcp any any -> any 9 (nosuchkeyword; sid:1000001;)\n")})
    result, why = ran(machine)
    assert (result, why.partition(" (")[0]) == (
        "failed",
        "the engine refuses the new rules, and the former ones are back",
    )
    assert versions(machine) == good
    component_server.stop()
    result, why = ran(machine)
    assert (result, why.partition(" (")[0]) == ("unreachable", "a source was not reached")
    assert versions(machine) == good
    component_server.start()
    component_server.answer(403)
    result, why = ran(machine)
    assert (result, why.partition(" (")[0]) == ("cooling_down", "a source refuses requests")
    component_server.forget()
    component_server.answer(None)
    assert ran(machine) == ("cooling_down", why)
    assert component_server.requests() == []
    assert exposure(machine) <= 3.0


CONFIGURATION = """\
[DEFAULT]
db_url = sqlite:////var/lib/fangfrisch/db.sqlite
local_directory = /var/lib/fangfrisch/signatures
[lab]
enabled = yes
integrity_check = sha256
interval = 1s
prefix = {url}/
url_lab = ${{prefix}}lab.ndb
"""


def signatures(text: str, *, wrong: bool = False) -> dict[str, bytes | str]:
    content = f"{text}:0:*:6c61622d74657374\n".encode()
    told = hashlib.sha256(content + b"x" * wrong).hexdigest()
    return {"lab.ndb": content, "lab.ndb.sha256": f"{told}  lab.ndb\n"}


def test_fangfrisch(
    machine: Node, ansible: Ansible, component_server: ComponentServer, debian_packages: Packages
) -> None:
    install(machine, component_server, debian_packages("fangfrisch"))
    machine.write("/etc/fangfrisch.conf", CONFIGURATION.format(url=component_server.url))
    machine.run("install -d -o clamav -g clamav /var/lib/fangfrisch /var/lib/fangfrisch/signatures")
    machine.run("systemctl enable --now fangfrisch.timer; touch /var/lib/clamav/freshclam.dat")
    official = machine.run("ls -l --time-style=full-iso /var/lib/clamav").out
    converge(ansible, "fangfrisch")
    for number in (1, 2):
        component_server.publish(signatures(f"Lab.{number}"))
        assert ran(machine) == ("updated", "")
        assert ran(machine) == ("current", "")
    good = versions(machine)
    component_server.publish(signatures("Lab.3", wrong=True))
    result, why = ran(machine)
    assert (result, why.partition(" (")[0]) == (
        "failed",
        "a file is not what its provider's checksum says, and was left out",
    )
    component_server.answer(403)
    result, why = ran(machine)
    assert (result, why.partition(" (")[0]) == ("failed", "a provider refuses requests; the others were asked")
    component_server.stop()
    result, why = ran(machine)
    assert (result, why.partition(" (")[0]) == ("unreachable", "a provider was not reached; the others were asked")
    assert versions(machine) == good
    assert machine.run("ls -l --time-style=full-iso /var/lib/clamav").out == official
    assert exposure(machine) <= 3.0


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def hub_server(fleet: Fleet, tmp_path: Path, authority: Authority) -> Iterator[ComponentServer]:
    """The hub by its own name, with a certificate of the lab's authority."""
    server = ComponentServer(root=lab_root.path(), directory=tmp_path / "hub", address=fleet.plan.gateway, port=443)
    server.use_tls(*authority.issue(server.address, HUB))
    server.start()
    yield server
    server.stop()


def with_crowdsec(machine: Node, hub_server: ComponentServer, authority: Authority) -> None:
    """Have the machine find and trust the lab's hub, and somebody's own line of cron ask it."""
    machine.write("/etc/crowdsec/config.yaml.local", "cscli:\n  hub_branch: master\n")
    machine.write("/usr/local/share/ca-certificates/lab.crt", authority.certificate.read_text())
    machine.run(f"update-ca-certificates; echo {hub_server.address} {HUB} >>/etc/hosts")
    machine.write("/etc/cron.d/crowdsec", "0 3 * * * root cscli hub update && cscli hub upgrade\n")


def test_crowdsec(
    machine: Node,
    ansible: Ansible,
    component_server: ComponentServer,
    debian_packages: Packages,
    hub_server: ComponentServer,
    authority: Authority,
) -> None:
    # With credentials there, the package does not ask the central service for an account.
    machine.run("mkdir /etc/crowdsec")
    machine.write("/etc/crowdsec/online_api_credentials.yaml", "url: http://127.0.0.1:9/\nlogin: a\npassword: b\n")
    install(machine, component_server, debian_packages("crowdsec", "ca-certificates"))
    with_crowdsec(machine, hub_server, authority)
    converge(ansible, "crowdsec", takeover=True)
    assert machine.read("/etc/cron.d/crowdsec").startswith("#epp-autoupdate: off#")
    hub_server.publish(hub(1))
    assert ran(machine) == ("current", "")
    machine.run(["cscli", "parsers", "install", "lab/one"])
    hub_server.publish(hub(2))
    assert ran(machine) == ("updated", "")
    assert "lab 2" in machine.read("/etc/crowdsec/parsers/s01-parse/one.yaml")
    assert ran(machine) == ("current", "")
    good, reasons = versions(machine), []
    hub_server.publish(hub(3, wrong=True))
    reasons.append(ran(machine))
    hub_server.stop()
    reasons.append(ran(machine))
    hub_server.start()
    hub_server.answer(404)
    reasons.append(ran(machine))
    hub_server.answer(403)
    reasons.append(ran(machine))
    assert [(result, why.partition(" (")[0]) for result, why in reasons] == [
        ("failed", "an item is not what the index says, and the former one stays"),
        ("unreachable", "the hub was not reached"),
        ("failed", "the hub does not have its index"),
        ("cooling_down", "the hub refuses requests"),
    ]
    assert versions(machine) == good
    assert exposure(machine) <= 3.0
    ansible.converge({NAME: documents.quiet(NAME, product="crowdsec")}, state="absent").demand()
    assert machine.read("/etc/cron.d/crowdsec").startswith("0 3 * * *")


RULE = b'rule Lab\n{\n    strings:\n        $text = "lab"\n    condition:\n        $text\n}\n'


def test_yara_rules(
    machine: Node, ansible: Ansible, component_server: ComponentServer, debian_packages: Packages
) -> None:
    """Rules that this YARA can't compile are taken back in the hardened unit; those before stay in force."""
    install(machine, component_server, debian_packages("yara"))
    current = "/var/lib/epp-autoupdate/components/current"
    document = documents.files(NAME, component_server.url)
    document["probe"] = {"command": ["/usr/bin/yarac", f"{current}/index.yar", "/dev/null"]}
    ansible.converge({NAME: document}).demand()
    index = b'include "rules/lab.yar"\n'
    for version, rule, expected in (
        ("1", RULE, "updated"),
        ("2", RULE.replace(b"condition", b"conditio"), "failed"),
        ("3", RULE.replace(b'"lab"', b'"more"'), "updated"),
    ):
        component_server.publish(documents.file_source(version, {"index.yar": index, "rules/lab.yar": rule}))
        before = versions(machine)
        result, why = ran(machine)
        assert result == expected, why
        if result == "failed":
            assert f"{current}/rules/lab.yar(5): syntax error" in why
            assert versions(machine) == before
            assert machine.read(f"{current}/rules/lab.yar") == RULE.decode()
