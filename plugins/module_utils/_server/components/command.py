# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The source ``command``: any program that fills a directory with what is to be published."""

from __future__ import annotations

from ..._core.masking import without_arguments
from ..._core.results import Outcome, Result
from ..._core.settings.components import CommandSource
from ..._core.settings.endpoint_keys import ProductKind
from ..._core.values import frozen
from ..._host.host import Host
from .base import Published, Workplace
from .folder import publish_folder, published_folder

_PLACE = "{directory}"


@frozen
class Command:
    """The product ``command`` on a server. The directory stays from run to run, so that a program can add to it.

    What declares nothing is the component ``command``, as it is on endpoints whose updater tells one version.
    """

    host: Host
    settings: CommandSource
    workplace: Workplace
    product: ProductKind = ProductKind.COMMAND

    @property
    def cost(self) -> int:
        return 1

    @property
    def requests_per_hour(self) -> int:
        return self.settings.requests_per_hour

    def published(self) -> Published | None:
        return published_folder(self.host, self.product, self.workplace)

    def fetch(self) -> Outcome:
        directory = self.workplace.work + "/files"
        self.host.mkdir(directory, mode=0o750)
        folder = self.host.real(directory)
        try:
            done = self.host.run(_filled(self.settings.fetch, folder), timeout=self.settings.timeout)
            if done.code != 0:
                said = (done.err.strip() or done.out.strip() or "nothing").splitlines()[-1]
                told = without_arguments(said, self.settings.fetch)
                return Outcome(Result.FAILED, f"{self.settings.fetch[0]} {done.ended} and said: {told}")
            version = ""
            if self.settings.version:
                done = self.host.run(_filled(self.settings.version, folder), timeout=self.settings.timeout)
                version = (done.out.strip().splitlines() or [""])[0].strip()
                if done.code != 0 or not version:
                    return Outcome(Result.FAILED, f"{self.settings.version[0]} {done.ended} and told no version")
        except OSError as error:
            return Outcome(Result.FAILED, f"{error.strerror or error} ({error.filename})")
        return publish_folder(self.host, folder, self.workplace, source=self.product.value, version=version)


def _filled(argv: tuple[str, ...], folder: str) -> list[str]:
    return [argument.replace(_PLACE, folder) for argument in argv]
