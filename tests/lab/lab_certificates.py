# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of an authority that the lab makes itself, by openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")


class Authority:
    """A certificate authority in a directory of its own; nobody trusts it unless told to."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = directory / "authority.key"
        self.certificate = directory / "authority.crt"
        # Python 3.13 verifies strictly (RFC 5280): an authority says that its key signs certificates.
        subject = ("-subj", "/CN=Lab authority", "-days", "2", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self._openssl("req", "-x509", *_KEY, "-keyout", self._key, *subject, "-out", self.certificate)

    def issue(self, address: str, name: str = "") -> tuple[Path, Path]:
        """The certificate of a server at this IP address, and of this name if any, and its key."""
        also = f",DNS:{name}" if name else ""
        key, certificate = self._directory / f"{address}.key", self._directory / f"{address}.crt"
        names = ("-subj", "/CN=Lab server", "-addext", f"subjectAltName=IP:{address}{also}", "-days", "2")
        names += ("-addext", "basicConstraints=critical,CA:FALSE")
        by = ("-CA", self.certificate, "-CAkey", self._key)
        self._openssl("req", "-x509", *_KEY, "-keyout", key, *names, *by, "-out", certificate)
        return certificate, key

    def _openssl(self, *words: str | Path) -> None:
        argv = ["openssl", *(str(word) for word in words)]
        done = subprocess.run(argv, cwd=self._directory, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
