from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from bridge.errors import Misconfigured, Unauthorized
from bridge.ghl.signature import PublicKeys, read_keys, verify
from bridge.settings import GHL_PUBLISHED_KEYS

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

BODY = (Path(__file__).parents[1] / "samples" / "derived" / "inbound_sms_full_envelope.json").read_bytes()


def pem(key: PublicKeyTypes) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class Signer(NamedTuple):
    """GHL's private keys, and their signatures of a body."""

    young: ed25519.Ed25519PrivateKey
    legacy: rsa.RSAPrivateKey

    @property
    def pem(self) -> str:
        return pem(self.young.public_key()) + pem(self.legacy.public_key())

    @property
    def keys(self) -> PublicKeys:
        return read_keys(self.pem)

    def ed25519(self, body: bytes = BODY) -> str:
        return b64encode(self.young.sign(body)).decode()

    def rsa(self, body: bytes = BODY) -> str:
        return b64encode(self.legacy.sign(body, padding.PKCS1v15(), SHA256())).decode()


@pytest.fixture(scope="module")
def ghl() -> Signer:
    return Signer(ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048))


@pytest.fixture(scope="module")
def stranger() -> Signer:
    return Signer(ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048))


def test_published_keys_are_one_of_each_kind() -> None:
    """GHL's published keys are read as one Ed25519 and one RSA key of 4,096 bits."""
    keys = read_keys(GHL_PUBLISHED_KEYS)
    assert (len(keys.ed25519), [key.key_size for key in keys.rsa]) == (1, [4096])


def test_any_number_of_blocks_in_any_order(ghl: Signer, stranger: Signer) -> None:
    """Blocks of both kinds may be mixed, with text around them and with Windows line breaks."""
    mixed = "# old\r\n" + pem(ghl.legacy.public_key()) + "# new\n" + stranger.pem.replace("\n", "\r\n")
    keys = read_keys(mixed)
    assert (len(keys.ed25519), len(keys.rsa)) == (1, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no whole PEM block"),
        ("MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg=", "no whole PEM block"),
        (GHL_PUBLISHED_KEYS + "-----BEGIN PUBLIC KEY-----\nMCow", "no whole PEM block"),
        (
            GHL_PUBLISHED_KEYS + "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----",
            "block 3 is not a readable public key",
        ),
        (pem(ec.generate_private_key(ec.SECP256R1()).public_key()), "block 1 is neither an Ed25519 nor an RSA key"),
        (
            ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "block 1 is not a readable public key",
        ),
    ],
)
def test_unusable_keys_refuse_to_start(text: str, said: str) -> None:
    """Unusable keys are named by their position and never shown."""
    with pytest.raises(Misconfigured, match=said) as raised:
        read_keys(text)
    assert "MC" not in str(raised.value)


def test_both_kinds_verify(ghl: Signer) -> None:
    """A valid Ed25519 signature passes, and so does a valid legacy one without it."""
    verify(BODY, {"x-ghl-signature": ghl.ed25519()}, ghl.keys)
    verify(BODY, {"x-wh-signature": ghl.rsa()}, ghl.keys)


@pytest.mark.parametrize("absent", ["N/A", "n/a", "  N/A\t", "", "   "])
def test_na_is_as_if_absent(ghl: Signer, absent: str) -> None:
    """With the literal N/A or an empty value the legacy header decides; alone they are no signature."""
    verify(BODY, {"x-ghl-signature": absent, "x-wh-signature": ghl.rsa()}, ghl.keys)
    with pytest.raises(Unauthorized, match="neither"):
        verify(BODY, {"x-ghl-signature": absent, "x-wh-signature": absent}, ghl.keys)


def test_no_signature_is_refused(ghl: Signer) -> None:
    """A request without either header is refused."""
    with pytest.raises(Unauthorized, match="neither x-ghl-signature nor x-wh-signature"):
        verify(BODY, {"content-type": "application/json"}, ghl.keys)


def test_a_wrong_ed25519_signature_never_falls_back(ghl: Signer, stranger: Signer) -> None:
    """A valid legacy signature does not compensate for a wrong Ed25519 one."""
    with pytest.raises(Unauthorized, match="fits none of 1 Ed25519 keys"):
        verify(BODY, {"x-ghl-signature": stranger.ed25519(), "x-wh-signature": ghl.rsa()}, ghl.keys)


def test_a_true_ed25519_signature_decides_alone(ghl: Signer, stranger: Signer) -> None:
    """Beside a valid Ed25519 signature the legacy header is not read."""
    verify(BODY, {"x-ghl-signature": ghl.ed25519(), "x-wh-signature": stranger.rsa()}, ghl.keys)


def test_any_one_of_several_keys_suffices(ghl: Signer, stranger: Signer) -> None:
    """During a rotation both the old and the new key pass."""
    keys = read_keys(stranger.pem + ghl.pem)
    for signer in (ghl, stranger):
        verify(BODY, {"x-ghl-signature": signer.ed25519()}, keys)
        verify(BODY, {"x-wh-signature": signer.rsa()}, keys)


def test_a_strangers_legacy_signature_is_refused(ghl: Signer, stranger: Signer) -> None:
    """An RSA signature by another key is refused."""
    with pytest.raises(Unauthorized, match="fits none of 1 RSA keys"):
        verify(BODY, {"x-wh-signature": stranger.rsa()}, ghl.keys)


