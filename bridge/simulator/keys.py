"""The simulator's signing keys, stored in its state directory so that a restart doesn't change them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.simulator.options import Legacy

_RSA_BITS = 2048
PUBLIC_KEY_FILE = "webhook_public_key.pem"


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """A key pair of each kind that GHL uses for signatures."""

    current: ed25519.Ed25519PrivateKey
    legacy: rsa.RSAPrivateKey

    def signatures(self, raw: bytes, *, legacy: Legacy) -> dict[str, str]:
        """Sign a body; returns the headers."""
        headers = {}
        if legacy != "only":
            headers["X-GHL-Signature"] = _base64(self.current.sign(raw))
        if legacy != "off":
            headers["X-WH-Signature"] = _base64(self.legacy.sign(raw, padding.PKCS1v15(), hashes.SHA256()))
        return headers

    def public(self) -> dict[str, str]:
        """The public keys as PEM; `pem` is both, one after the other."""
        current = _public_pem(self.current.public_key())
        legacy = _public_pem(self.legacy.public_key())
        return {"ed25519": current, "rsa": legacy, "pem": current + legacy}


def load(state_dir: Path) -> SigningKeys:
    """Read the keys, or create them on the first start, and write the public keys into the same directory."""
    state_dir.mkdir(parents=True, exist_ok=True)
    keys = SigningKeys(
        cast("ed25519.Ed25519PrivateKey", _load(state_dir / "webhook_key.pem") or _new_current(state_dir)),
        cast("rsa.RSAPrivateKey", _load(state_dir / "webhook_legacy_key.pem") or _new_legacy(state_dir)),
    )
    (state_dir / PUBLIC_KEY_FILE).write_text(keys.public()["pem"])
    return keys


def _load(path: Path) -> object | None:
    return load_pem_private_key(path.read_bytes(), None) if path.exists() else None


def _new_current(state_dir: Path) -> ed25519.Ed25519PrivateKey:
    key = ed25519.Ed25519PrivateKey.generate()
    _keep(state_dir / "webhook_key.pem", key)
    return key


def _new_legacy(state_dir: Path) -> rsa.RSAPrivateKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    _keep(state_dir / "webhook_legacy_key.pem", key)
    return key


def _keep(path: Path, key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _public_pem(key: ed25519.Ed25519PublicKey | rsa.RSAPublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _base64(signature: bytes) -> str:
    return base64.b64encode(signature).decode()
