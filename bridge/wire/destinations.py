"""Blocks requests to private addresses: the address that was checked is the one that is connected to.

A name may lead elsewhere the next time it is looked up (DNS rebinding): only a check between look-up and connection counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.addresses import is_this_machine, why_refused
from bridge.errors import OperatorMustFix
from bridge.wire.deadline import addresses

if TYPE_CHECKING:
    from bridge.wire.deadline import Resolve


def only_public(resolve: Resolve = addresses) -> Resolve:
    """A look-up that answers public addresses only, and loopback ones for a host that names this machine.

    It raises OperatorMustFix for a host that has no other addresses than refused ones.
    """

    def look_up(host: str, port: int) -> list[str]:
        found = resolve(host, port)
        at_home = is_this_machine(host)
        refused = {address: "" if at_home and is_this_machine(address) else why_refused(address) for address in found}
        permitted = [address for address in found if not refused[address]]
        if found and not permitted:
            raise OperatorMustFix(
                f"{host} has {refused[found[0]]} address, where no provider may be asked; if it is meant, set "
                "BRIDGE_ALLOW_PRIVATE_URLS=1"
            )
        return permitted

    return look_up
