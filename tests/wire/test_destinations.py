"""Requests reach only public addresses and this machine: the checked address is the connected one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import OperatorMustFix, Retryable
from bridge.wire.calls import Wire
from bridge.wire.destinations import only_public
from tests.other_side import OtherSide, answering, http

if TYPE_CHECKING:
    from collections.abc import Callable

PUBLIC = "93.184.216.34"


def names(*answers: list[str]) -> tuple[Callable[[str, int], list[str]], list[str]]:
    """A name server with these answers in turn, and its questions."""
    left, asked = list(answers), []

    def resolve(host: str, port: int) -> list[str]:
        del port
        asked.append(host)
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve, asked


def get(wire: Wire, url: str) -> int:
    try:
        return wire.call("GET", url, headers={}, seconds=5).status
    finally:
        wire.close()


def test_public_addresses_pass_and_others_are_left_out() -> None:
    """Of a mixed answer only the public addresses are tried, in their order."""
    resolve, _ = names(["10.0.0.1", PUBLIC, "::1", "2606:2800:220:1:248:1893:25c8:1946"])
    assert only_public(resolve)("api.example", 443) == [PUBLIC, "2606:2800:220:1:248:1893:25c8:1946"]


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "127.0.0.1", "::ffff:127.0.0.1", "::1", "0.0.0.0"])  # noqa: S104
def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    """No byte is sent there; the sentence has the host, the kind of address and the setting, and not the address."""
    with OtherSide(answering(http(200))) as server:
        resolve, _ = names([address])
        with pytest.raises(OperatorMustFix, match=r"api\.example has an? [\w-]+ address.*BRIDGE_ALLOW_PRIVATE_URLS=1") as caught:
            get(Wire(resolve=only_public(resolve)), f"http://api.example:{server.port}/")
        assert server.connections == 0
    assert address not in str(caught.value)


def test_a_name_that_changes_between_look_ups_is_refused_when_it_leads_inside() -> None:
    """DNS rebinding: the second connection resolves the name again, and its answer is checked; none is looked up twice."""
    with OtherSide(answering(http(200))) as server:
        resolve, asked = names([PUBLIC], ["127.0.0.1"])
        wire = Wire(resolve=only_public(resolve))
        with pytest.raises(Retryable):
            wire.call("GET", f"http://api.example:{server.port}/", headers={}, seconds=0.2)
        with pytest.raises(OperatorMustFix):
            get(wire, f"http://api.example:{server.port}/")
        assert (server.connections, len(asked)) == (0, 2)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "x.localhost"])
def test_this_machine_is_always_reached(host: str) -> None:
    """Its address is a loopback address or localhost."""
    with OtherSide(answering(http(200))) as server:
        resolve, _ = names(["127.0.0.1"])
        assert get(Wire(resolve=only_public(resolve)), f"http://{host}:{server.port}/") == 200


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.0.0.1"])
def test_odd_spellings_of_this_machine_are_names(host: str) -> None:
    """What only the system reads as an address is refused like any name that leads inside."""
    with OtherSide(answering(http(200))) as server, pytest.raises(OperatorMustFix):
        get(Wire(resolve=only_public()), f"http://{host}:{server.port}/")


def test_localhost_that_leads_elsewhere_is_not_this_machine() -> None:
    """A private address under that name is refused too."""
    resolve, _ = names(["192.168.1.1"])
    with pytest.raises(OperatorMustFix):
        only_public(resolve)("localhost", 80)
