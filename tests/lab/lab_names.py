# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's name server: the record that tells cvdupdate which versions there are, from the fleet's gateway."""

from __future__ import annotations

import contextlib
import socket
import threading

RECORD = "1.4.3:62:{daily}:1700000000:1:90:49192:335"


class NameServer:
    """Answers every question with one TXT record, as ClamAV's own name servers do."""

    def __init__(self, address: str, *, daily: int = 1) -> None:
        self.address = address
        self.daily = daily
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with contextlib.suppress(OSError):  # says that it is not connected, and wakes the thread all the same
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(20)
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                query, client = self._socket.recvfrom(512)
                if not query:
                    return
                self._socket.sendto(self._answer(query), client)

    def _text(self, question: bytes) -> str:
        return RECORD.format(daily=self.daily)

    def _answer(self, query: bytes) -> bytes:
        question = query[12 : query.index(b"\0", 12) + 5]
        text = self._text(question).encode()
        if not text:
            return query[:2] + b"\x81\x83\x00\x01" + bytes(6) + question
        data = bytes([len(text)]) + text
        header = query[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"
        return header + question + b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x05" + len(data).to_bytes(2, "big") + data


class Records(NameServer):
    """A name server that has these TXT records, and knows no other name."""

    def __init__(self, address: str, texts: dict[str, str]) -> None:
        self.texts = texts
        super().__init__(address)

    def _text(self, question: bytes) -> str:
        labels, at = [], 0
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode("ascii", "replace").lower())
            at += 1 + question[at]
        is_text = question[at + 1 : at + 3] == b"\x00\x10"
        return self.texts.get(".".join(labels), "") if is_text else ""
