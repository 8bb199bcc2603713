# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The samples of a probe of ClamAV: what must be found, and what must not (G3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...._core.metadata.samples import LARGEST, decoded, is_malign
from ...._core.results import Component
from ...._core.settings.trust import ProbeSettings
from ...._core.values import frozen
from ...._host.host import Host
from . import own_signature
from .freshclam_conf import OFFICIAL

if TYPE_CHECKING:
    from ..published_samples import SampleSet
    from .product import ClamAV

_EICAR = "*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\\4[PA@%P!O5X"
"""The industry's harmless test file, backwards."""


@frozen
class Sample:
    """What to scan: ``malign`` has to be found. What does not decide is told where it goes wrong, and that is all."""

    name: str
    content: bytes
    malign: bool
    decides: bool = True


def samples(
    product: ClamAV, settings: ProbeSettings, components: Sequence[Component], published: SampleSet | None
) -> Iterator[Sample | str]:
    """The samples of a set of databases, one after the other; a text says why one is left out."""
    if own_signature.belongs(product, components):
        yield Sample("the sample of the own signature", own_signature.sample(components), malign=True)
    if any(one.name in OFFICIAL for one in components):
        # One sample that a vendor forgets is no reason to go back; that has happened with this one.
        yield Sample("EICAR", _EICAR[::-1].encode(), malign=True, decides=False)
    for path in settings.find:
        yield _from_file(product.host, path, malign=True) or f"the sample {path} is not there, or larger than 20 MB"
    for path in settings.clean:
        found = _from_file(product.host, path, malign=False)
        if found is not None:
            yield found
    if published is not None:
        yield from _of_server(published)


def _from_file(host: Host, path: str, *, malign: bool) -> Sample | None:
    content = host.peek(path, LARGEST + 1)
    if content is None or len(content) > LARGEST:
        return None
    plain = decoded(path, content)
    return None if plain is None else Sample(path, plain, malign=malign)


def _of_server(published: SampleSet) -> Iterator[Sample | str]:
    """The samples that the update server publishes."""
    for one in published.contents():
        if isinstance(one, str):
            yield one
            continue
        file, content = one
        plain, name = decoded(file.path, content), f"the sample {file.path} of the update server"
        yield f"{name} can't be decoded" if plain is None else Sample(name, plain, malign=is_malign(file))
