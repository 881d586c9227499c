"""The addresses that a provider may have: public ones, or this machine by its own name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.addresses import is_this_machine, may_be_asked, why_refused


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("93.184.216.34", ""),
        ("2606:2800:220:1:248:1893:25c8:1946", ""),
        ("::ffff:93.184.216.34", ""),
        ("64:ff9b::5db8:d822", ""),
        ("2002:5db8:d822::1", ""),
        ("10.0.0.1", "a private"),
        ("172.31.255.255", "a private"),
        ("192.168.1.1", "a private"),
        ("100.64.0.1", "a private"),
        ("100.100.100.200", "a private"),
        ("192.0.0.192", "a private"),
        ("198.18.0.1", "a private"),
        ("169.254.169.254", "a link-local"),
        ("168.63.129.16", "a cloud's own"),
        ("127.0.0.1", "a loopback"),
        ("127.255.255.254", "a loopback"),
        ("0.0.0.0", "an unspecified"),  # noqa: S104 - an address to be refused
        ("224.0.0.1", "a multicast"),
        ("240.0.0.1", "a private"),
        ("255.255.255.255", "a private"),
        ("::", "an unspecified"),
        ("::1", "a loopback"),
        ("fe80::1", "a link-local"),
        ("fe80::1%eth0", "a link-local"),
        ("fd00:ec2::254", "a private"),
        ("fc00::1", "a private"),
        ("ff02::1", "a multicast"),
        ("::ffff:10.0.0.1", "a private"),
        ("::ffff:169.254.169.254", "a link-local"),
        ("::ffff:127.0.0.1", "a loopback"),
        ("::127.0.0.1", "a reserved"),
        ("64:ff9b::a00:1", "a private"),
        ("64:ff9b::a9fe:a9fe", "a link-local"),
        ("2002:a00:1::1", "a private"),
        ("2001:0:a00:1::f5ff:fffe", "a private"),
        ("2001:db8::1", "a private"),
        ("64:ff9b:1::a00:1", "a private"),
        ("192.88.99.1", "a private"),
        ("2002:c058:6301::1", "a private"),
        ("3fff::1", "a private"),
        ("3fff:fff::1", "a private"),
        ("fec0::1", "a private"),
        ("feff::1", "a private"),
        ("nonsense", "an unreadable"),
    ],
)
def test_only_public_addresses_are_fit(address: str, why: str) -> None:
    """Private, link-local, metadata, unspecified, multicast and reserved ones are named, in any notation."""
    assert why_refused(address) == why


@given(st.ip_addresses(v=4))
def test_wrapping_changes_nothing(address: object) -> None:
    """An IPv4 address inside an IPv6 one counts like the IPv4 address."""
    assert why_refused(f"::ffff:{address}") == why_refused(f"64:ff9b::{address}") == why_refused(str(address))


@pytest.mark.parametrize(
    ("host", "is_it"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("[::1]", True),
        ("::1", True),
        ("localhost", True),
        ("LocalHost.", True),
        ("sim.localhost", True),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("127.1", False),
        ("2130706433", False),
        ("0x7f000001", False),
        ("0.0.0.0", False),  # noqa: S104
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_this_machine_is_named_plainly(host: str, is_it: bool) -> None:
    """It is a loopback address or localhost; a name that leads there, or a number that is read as one, does not count."""
    assert is_this_machine(host) is is_it


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://api.example/x", True),
        ("http://api.example/x", False),
        ("http://127.0.0.1:9000/x", True),
        ("http://[::1]:9000/x", True),
        ("http://localhost/x", True),
        ("http://localhost@api.example/x", False),
        ("http://192.168.1.1/x", False),
        ("ftp://127.0.0.1/x", False),
        ("", False),
    ],
)
def test_a_token_travels_by_https_or_not_at_all(url: str, may: bool) -> None:
    """Plain http is only for this machine."""
    assert may_be_asked(url) is may
