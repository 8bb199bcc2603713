# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nginx's part as a text, what a host lacks, and the server's own URL."""

from __future__ import annotations

import functools
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import pack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.header import NAMESPACE
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.server import ServerSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.web import WebSettings
from ansible_collections.epp.autoupdate.plugins.module_utils._core.validation.errors import InvalidDocument
from ansible_collections.epp.autoupdate.plugins.module_utils._host.host import Completed
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._server.converge import own_url, requirements
from ansible_collections.epp.autoupdate.plugins.module_utils._server.web import FILE, Nginx, writer
from ansible_collections.epp.autoupdate.plugins.module_utils._server.web.nginx import USERS
from ansible_collections.epp.autoupdate.plugins.module_utils._server.web.text import nginx_configuration
from ansible_collections.epp.autoupdate.tests.unit.plugins.module_utils._host.samples import RunningHost

ROOT = Path(__file__).resolve().parents[6]


def settings(web: dict[str, Any], **sections: Any) -> ServerSettings:
    return ServerSettings.from_dict({"format": 1, "web": {"url": "http://updates.example.com", **web}, **sections})


def directives(text: str, name: str) -> list[str]:
    return re.findall(rf"^ *{name} (.*);$", text, re.MULTILINE)


def test_nginx_listens_where_the_url_says_and_answers_to_its_host() -> None:
    text = nginx_configuration(settings({"url": "http://updates.example.com:8080/epp"}), ipv6=True)
    assert directives(text, "listen") == ["8080", "[::]:8080"]
    assert directives(text, "server_name") == ["updates.example.com"]
    assert "location /epp/ {" in text
    assert directives(text, "limit_conn") == [
        "epp_autoupdate 250",
        "epp_autoupdate_reports 100",
        "epp_autoupdate_reporters 10",
    ]
    assert "location / {" in text, "what is not below the path is absent"
    assert "ssl" not in text


def test_without_ip_version_6_there_is_no_listener_for_it() -> None:
    assert directives(nginx_configuration(settings({}), ipv6=False), "listen") == ["80"]


def test_tls_listeners_and_the_cap_are_as_they_are_set() -> None:
    web = {"url": "https://a.example.com", "tls_certificate": "/etc/a.crt", "tls_key": "/etc/a.key", "listen": ["8443"]}
    text = nginx_configuration(settings(web, notify={"max_in_flight": 5, "max_in_flight_off_peak": 9}), ipv6=True)
    assert directives(text, "listen") == ["8443 ssl"]
    assert directives(text, "ssl_certificate_key") == ["/etc/a.key"]
    assert directives(text, "limit_conn")[0] == "epp_autoupdate 9"
    assert directives(nginx_configuration(settings({"max_connections": 3}), ipv6=True), "limit_conn")[0].endswith(" 3")


def test_a_long_host_is_a_pattern_since_the_table_of_names_is_not_ours() -> None:
    host = f"{'a' * 60}.{'b' * 60}.example.com"
    (name,) = directives(nginx_configuration(settings({"url": f"http://{host}"}), ipv6=True), "server_name")
    assert name.startswith("~^")
    assert re.fullmatch(name[1:], host)


def test_a_host_that_lacks_something_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements.shutil, "which", lambda name, path: None if name in ("nginx", "git") else name)
    wanted = settings({}, components={"files": {"git": "/srv/rules"}, "clamav": {"cvd": "/opt/none/cvd"}})
    missing = requirements.missing_requirements(LocalHost(""), wanted)
    assert [name for name in missing if name not in ("paramiko (Python package)", "tzdata")] == [
        "nginx",
        "git",
        "/opt/none/cvd",
    ]
    with pytest.raises(OSError, match=r"this host lacks nginx, git.*autoupdate_server_install: true"):
        requirements.require(("nginx", "git"))
    assert requirements.missing_requirements(LocalHost("/srv/image"), wanted) == ()
    assert "nginx" not in requirements.missing_requirements(LocalHost(""), settings({"server": "none"}))


WITH, WITHOUT = "configure arguments: --with-http_dav_module", "configure arguments: --with-http_ssl_module"


