"""Validates public keys, for `check`, `route test`, runs and the encrypting process."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from pysequoia import Cert
from pysequoia.packet import PacketPile, Tag

from dmail_runner.extract.key_packets import NEVER, UNKNOWN, UNVERIFIED, KeyPacket, ends, key_packets, try_encryption

SOON = timedelta(days=30)
OLD = 4  # the newest version of keys that programs older than RFC 9580 support
SHORTEST = 2048  # the smallest accepted size of an RSA key, in bits
WEAK = ("MD5", "SHA1", "RipeMD")
UNSUPPORTED = ("secp256k1", UNKNOWN)  # curves, besides those named brainpool
# The advice for the person who must ask the mail house.
NEW = "ask the mail house for a new key, such as RSA of 3,072 bits or Curve25519"
RENEWED = "ask the mail house for a renewed key"
SIGNED = (
    "ask the mail house to sign it again with SHA-256 (gpg --quick-set-expire FINGERPRINT 2y, and the same with '*' at the end) "
    "and to export it again, or for a new key"
)
FLAGGED = "ask the mail house to set its usage (change-usage in gpg --edit-key) and to export it again, or for a new key"


class Fault(NamedTuple):
    """The fault of a key, as a sentence. `error`: True for an error, False for a warning."""

    error: bool
    what: str


def judge(content: bytes, fingerprint: str, now: datetime, until: datetime) -> tuple[Cert | None, Fault | None]:
    """The certificate of a key file, and its fault if it has one. Without a certificate nothing can be encrypted to it.

    Args:
        content: the file, binary or as ASCII text.
        fingerprint: the pinned fingerprint, in upper case.
        now: the time from which files are encrypted.
        until: the time until which the provider must be able to decrypt them.

    """
    try:
        certificate, end = usable(*read(content, fingerprint), now)
    except ValueError as error:
        return None, Fault(error=True, what=str(error))
    except RuntimeError as error:
        return None, Fault(error=True, what=f"cannot be read ({first_line(error)}): {NEW}")
    fault = expiry(end, now, until)
    return (None if fault and fault.error else certificate), fault


def usable(certificate: Cert, keys: list[KeyPacket], now: datetime) -> tuple[Cert, datetime]:
    """The certificate to encrypt to, and the time when it expires. Raises ValueError if nothing can be encrypted to it."""
    if certificate.is_revoked:
        raise ValueError("is revoked: ask the mail house for the key that replaced it")
    if keys[0].revoked:
        raise ValueError("has a revocation that cannot be verified: ask the mail house whether the key is still valid")
    try:
        trial = try_encryption(certificate, keys)
    except RuntimeError as error:
        return without_flags(certificate, keys, now, first_line(error))
    if revoked := next((key for key in trial.used if key.revoked), None):
        raise ValueError(f"has a revocation of {revoked.name} that cannot be verified: ask whether it is still valid")
    end = min(max(ends(certificate, trial.used), default=UNVERIFIED), certificate.expiration or NEVER)
    if trial.newer and keys[0].version == OLD:
        from dmail_runner.extract.stand_in import stand_in

        return stand_in(trial.used), end
    return certificate, end


def without_flags(certificate: Cert, keys: list[KeyPacket], now: datetime, said: str) -> tuple[Cert, datetime]:
    """As `usable`, for a certificate whose keys have no flags. The newest suitable subkey is used, or the primary key.

    `said`: the library's error for the certificate as it is.
    """
    from dmail_runner.extract.stand_in import stand_in, verified

    fit = [key for key in keys if key.unflagged and key.version == OLD and key.algorithm.startswith("RSA")]
    for key in sorted(fit, key=lambda key: (not key.primary, key.packet.key_created), reverse=True):
        if next(subkey_faults(key, now), None) is None and next(weaknesses(keys[0]), None) is None and verified(key, keys[0]):
            return stand_in([key]), min(key.end(key.bindings[0]), certificate.expiration or NEVER)
    raise ValueError(reason(keys, now, said))


def read(content: bytes, fingerprint: str) -> tuple[Cert, list[KeyPacket]]:
    """The certificate of a file, which must contain exactly one. Raises ValueError."""
    try:
        tags = [packet.tag for packet in PacketPile.from_bytes(content)]
        certificates = Cert.split_bytes(content)
        keys = key_packets(bytes(certificates[0])) if len(certificates) == 1 else []
    except RuntimeError:
        certificates, tags, keys = [], [], []
    if not certificates:
        raise ValueError(
            "is not an OpenPGP public key of version 4 or 6: ask the mail house to export it again (gpg --armor --export)"
        )
    if len(certificates) > 1:
        raise ValueError(f"contains {len(certificates)} keys; a file must contain one key")
    if Tag.SecretKey in tags or Tag.SecretSubkey in tags:
        raise ValueError("contains a secret key: delete the file, and use the public key")
    if (found := certificates[0].fingerprint.upper()) != fingerprint:
        raise ValueError(f"has the fingerprint {found}, but {fingerprint} is pinned")
    return certificates[0], keys


def expiry(end: datetime, now: datetime, until: datetime) -> Fault | None:
    """The fault of a key that is valid for encryption until `end`; None if that is late enough."""
    if end == UNVERIFIED:
        return Fault(error=True, what=f"has an encryption key whose signature cannot be verified: {RENEWED}")
    if end <= now:
        return Fault(error=True, what=f"expired on {end:%Y-%m-%d}: {RENEWED}")
    if end <= until:
        what = f"expires on {end:%Y-%m-%d}, before the provider's retention of the files ends ({until:%Y-%m-%d}): {RENEWED}"
        return Fault(error=True, what=what)
    if end <= max(now, until) + SOON:
        return Fault(error=False, what=f"expires on {end:%Y-%m-%d}: ask for a new one")
    return None


def reason(keys: list[KeyPacket], now: datetime, said: str) -> str:
    """The reason why nothing can be encrypted to a certificate. `said`: the library's error, if the keys do not show a reason."""
    primary = keys[0]
    if fault := next(weaknesses(primary), None):
        return f"{fault[0]}: {fault[1]}"
    subkeys = [key for key in keys if key.encrypts]
    if not subkeys:
        return f"has no subkey to encrypt to: {NEW}"
    faults = [(key, *fault) for key in subkeys if (fault := next(subkey_faults(key, now), None))]
    if not faults and primary.packet.key_created > now:
        return f"is dated {primary.packet.key_created:%Y-%m-%d}, in the future: check this machine's clock"
    if not faults and any(key.unflagged for key in subkeys):
        return f"has no key to encrypt to: {subkeys[-1].name} does not declare its usage (it has no key flags): {FLAGGED}"
    if not faults:
        return f"cannot be encrypted to ({said}): {NEW}"
    found = ", and ".join(f"{key.name} {what}" for key, what, _ in faults)
    return f"has no key to encrypt to: {found}: {faults[-1][2]}"