def test_only_sha256_with_pkcs1_counts(ghl: Signer) -> None:
    """The right RSA key with another padding or hash is refused."""
    pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.MAX_LENGTH)
    for signature in (ghl.legacy.sign(BODY, pss, SHA256()), ghl.legacy.sign(BODY, padding.PKCS1v15(), SHA1())):  # noqa: S303
        with pytest.raises(Unauthorized):
            verify(BODY, {"x-wh-signature": b64encode(signature).decode()}, ghl.keys)


def test_without_a_key_of_the_kind_nothing_passes(ghl: Signer) -> None:
    """A valid signature is refused if no key of its kind is set."""
    with pytest.raises(Unauthorized, match="fits none of 0 Ed25519 keys"):
        verify(BODY, {"x-ghl-signature": ghl.ed25519()}, PublicKeys(rsa=ghl.keys.rsa))
    with pytest.raises(Unauthorized, match="fits none of 0 RSA keys"):
        verify(BODY, {"x-wh-signature": ghl.rsa()}, PublicKeys(ed25519=ghl.keys.ed25519))


def test_surrounding_white_space_is_tolerated(ghl: Signer) -> None:
    """Blanks and tabs around a signature are ignored."""
    verify(BODY, {"x-ghl-signature": f" \t{ghl.ed25519()}  "}, ghl.keys)


@pytest.mark.parametrize("name", ["x-ghl-signature", "x-wh-signature"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda true: true[:20] + " " + true[20:],
        lambda true: true[:20] + "\n" + true[20:],
        lambda true: true.rstrip("="),
        lambda true: true + "AAAA",
        lambda true: true[:-4],
        lambda true: f"{true}, {true}",
        lambda true: f"sha256={true}",
        lambda true: f"\u00a0{true}",
        lambda true: "é" + true[1:],
        lambda true: true.encode().hex(),
        lambda _: "AAAA",
        lambda _: "=",
        lambda _: "null",
    ],
)
def test_odd_signatures_are_refused(ghl: Signer, name: str, spoil: object) -> None:
    """Only the exact base64 of the signature passes."""
    assert callable(spoil)
    true = ghl.ed25519() if name == "x-ghl-signature" else ghl.rsa()
    with pytest.raises(Unauthorized, match=name):
        verify(BODY, {name: spoil(true)}, ghl.keys)


def test_another_form_of_a_true_signature_is_refused(ghl: Signer) -> None:
    """Ed25519's second number counts only in its smallest form, so nobody can derive a second signature from a first."""
    order = 2**252 + 27742317777372353535851937790883648493
    true = ghl.young.sign(BODY)
    other = true[:32] + (int.from_bytes(true[32:], "little") + order).to_bytes(32, "little")
    with pytest.raises(Unauthorized, match="fits none"):
        verify(BODY, {"x-ghl-signature": b64encode(other).decode()}, ghl.keys)


def test_a_key_that_fits_every_body_fits_none() -> None:
    """With the neutral element as a key, the neutral element and a zero would be a signature of anything."""
    neutral = bytes([1, *[0] * 31])
    keys = read_keys(pem(ed25519.Ed25519PublicKey.from_public_bytes(neutral)))
    with pytest.raises(Unauthorized, match="fits none"):
        verify(BODY, {"x-ghl-signature": b64encode(neutral + bytes(32)).decode()}, keys)


@pytest.mark.parametrize("name", [b"x-ghl-signature", b"x-wh-signature"])
def test_a_repeated_header_is_refused(ghl: Signer, name: bytes) -> None:
    """A header that occurs twice is refused, even if both values are valid or one of them is N/A."""
    true = (ghl.ed25519() if b"ghl" in name else ghl.rsa()).encode()
    for second in (true, b"N/A", b""):
        with pytest.raises(Unauthorized, match="repeated"):
            verify(BODY, Headers(raw=[(name, true), (name, second)]), ghl.keys)


def test_headers_are_found_in_any_case(ghl: Signer) -> None:
    """Starlette's headers and plain mappings in any case are both read."""
    verify(BODY, Headers({"X-GHL-Signature": ghl.ed25519()}), ghl.keys)
    verify(BODY, {"X-GHL-Signature": ghl.ed25519()}, ghl.keys)


def test_refusals_say_which_check_failed_but_no_values(ghl: Signer, stranger: Signer) -> None:
    """The log has the failed check, never the signature."""
    signature = stranger.ed25519()
    with pytest.raises(Unauthorized) as raised:
        verify(BODY, {"x-ghl-signature": signature}, ghl.keys)
    assert signature[:8] not in str(raised.value)


@given(changed=st.binary(max_size=200) | st.integers(0, len(BODY) * 8 - 1))
def test_a_changed_body_never_verifies(ghl: Signer, changed: bytes | int) -> None:
    """A signature is valid for no other body, not even after the change of one bit."""
    body = changed if isinstance(changed, bytes) else turned(BODY, changed)
    for headers in ({"x-ghl-signature": ghl.ed25519()}, {"x-wh-signature": ghl.rsa()}):
        with pytest.raises(Unauthorized):
            verify(body, headers, ghl.keys)


def turned(body: bytes, bit: int) -> bytes:
    changed = bytearray(body)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
