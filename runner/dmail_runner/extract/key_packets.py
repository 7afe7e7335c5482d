"""Reads the keys of an OpenPGP certificate: algorithms, sizes and signatures."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pysequoia import Cert, encrypt
from pysequoia.packet import PacketPile, Tag

NEVER = datetime.max.replace(tzinfo=UTC)
UNVERIFIED = datetime.min.replace(tzinfo=UTC)
BINDINGS = ("DirectKey", "GenericCertification", "PersonaCertification", "CasualCertification", "PositiveCertification")
SUBKEY_BINDING, REVOCATIONS = "SubkeyBinding", ("KeyRevocation", "SubkeyRevocation")
ENCRYPTING = ("RSAEncryptSign", "RSAEncrypt", "ElGamalEncrypt", "ElGamalEncryptSign", "ECDH", "X25519", "X448")
UNKNOWN = "of an unknown kind"
# The names of curves, by object identifier.
CURVES = {
    "2b2403030208010107": "brainpoolP256r1",
    "2b240303020801010b": "brainpoolP384r1",
    "2b240303020801010d": "brainpoolP512r1",
    "2b8104000a": "secp256k1",
    "2a8648ce3d030107": "NIST P-256",
    "2b81040022": "NIST P-384",
    "2b81040023": "NIST P-521",
    "2b060104019755010501": "Curve25519",
    "2b06010401da470f01": "Ed25519",
}


class KeyPacket:
    """One key of a certificate.

    Attributes:
        packet: the packet of the key.
        primary: whether it is the certificate's primary key.
        bindings: the signatures that bind the key to the certificate, newest first.
        revoked: whether a signature revokes the key.

    """

    def __init__(self, packet: Any, *, primary: bool) -> None:
        self.packet = packet
        self.primary = primary
        self.bindings: list[Any] = []
        self.revoked = False

    @property
    def name(self) -> str:
        """The name of the key, as gpg shows it."""
        return "the primary key" if self.primary else f"the subkey {self.packet.key_id.upper()}"

    @property
    def algorithm(self) -> str:
        """The public-key algorithm, such as RSAEncryptSign."""
        return last_word(self.packet.key_algorithm)

    @property
    def material(self) -> bytes:
        """The public key, without the header of the packet."""
        body = bytes(self.packet.body)
        return body[10:] if body[0] == 6 else body[6:]

    @property
    def bits(self) -> int:
        """The size of an RSA, DSA or ElGamal key in bits."""
        return int.from_bytes(self.material[:2], "big")

    @property
    def curve(self) -> str:
        """The name of the curve of an elliptic-curve key; empty for other keys."""
        return CURVES.get(self.material[1 : 1 + self.material[0]].hex(), UNKNOWN)

    @property
    def encrypts(self) -> bool:
        """Whether files can be encrypted to the key, by its flags, or by its algorithm if it has no flags."""
        flags = self.bindings[0].key_flags if self.bindings else None
        if flags is None:
            return self.algorithm in ENCRYPTING or self.algorithm.startswith("MLKEM")
        return bool(flags.storage_encryption or flags.transport_encryption)

    @property
    def version(self) -> int:
        return bytes(self.packet.body)[0]

    @property
    def unflagged(self) -> bool:
        """Whether the key has no flags that declare its usage."""
        return bool(self.bindings) and self.bindings[0].key_flags is None

    @property
    def digest(self) -> str:
        """The hash algorithm of the newest binding, such as SHA1."""
        return last_word(self.bindings[0].hash_algorithm) if self.bindings else ""

    def end(self, binding: Any) -> datetime:
        """The time when the key expires, according to one of its bindings."""
        period = binding.key_validity_period
        return self.packet.key_created + period if period else NEVER


def last_word(value: object) -> str:
    """The name of an enumeration's value without the enumeration, such as SHA1 for HashAlgorithm.SHA1."""
    return str(value).rpartition(".")[2]


def key_packets(content: bytes) -> list[KeyPacket]:
    """The keys of a certificate, the primary key first. Signatures by other keys are left out."""
    keys: list[KeyPacket] = []
    for packet in PacketPile.from_bytes(content):
        if packet.tag in (Tag.PublicKey, Tag.PublicSubkey):
            keys.append(KeyPacket(packet, primary=packet.tag == Tag.PublicKey))
        elif packet.tag == Tag.Signature and keys:
            key, kind = keys[-1], last_word(packet.signature_type)
            key.revoked |= kind in REVOCATIONS
            if kind in (BINDINGS if key.primary else (SUBKEY_BINDING,)) and issued_by(packet, keys[0].packet):
                key.bindings.append(packet)
    for key in keys:
        key.bindings.sort(key=lambda binding: binding.signature_created, reverse=True)
    return keys


def issued_by(signature: Any, key: Any) -> bool:
    """Whether a signature names a key as its issuer."""
    named = signature.issuer_fingerprint or signature.issuer_key_id
    return bool(named) and key.fingerprint.endswith(named)


class Trial(NamedTuple):
    """The properties of a file that is encrypted to a certificate.

    Attributes:
        used: the keys that can decrypt it.
        newer: whether it has the format of RFC 9580, which gpg and older programs cannot read.

    """

    used: list[KeyPacket]
    newer: bool


def try_encryption(certificate: Cert, keys: list[KeyPacket]) -> Trial:
    """Encrypt a byte to a certificate with the given keys. Raises RuntimeError if that is not possible."""
    sealed = PacketPile.from_bytes(encrypt(b"x", [certificate], armor=False))
    bodies = [bytes(packet.body) for packet in sealed if packet.tag == Tag.PKESK]
    names = [recipient(body) for body in bodies]
    used = [key for key in keys if any(matches(key.packet.fingerprint, name) for name in names)]
    return Trial(used, newer=any(body[0] != 3 for body in bodies))


def recipient(body: bytes) -> str:
    """The identifier of the key that an encrypted session key is for. From version 6 on, it is the fingerprint."""
    return body[1:9].hex() if body[0] == 3 else body[3 : 2 + body[1]].hex()


def matches(fingerprint: str, name: str) -> bool:
    """Whether an identifier from `recipient` belongs to the key with this fingerprint."""
    return fingerprint.endswith(name) if len(fingerprint) == 40 else fingerprint.startswith(name)


def ends(certificate: Cert, keys: list[KeyPacket]) -> Iterator[datetime]:
    """The time when each of the certificate's keys expires; UNVERIFIED for a key without a valid binding.

    The newest valid binding counts. The library verifies each binding alone, including its algorithms.
    """
    for key in keys:
        if key.primary:
            yield certificate.expiration or NEVER
            continue
        held = (binding for binding in key.bindings if holds(certificate, key, binding))
        yield next((key.end(binding) for binding in held), UNVERIFIED)


def holds(certificate: Cert, key: KeyPacket, binding: Any) -> bool:
    """Whether the key can be encrypted to if this is its only binding."""
    head: list[bytes] = []
    for packet in PacketPile.from_bytes(bytes(certificate)):
        if packet.tag == Tag.PublicSubkey:
            break
        head.append(bytes(packet))
    try:
        alone = Cert.from_bytes(b"".join((*head, bytes(key.packet), bytes(binding))))
        return bool(try_encryption(alone, [key]).used)
    except RuntimeError:
        return False
