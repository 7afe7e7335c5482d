"""Reads the private key of a login."""

import base64
import io
import os
import stat
from typing import Any

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from dmail_runner.core.errors import DeliveryError
from dmail_runner.declare.route import Login


def private_key(place: Login) -> paramiko.PKey | None:
    """The login's private key, in OpenSSH's format or PEM; None if it has none. Raises DeliveryError."""
    passphrase = place.passphrase.get_secret_value() if place.passphrase else None
    try:
        if place.private_key_base64:
            return key_of(base64.b64decode(place.private_key_base64.get_secret_value()), passphrase)
        if place.private_key is None:
            return None
        if stat.S_IMODE(place.private_key.stat().st_mode) & 0o077 and os.access(place.private_key, os.R_OK):
            raise DeliveryError(
                f"the private key {place.private_key} can be read by others", todo=f"chmod 600 {place.private_key}"
            )
        return key_of(place.private_key.read_bytes(), passphrase)
    except FileNotFoundError:
        raise DeliveryError(f"the private key {place.private_key} does not exist") from None
    except (paramiko.SSHException, UnsupportedAlgorithm, ValueError, TypeError, OSError) as error:
        where = place.private_key or "of `private_key_base64`"
        raise DeliveryError(
            f"the private key {where} cannot be read: {type(error).__name__}",
            todo="is it a private key, and is its passphrase right?",
        ) from None


def key_of(content: bytes, passphrase: str | None) -> paramiko.PKey:
    """A private key of any supported kind and format. Raises ValueError, TypeError or SSHException."""
    secret = passphrase.encode() if passphrase else None
    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in content else load_pem_private_key
    key: Any = load(content, secret)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    kinds: dict[type, Any] = {
        RSAPrivateKey: paramiko.RSAKey,
        EllipticCurvePrivateKey: paramiko.ECDSAKey,
        Ed25519PrivateKey: paramiko.Ed25519Key,
    }
    for kind, reader in kinds.items():
        if isinstance(key, kind):
            found: paramiko.PKey = reader.from_private_key(io.StringIO(text))
            return found
    raise ValueError("neither RSA, ECDSA nor Ed25519")
