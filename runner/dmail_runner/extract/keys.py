"""Keys that files are sealed to: public ones of `profiles/keys`, pinned by fingerprint, and our own to sign with."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmail_runner.core.errors import Problem
from dmail_runner.declare.encryption import Encryption, SigningKey

if TYPE_CHECKING:
    from pysequoia import Cert


SOON = timedelta(days=30)
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Finding:
    """Something about a key: an error, or else a warning."""

    error: bool
    problem: Problem


def findings(folder: Path, encryption: Encryption, at: tuple[str, str], now: datetime, until: datetime) -> Iterator[Finding]:
    """What is wrong with a route's keys, or soon will be. `at`: the entry's file and key; `until`: they must be good till then.

    Subkeys are judged by what their binding signatures say; those signatures themselves are checked when a file is sealed.
    """
    file, key = at
    for place, public in enumerate(encryption.keys):
        where = f"{key}.keys[{place}]"
        cert, fault = read_public(folder / public.file, public.fingerprint)
        if cert is None or fault:
            yield Finding(error=True, problem=Problem(file, where, f"profiles/keys/{public.file} {fault}"))
            continue
        for error, what in faults(cert, now, until):
            yield Finding(error=error, problem=Problem(file, where, f"profiles/keys/{public.file} {what}"))
    if encryption.sign and (wrong := secret_fault(encryption.sign)):
        yield Finding(error=True, problem=Problem(file, f"{key}.sign", f"{encryption.sign.file} {wrong}"))


def read_public(path: Path, fingerprint: str) -> "tuple[Cert | None, str]":
    """The one certificate of a file, or what is wrong with the file."""
    from pysequoia import Cert
    from pysequoia.packet import PacketPile, Tag

    if not path.is_file():
        return None, "does not exist"
    try:
        tags = [packet.tag for packet in PacketPile.from_file(str(path))]
        certs = Cert.split_file(str(path))
    except RuntimeError:
        certs, tags = [], []
    if not certs:
        return None, "is no OpenPGP public key"
    if len(certs) > 1:
        return None, f"holds {len(certs)} keys; there must be one in a file"
    if Tag.SecretKey in tags or Tag.SecretSubkey in tags:
        return None, "holds a secret key: delete it there, and put in the public one"
    if certs[0].fingerprint.upper() != fingerprint:
        return None, f"has the fingerprint {certs[0].fingerprint.upper()}, but {fingerprint} is pinned"
    return certs[0], ""


def faults(cert: "Cert", now: datetime, until: datetime) -> Iterator[tuple[bool, str]]:
    """What speaks against sealing to a certificate, and whether that is an error."""
    if cert.is_revoked:
        yield True, "is revoked"
        return
    ends = [*encryption_ends(cert)]
    if not ends:
        yield True, "has no subkey to encrypt to, or only revoked ones"
        return
    end = min(max(ends), cert.expiration or NEVER)
    if end <= now:
        yield True, f"expired on {end:%Y-%m-%d}"
    elif end <= until:
        yield True, f"expires on {end:%Y-%m-%d}, before the provider is done with the files ({until:%Y-%m-%d})"
    elif end <= max(now, until) + SOON:
        yield False, f"expires on {end:%Y-%m-%d}: ask for a new one"


def encryption_ends(cert: "Cert") -> Iterator[datetime]:
    """When each key of a certificate that encrypts, and is not revoked, expires."""
    for created, signatures in bindings(cert):
        if any(str(signature.signature_type) == "SignatureType.SubkeyRevocation" for signature in signatures):
            continue
        latest = max(
            (signature for signature in signatures if signature.key_flags), key=attrgetter("signature_created"), default=None
        )
        if latest and (latest.key_flags.storage_encryption or latest.key_flags.transport_encryption):
            yield created + latest.key_validity_period if latest.key_validity_period else NEVER


def bindings(cert: "Cert") -> list[tuple[datetime, list[Any]]]:
    """Each key of a certificate, by when it was made, with the signatures that speak of it."""
    from pysequoia.packet import PacketPile, Tag

    keys: list[tuple[datetime, list[Any]]] = []
    for packet in PacketPile.from_bytes(bytes(cert)):
        if packet.tag in (Tag.PublicKey, Tag.PublicSubkey) and packet.key_created:
            keys.append((packet.key_created, []))
        elif packet.tag == Tag.Signature and keys:
            keys[-1][1].append(packet)
    return keys


def secret_fault(key: SigningKey) -> str | None:
    """What is wrong with our own key, if anything."""
    from pysequoia import Tsk

    try:
        mode = key.file.stat().st_mode
        secret = Tsk.from_file(str(key.file))
        found = secret.extract_certificate().fingerprint.upper()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except RuntimeError:
        return "is no OpenPGP secret key"
    if stat.S_IMODE(mode) & 0o077:
        return f"can be read by others (mode {stat.S_IMODE(mode):04o}): chmod 600 it"
    if found != key.fingerprint:
        return f"has the fingerprint {found}, but {key.fingerprint} is pinned"
    try:
        secret.signer(key.passphrase.get_secret_value() if key.passphrase else None)
    except RuntimeError:
        return "cannot sign: its passphrase is wrong, or it has no signing key"
    return None
