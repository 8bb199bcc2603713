# Copyright: (c) 2026, epp.autoupdate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of a product stays its own when another one gets the first place of an endpoint's list (D2)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ..._core.settings.endpoint import EndpointDocument
from ..._host.host import Host
from ..._host.lock import exclusively
from .. import paths
from ..installed import Installed
from ..state.spool import clear_spool, spooled
from ..state.store import State, StateStore, for_product


def is_other(installed: Installed, document: EndpointDocument) -> bool:
    """Whether another product had the first place until now."""
    return installed.first not in ("", document.product)


def unfinished(installed: Installed, document: EndpointDocument) -> Iterator[str]:
    """What a converge that was broken off has left to be done and no file shows, in words."""
    before = installed.document
    if before is not None and before.product == document.product and is_other(installed, document):
        yield f"the state of {installed.first} leaves the first place, which {document.product} has"
    if installed.state.leaving:
        yield "the removal of what former products made, which was broken off, comes to its end"


@contextmanager
def no_update(host: Host, installed: Installed, document: EndpointDocument) -> Iterator[None]:
    """Let no product be updated whose place changes: its run holds the lock of its former one, and another run would
    begin beside it.

    Raises Busy where an update does not come to an end.
    """
    with ExitStack() as held:
        for instance in _left_places(installed, document):
            held.enter_context(exclusively(host, paths.of_product(paths.UPDATE_LOCK, instance), "update"))
        yield


def _left_places(installed: Installed, document: EndpointDocument) -> Iterator[str]:
    """Where the products were whose place changes: that which had the first place, and that which gets it."""
    if is_other(installed, document):
        if document.of(installed.first) is not None:
            yield ""
        if document.product in installed.instances:
            yield document.product


def move_states(host: Host, installed: Installed, document: EndpointDocument) -> None:
    """Give the new first product's state the first place, and the former first one's the place that it has now.

    The former one's is written first, and the new one's directory goes last of all: a converge that breaks in between
    has lost nothing, and whose state is in the first place is written there.
    """
    if not is_other(installed, document):
        return
    former, store = installed.first, StateStore(host)
    if document.of(former) is not None:
        left = for_product(State(), _whole(host, ""))
        StateStore(host, former).change(lambda _state: left)
    listed = document.product in installed.instances
    own = _whole(host, document.product) if listed else State()
    store.change(lambda state: for_product(state, own, document.product))
    clear_spool(host)


def _whole(host: Host, instance: str) -> State:
    """A product's state with the result that could not be written into it."""
    state, waiting = StateStore(host, instance).read(), spooled(host, instance)
    return state if waiting is None else state.with_run(*waiting)
