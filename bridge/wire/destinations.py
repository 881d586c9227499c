"""Blocks requests to private addresses: the connection uses exactly the address that was checked.

A name may resolve to another address the next time (DNS rebinding), so the check must be between look-up and connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.addresses import is_this_machine, why_refused
from bridge.errors import OperatorMustFix
from bridge.wire.deadline import addresses

if TYPE_CHECKING:
    from bridge.wire.deadline import Resolve


def only_public(resolve: Resolve = addresses) -> Resolve:
    """A look-up that returns only public addresses, and loopback addresses for a host that names this machine.

    It raises OperatorMustFix for a host with only refused addresses.
    """

    def look_up(host: str, port: int) -> list[str]:
        found = resolve(host, port)
        at_home = is_this_machine(host)
        refused = {address: "" if at_home and is_this_machine(address) else why_refused(address) for address in found}
        permitted = [address for address in found if not refused[address]]
        if found and not permitted:
            raise OperatorMustFix(
                f"{host} has {refused[found[0]]} address, which is not allowed for providers; if it is intended, set "
                "BRIDGE_ALLOW_PRIVATE_URLS=1"
            )
        return permitted

    return look_up
