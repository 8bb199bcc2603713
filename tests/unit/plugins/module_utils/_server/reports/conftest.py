# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host keys and signed reports, as endpoints have them, and a server that knows the endpoints."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.epp.autoupdate.plugins.module_utils._core.metadata.envelope import pack
from ansible_collections.epp.autoupdate.plugins.module_utils._core.reports.report import NAMESPACE, Occasion, Report
from ansible_collections.epp.autoupdate.plugins.module_utils._core.settings.registration import Registration
from ansible_collections.epp.autoupdate.plugins.module_utils._host.local_host import LocalHost
from ansible_collections.epp.autoupdate.plugins.module_utils._host.ssh_signatures import sign, sign_all
from ansible_collections.epp.autoupdate.plugins.module_utils._server import paths
from ansible_collections.epp.autoupdate.plugins.module_utils._server.database.database import open_database, transaction
from ansible_collections.epp.autoupdate.plugins.module_utils._server.fleet.registry import register
from ansible_collections.epp.autoupdate.plugins.module_utils._server.reports.ingest import IngestReport, ingest

AT = 1_795_348_800
STATUS: dict[str, Any] = {
    "product": "files",
    "domain": "",
    "components": [{"name": "patterns/a.dat", "version": "2", "built": None}],
    "roaming": False,
}


@dataclass(frozen=True)
class HostKey:
    """A host's key pair; ``public`` is type and key."""

    path: Path
    public: str

    @classmethod
    def make(cls, path: Path, *kind: str) -> HostKey:
        subprocess.run(["ssh-keygen", "-q", "-t", *kind, "-N", "", "-C", "", "-f", path], check=True)
        return cls(path, " ".join(path.with_suffix(".pub").read_text().split()[:2]))

    def sign(self, document: bytes, namespace: str = NAMESPACE) -> str:
        return sign(LocalHost(), document, str(self.path), namespace)

    def packed(self, document: bytes) -> bytes:
        """The file of a report that this key has signed."""
        return pack(document, self.sign(document), NAMESPACE)


def document(endpoint: str = "n1", sequence: int = 1, **status: Any) -> bytes:
    told = {**STATUS, **status}
    one = Report.of_status(
        told, endpoint=endpoint, sequence=sequence, at=AT, occasion=Occasion.RUN, agent="1.0.0", drift=None
    )
    return one.to_bytes()


@dataclass(frozen=True)
class Server:
    """A directory that stands for a server, with an inbox that anybody may fill."""

    host: LocalHost

    @property
    def inbox(self) -> Path:
        return Path(self.host.real(paths.INBOX))

    def register(self, *entries: dict[str, Any], absent: Iterable[str] = ()) -> None:
        wanted = Registration.from_dict({"endpoints": list(entries), "absent": list(absent)})
        with closing(open_database(self.host)) as connection, transaction(connection):
            register(connection, wanted, now=float(AT))

    def put(self, name: str, content: bytes) -> None:
        (self.inbox / name).write_bytes(content)

    def put_all(self, key: HostKey, documents: dict[str, bytes]) -> None:
        signatures = sign_all(self.host, list(documents.values()), self.key_path(key), NAMESPACE)
        for (name, one), signature in zip(documents.items(), signatures):
            self.put(name, pack(one, signature, NAMESPACE))

    def key_path(self, key: HostKey) -> str:
        """A key as a path below this host's root."""
        copy = Path(self.host.real("/key"))
        shutil.copyfile(key.path, copy)
        copy.chmod(0o600)
        return "/key"

    def ingest(self) -> IngestReport:
        report = ingest(self.host)
        assert report is not None
        return report

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        with closing(open_database(self.host)) as connection:
            return [tuple(row) for row in connection.execute(select)]

    def left(self) -> list[str]:
        """What is left in the inbox, or was claimed."""
        return [name for place in (paths.INBOX, paths.CLAIMED) for name in self.host.names(place)]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, HostKey]:
    if not shutil.which("ssh-keygen"):
        pytest.skip("ssh-keygen is not installed")
    directory = tmp_path_factory.mktemp("keys")
    kinds = {
        "ed25519": ("ed25519",),
        "other": ("ed25519",),
        "rsa": ("rsa", "-b", "2048"),
        **{f"ecdsa{bits}": ("ecdsa", "-b", str(bits)) for bits in (256, 384, 521)},
    }
    return {name: HostKey.make(directory / name, *kind) for name, kind in kinds.items()}


@pytest.fixture
def key(keys: dict[str, HostKey]) -> HostKey:
    return keys["ed25519"]


@pytest.fixture
def server(tmp_path: Path, key: HostKey) -> Server:
    """n1 and n2 have pinned keys of their own kind of one machine's image; n3 has none."""
    made = Server(LocalHost(str(tmp_path / "server"), program="epp-server"))
    made.inbox.mkdir(parents=True)
    made.register(*({"name": name, "host_key": key.public} for name in ("n1", "n2")), {"name": "n3"})
    return made