def subkey_faults(key: KeyPacket, now: datetime) -> Iterator[tuple[str, str]]:
    """The reasons against encrypting to a key, each with what to ask for."""
    if key.revoked:
        yield "is revoked", RENEWED
    if "ElGamal" in key.algorithm:
        yield "is an ElGamal key, which is not supported any more", NEW
    yield from weaknesses(key)
    if key.bindings and (end := key.end(key.bindings[0])) <= now:
        yield f"expired on {end:%Y-%m-%d}", RENEWED


def weaknesses(key: KeyPacket) -> Iterator[tuple[str, str]]:
    """The weaknesses that make a key unusable, each with what to ask for."""
    if key.algorithm.startswith("RSA") and key.bits < SHORTEST:
        yield f"is an RSA key of {key.bits:,} bits, which is too short to be safe", NEW
    if key.algorithm == "DSA" and key.bits < SHORTEST:
        yield f"is a DSA key of {key.bits:,} bits, which is too short to be safe", NEW
    if key.algorithm in ("ECDSA", "ECDH", "EdDSA") and (key.curve in UNSUPPORTED or "brainpool" in key.curve):
        yield f"is on the curve {key.curve}, which is not supported", NEW
    if not key.bindings:
        yield "has no signature of its owner", NEW
    if key.digest in WEAK:
        yield f"is signed with {key.digest.replace('SHA1', 'SHA-1')}, which can be forged", SIGNED


def first_line(error: Exception) -> str:
    """The library's message, without its source locations."""
    return next(iter(str(error).splitlines()), type(error).__name__)