def test_nginx_that_cannot_take_reports_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is asked as long as it has not accepted our configuration."""
    monkeypatch.setattr(requirements.shutil, "which", lambda name, path: name)

    def missing(built: str) -> list[str]:
        host = RunningHost(str(tmp_path), {"nginx -V": Completed(0, "", f"nginx version: nginx/1.18.0\n{built}\n")})
        return [name for name in requirements.missing_requirements(host, settings({})) if "WebDAV" in name]

    assert len(missing(WITHOUT)) == 1
    assert "nginx-core" in missing(WITHOUT)[0]
    assert missing(WITH) == []
    LocalHost(str(tmp_path)).write(FILE, nginx_configuration(settings({}), ipv6=True).encode())
    assert missing(WITHOUT) == []


@pytest.mark.parametrize(
    ("configuration", "user"),
    [
        ("user www-data;\nworker_processes auto;\n", "www-data"),
        ("# user nobody;\n  user\tnginx  nginx;\n", "nginx"),
        ("user http;", "http"),
    ],
)
def test_reports_are_written_by_whom_nginx_works_as(tmp_path: Path, configuration: str, user: str) -> None:
    host = RunningHost(str(tmp_path))
    host.write("/etc/nginx/nginx.conf", configuration.encode())
    assert Nginx(host).user == user
    assert writer(settings({}), host) == user
    assert writer(settings({"server": "none"}), host) == "epp-server"
    host.write("/etc/nginx/nginx.conf", b"worker_processes auto;\n# user nobody;\n")
    assert Nginx(host).user in USERS


def test_reports_are_taken_by_put_below_the_path_of_the_url() -> None:
    text = nginx_configuration(settings({"url": "http://updates.example.com/e.p"}), ipv6=True)
    (pattern,) = re.findall(r'location ~ "\^(.*)\$" \{', text)
    name = re.compile(pattern.replace("?<", "?P<"))
    for path, found in {
        "/e.p/reports/n1.example.com": "n1.example.com",
        "/e.p/reports/" + "a" * 252: "a" * 252,
        "/e.p/reports/" + "a" * 253: None,
        "/e.p/reports/.n1": None,
        "/e.p/reports/n1/x": None,
        "/e.p/reports/": None,
        "/exp/reports/n1": None,
    }.items():
        match = name.fullmatch(path)
        assert (match and match["epp_autoupdate_endpoint"]) == found, path
    assert directives(text, "client_max_body_size") == ["65536"]


def test_a_web_server_of_ours_that_is_to_take_no_reports_needs_nothing_for_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asks = settings({"url": "http://updates.example.com/epp", "reports": "ask"})
    text = nginx_configuration(asks, ipv6=True)
    assert "dav_methods" not in text
    assert "location /epp/reports/ {\n        return 404;" in text
    assert text.count("{") == text.count("}")
    monkeypatch.setattr(requirements.shutil, "which", lambda name, path: name)
    host = RunningHost(str(tmp_path), {"nginx -V": Completed(0, "", f"nginx version: nginx/1.18.0\n{WITHOUT}\n")})
    assert not [name for name in requirements.missing_requirements(host, asks) if "WebDAV" in name]


def test_to_notify_over_ssh_takes_what_asks_endpoints_for_their_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """N5: some systems pack ssh-keyscan apart from sshd and ssh-keygen."""
    monkeypatch.setattr(requirements.shutil, "which", lambda name, path: None if name == "ssh-keyscan" else name)

    def named(notifier: str) -> bool:
        wanted = settings({"server": "none"}, notify={"notifier": notifier})
        return "ssh-keyscan" in requirements.missing_requirements(LocalHost(""), wanted)

    assert named("ssh")
    assert not named("local")


def test_a_cvdupdate_of_another_lock_file_is_to_be_renewed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(requirements, "_INSTALLED", str(tmp_path))
    monkeypatch.setattr(requirements, "_INSTALLED_LOCK", str(tmp_path / "lock.txt"))
    cvd = tmp_path / "cvd"
    cvd.touch()
    wanted = settings({"server": "none"}, components={"clamav": {"cvd": str(cvd)}})

    def named(**how: bool) -> list[str]:
        return [one for one in requirements.missing_requirements(LocalHost(""), wanted, **how) if "cvd" in one]

    assert named() == [], "it was installed by other means"
    (tmp_path / "lock.txt").write_bytes((ROOT / "roles/server/files/cvdupdate.txt").read_bytes())
    assert named() == []
    (tmp_path / "lock.txt").write_text("cvdupdate==1.0")
    assert named() == ["cvdupdate as this collection's lock file has it"]
    assert named(renew=False) == [], "it is there, which is all that a converge needs that installs nothing"


def test_a_host_that_nobody_knows_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidDocument) as refused:
        own_url.refuse_unknown_host(WebSettings("http://updates.invalid"))
    assert "web.url" in str(refused.value)
    assert "verify_url" in str(refused.value)
    own_url.refuse_unknown_host(WebSettings("http://127.0.0.1:8080/epp"))
    own_url.refuse_unknown_host(WebSettings("http://[::1]"))


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        thread = threading.Thread(target=web.serve_forever, daemon=True)
        thread.start()
        yield web.server_port
        web.shutdown()
        thread.join()


def test_the_url_is_tried(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_url, "_PATIENCE_S", 0.0)
    web = WebSettings(f"http://127.0.0.1:{port}/epp")
    assert own_url.try_url(web) == "HTTP status 404"
    tree = tmp_path / "epp/configuration/tree.json"
    tree.parent.mkdir(parents=True)
    tree.write_text("<html>")
    assert "something else" in own_url.try_url(web)
    tree.write_bytes(pack(b"{}", "any", NAMESPACE))
    assert own_url.try_url(web) == ""
    assert "refused" in own_url.try_url(WebSettings("http://127.0.0.1:9"))
