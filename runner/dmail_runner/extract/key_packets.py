"""The keys of an OpenPGP certificate: their algorithms, their sizes, and what the signatures on them say."""

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
UNKNOWN = "that has no name here"
# The curves that a key may name, by their object identifiers.
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
        packet: the key itself.
        primary: it is the certificate's primary key.
        bindings: the signatures by which the certificate claims the key, the newest first.
        revoked: some signature says that the key is revoked.

    """

    def __init__(self, packet: Any, *, primary: bool) -> None:
        self.packet = packet
        self.primary = primary
        self.bindings: list[Any] = []
        self.revoked = False

    @property
    def name(self) -> str:
        """What the key is called, as gpg shows it."""
        return "the primary key" if self.primary else f"the subkey {self.packet.key_id.upper()}"

    @property
    def algorithm(self) -> str:
        """The public-key algorithm, such as RSAEncryptSign."""
        return word(self.packet.key_algorithm)

    @property
    def material(self) -> bytes:
        """The public key itself, without what stands before it in the packet."""
        body = bytes(self.packet.body)
        return body[10:] if body[0] == 6 else body[6:]

    @property
    def bits(self) -> int:
        """The size of an RSA, DSA or ElGamal key in bits."""
        return int.from_bytes(self.material[:2], "big")

    @property
    def curve(self) -> str:
        """The curve of an elliptic-curve key that names one."""
        return CURVES.get(self.material[1 : 1 + self.material[0]].hex(), UNKNOWN)

    @property
    def encrypts(self) -> bool:
        """Whether files can be encrypted to the key: by its flags, or by its algorithm if it has none."""
        flags = self.bindings[0].key_flags if self.bindings else None
        if flags is None:
            return self.algorithm in ENCRYPTING or self.algorithm.startswith("MLKEM")
        return bool(flags.storage_encryption or flags.transport_encryption)

    @property
    def version(self) -> int:
        return bytes(self.packet.body)[0]

    @property
    def unflagged(self) -> bool:
        """Whether the key does not say what it is for."""
        return bool(self.bindings) and self.bindings[0].key_flags is None

    @property
    def digest(self) -> str:
        """The hash algorithm of the newest binding, such as SHA1."""
        return word(self.bindings[0].hash_algorithm) if self.bindings else ""

    def end(self, binding: Any) -> datetime:
        """When the key expires, by one of its bindings."""
        period = binding.key_validity_period
        return self.packet.key_created + period if period else NEVER


def word(value: object) -> str:
    """The last word of an enumeration's value: SHA1 of HashAlgorithm.SHA1."""
    return str(value).rpartition(".")[2]


def key_packets(content: bytes) -> list[KeyPacket]:
    """The keys of a certificate, the primary key first; signatures of other people's keys are left out."""
    keys: list[KeyPacket] = []
    for packet in PacketPile.from_bytes(content):
        if packet.tag in (Tag.PublicKey, Tag.PublicSubkey):
            keys.append(KeyPacket(packet, primary=packet.tag == Tag.PublicKey))
        elif packet.tag == Tag.Signature and keys:
            key, kind = keys[-1], word(packet.signature_type)
            key.revoked |= kind in REVOCATIONS
            if kind in (BINDINGS if key.primary else (SUBKEY_BINDING,)) and issued_by(packet, keys[0].packet):
                key.bindings.append(packet)
    for key in keys:
        key.bindings.sort(key=lambda binding: binding.signature_created, reverse=True)
    return keys


def issued_by(signature: Any, key: Any) -> bool:
    """Whether a signature names a key as the one that made it."""
    named = signature.issuer_fingerprint or signature.issuer_key_id
    return bool(named) and key.fingerprint.endswith(named)


class Trial(NamedTuple):
    """What a file that is encrypted to a certificate is like.

    Attributes:
        used: the keys that can open it.
        newer: it has the format of RFC 9580, which gpg and older programs cannot read.

    """

    used: list[KeyPacket]
    newer: bool


def try_encryption(certificate: Cert, keys: list[KeyPacket]) -> Trial:
    """Encrypt a byte to a certificate, whose `keys` these are. Raises RuntimeError if that is not possible."""
    sealed = PacketPile.from_bytes(encrypt(b"x", [certificate], armor=False))
    bodies = [bytes(packet.body) for packet in sealed if packet.tag == Tag.PKESK]
    names = [recipient(body) for body in bodies]
    used = [key for key in keys if any(matches(key.packet.fingerprint, name) for name in names)]
    return Trial(used, newer=any(body[0] != 3 for body in bodies))


def recipient(body: bytes) -> str:
    """The key that an encrypted session key is for: its identifier, or its fingerprint from version 6 on."""
    return body[1:9].hex() if body[0] == 3 else body[3 : 2 + body[1]].hex()


def matches(fingerprint: str, name: str) -> bool:
    """Whether a name that `recipient` returns is that of the key with this fingerprint."""
    return fingerprint.endswith(name) if len(fingerprint) == 40 else fingerprint.startswith(name)


def ends(certificate: Cert, keys: list[KeyPacket]) -> Iterator[datetime]:
    """When each of the certificate's `keys` expires; UNVERIFIED if no binding of it holds.

    The binding that counts is the newest one that holds when it stands alone: the library verifies it, and weighs its algorithms.
    """
    for key in keys:
        if key.primary:
            yield certificate.expiration or NEVER
            continue
        held = (binding for binding in key.bindings if holds(certificate, key, binding))
        yield next((key.end(binding) for binding in held), UNVERIFIED)


def holds(certificate: Cert, key: KeyPacket, binding: Any) -> bool:
    """Whether the key could be encrypted to if it had this binding only."""
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
