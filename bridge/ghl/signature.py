"""Verifies GHL's webhook signatures, before anything in the body is read.

Facts: https://marketplace.gohighlevel.com/docs/webhook/WebhookIntegrationGuide, read 2026-08-30. The keys are the platform's, not
the app's: a valid signature only shows that GHL sent this to some app, so `appId` and the location are checked afterwards.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from bridge.errors import Misconfigured, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Mapping

Scheme = Literal["ed25519", "rsa"]

ED25519_HEADER = "x-ghl-signature"
RSA_HEADER = "x-wh-signature"

_ED25519_LENGTH = 64
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----")


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """GHL's public keys. One matching key of a kind is enough, so that old and new keys can overlap in a rotation."""

    ed25519: tuple[VerifyKey, ...] = ()
    rsa: tuple[RSAPublicKey, ...] = ()


def read_keys(pem: str) -> PublicKeys:
    """Read any number of PEM public-key blocks, Ed25519 and RSA mixed; text around them is skipped.

    Raises Misconfigured naming the block that cannot be used, or that there is none.
    """
    blocks = [match[0] for match in _BLOCK.finditer(pem)]
    if not blocks or len(blocks) != pem.count("-----BEGIN "):
        raise Misconfigured("GHL_WEBHOOK_KEYS holds no whole PEM block, or one without its END line: give GHL's public keys")
    loaded = [_load(block, place) for place, block in enumerate(blocks, start=1)]
    return PublicKeys(
        ed25519=tuple(VerifyKey(key.public_bytes_raw()) for key in loaded if isinstance(key, Ed25519PublicKey)),
        rsa=tuple(key for key in loaded if isinstance(key, RSAPublicKey)),
    )


def verify(body: bytes, headers: Mapping[str, str], keys: PublicKeys) -> Scheme:
    """Check the signature over the raw body and return its kind. Raises Unauthorized; its message is for the log, not the sender.

    If there is `X-GHL-Signature` (Ed25519), it alone decides. Only without it `X-WH-Signature` is checked (RSA-SHA256, PKCS#1
    v1.5). Both are base64. An empty value and the literal `N/A`, which GHL's own SDK uses, count as absent.
    """
    if signature := _value(headers, ED25519_HEADER):
        _check_ed25519(body, _decode(signature, ED25519_HEADER), keys.ed25519)
        return "ed25519"
    if signature := _value(headers, RSA_HEADER):
        _check_rsa(body, _decode(signature, RSA_HEADER), keys.rsa)
        return "rsa"
    raise Unauthorized(f"neither {ED25519_HEADER} nor {RSA_HEADER} holds a signature")


def _load(block: str, place: int) -> Ed25519PublicKey | RSAPublicKey:
    try:
        key = load_pem_public_key(block.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        raise Misconfigured(f"GHL_WEBHOOK_KEYS: block {place} is not a readable public key") from None
    if not isinstance(key, Ed25519PublicKey | RSAPublicKey):
        raise Misconfigured(f"GHL_WEBHOOK_KEYS: block {place} is neither an Ed25519 nor an RSA key")
    return key


def _value(headers: Mapping[str, str], name: str) -> str:
    # Starlette's Headers contain a repeated header twice, but `get` returns one of them: only this loop sees the repetition.
    values = [value.strip(" \t") for key, value in headers.items() if key.lower() == name]
    if len(values) > 1:
        raise Unauthorized(f"{name} is repeated")
    value = values[0] if values else ""
    return "" if value.upper() == "N/A" else value


def _decode(signature: str, name: str) -> bytes:
    try:
        return b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise Unauthorized(f"{name} is not base64") from None


def _check_ed25519(body: bytes, signature: bytes, keys: tuple[VerifyKey, ...]) -> None:
    if len(signature) != _ED25519_LENGTH:
        raise Unauthorized(f"{ED25519_HEADER} is not {_ED25519_LENGTH} bytes long")
    for key in keys:
        try:
            key.verify(body, signature)
        except BadSignatureError:
            continue
        return
    raise Unauthorized(f"{ED25519_HEADER} fits none of {len(keys)} Ed25519 keys")


def _check_rsa(body: bytes, signature: bytes, keys: tuple[RSAPublicKey, ...]) -> None:
    for key in keys:
        try:
            return key.verify(signature, body, PKCS1v15(), SHA256())
        except InvalidSignature:
            continue
    raise Unauthorized(f"{RSA_HEADER} fits none of {len(keys)} RSA keys")
