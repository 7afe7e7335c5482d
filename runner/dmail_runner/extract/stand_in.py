"""Creates a stand-in for a certificate with usable keys that the OpenPGP library does not accept as it is.

Old programs write keys without key flags (their usage) or without features (the formats that the owner's program can read).

- Without key flags, gpg decides by the algorithm. The library refuses the key.
- Without features, gpg writes the older format. The library writes a newer one, which gpg cannot read.

The stand-in has a new primary key, which is used for one file, and the same keys as subkeys. The primary key declares that they
are for encryption, and that their owner reads the older format.

The recipient sees no difference, because an encrypted file names keys and not certificates. Each key belongs to the pinned
certificate: it is the primary key, or its signature was verified by the library or by `verified`.
"""

import hashlib
import struct
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pysequoia import Cert

from dmail_runner.extract.key_packets import KeyPacket

PRIMARY, SUBKEY, USER_ID, SIGNATURE = 6, 14, 13, 2  # tags of packets
USER_BINDING, SUBKEY_BINDING = 0x13, 0x18  # types of signatures
CREATED, FLAGS, FEATURES, ISSUER = 2, 27, 30, 33  # types of subpackets of a signature
CERTIFY, ENCRYPT, OLDER_FORMAT = b"\x01", b"\x0c", b"\x01"
ED25519 = bytes.fromhex("092b06010401da470f01")
EDDSA, BY_SHA256 = 22, 8
DIGESTS: dict[int, type[HashAlgorithm]] = {8: SHA256, 9: SHA384, 10: SHA512}
USER = b"stand-in"


class Claim(NamedTuple):
    """The content of a signature: its subject, its type, and its subpackets."""

    kind: int
    about: bytes
    says: bytes


def stand_in(keys: Sequence[KeyPacket]) -> Cert:
    """A certificate of version 4 with keys of version 4 as encryption subkeys."""
    # The signatures have the time of the newest key, so that they do not depend on this machine's clock.
    created = struct.pack(">I", max(int(key.packet.key_created.timestamp()) for key in keys))
    secret = Ed25519PrivateKey.generate()
    point = secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    body = b"\x04" + created + bytes((EDDSA,)) + ED25519 + number(b"\x40" + point)
    user = b"\xb4" + struct.pack(">I", len(USER)) + USER
    at = subpacket(CREATED, created)
    says = at + subpacket(FLAGS, CERTIFY) + subpacket(FEATURES, OLDER_FORMAT)
    packets = [packet(PRIMARY, body), packet(USER_ID, USER), signed(secret, body, Claim(USER_BINDING, user, says))]
    for key in keys:
        held = bytes(key.packet.body)
        claim = Claim(SUBKEY_BINDING, framed(held), at + subpacket(FLAGS, ENCRYPT))
        packets += [packet(SUBKEY, held), signed(secret, body, claim)]
    return Cert.from_bytes(b"".join(packets))


def signed(secret: Ed25519PrivateKey, body: bytes, claim: Claim) -> bytes:
    """A signature by the key with this `body`, as a packet."""
    fingerprint = hashlib.sha1(framed(body), usedforsecurity=False).digest()
    said = claim.says + subpacket(ISSUER, b"\x04" + fingerprint)
    head = bytes((4, claim.kind, EDDSA, BY_SHA256)) + struct.pack(">H", len(said)) + said
    found = hashlib.sha256(framed(body) + claim.about + head + trailer(head)).digest()
    signature = secret.sign(found)
    return packet(SIGNATURE, head + b"\x00\x00" + found[:2] + number(signature[:32]) + number(signature[32:]))


def verified(key: KeyPacket, primary: KeyPacket) -> bool:
    """Whether a primary RSA key has signed the newest binding of a subkey, with a safe digest."""
    if key.primary:
        return True
    signature = bytes(key.bindings[0].body)
    end = 6 + int.from_bytes(signature[4:6], "big")
    head, rest = signature[:end], signature[end:]
    rest = rest[2 + int.from_bytes(rest[:2], "big") + 2 :]
    if not primary.algorithm.startswith("RSA") or head[3] not in DIGESTS:
        return False
    modulus, exponent = numbers(primary.material)
    signing = RSAPublicNumbers(exponent, modulus).public_key()
    content = framed(bytes(primary.packet.body)) + framed(bytes(key.packet.body)) + head + trailer(head)
    value = numbers(rest)[0].to_bytes((signing.key_size + 7) // 8, "big")
    try:
        signing.verify(value, content, PKCS1v15(), DIGESTS[head[3]]())
    except InvalidSignature:
        return False
    return True


def framed(body: bytes) -> bytes:
    """A key in the form that signatures and fingerprints hash."""
    return b"\x99" + struct.pack(">H", len(body)) + body


def trailer(head: bytes) -> bytes:
    """The end of the data that a signature hashes."""
    return b"\x04\xff" + struct.pack(">I", len(head))


def packet(tag: int, body: bytes) -> bytes:
    return bytes((0xC0 | tag, 0xFF)) + struct.pack(">I", len(body)) + body


def subpacket(kind: int, body: bytes) -> bytes:
    return bytes((len(body) + 1, kind)) + body


def number(value: bytes) -> bytes:
    """A number in the format of keys and signatures: its length in bits, and its bytes without leading zeros."""
    bits = int.from_bytes(value, "big").bit_length()
    return struct.pack(">H", bits) + value[len(value) - (bits + 7) // 8 :]


def numbers(material: bytes) -> list[int]:
    """The numbers in a key or a signature."""
    found = []
    while len(material) > 2:
        end = 2 + (int.from_bytes(material[:2], "big") + 7) // 8
        found.append(int.from_bytes(material[2:end], "big"))
        material = material[end:]
    return found
