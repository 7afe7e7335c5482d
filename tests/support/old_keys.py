"""OpenPGP keys as old programs made them, and as gpg makes them no more: without key flags, or signed with SHA-1."""

import hashlib
import struct
import time
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

PUBLIC, SECRET, USER, SUBKEY, SECRET_SUBKEY = 6, 5, 13, 14, 7
MD5, SHA1, SHA256 = 1, 2, 8
DIGESTS = {MD5: hashes.MD5, SHA1: hashes.SHA1, SHA256: hashes.SHA256}
CREATED = int(time.time()) - 86400  # seconds
CERTIFY_AND_SIGN, ENCRYPT = 0x03, 0x0C


def mpi(number: int) -> bytes:
    return struct.pack(">H", number.bit_length()) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def packet(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + struct.pack(">I", len(body)) + body


def subpacket(kind: int, body: bytes) -> bytes:
    return bytes([len(body) + 1, kind]) + body


class Rsa:
    """An RSA key of version 4."""

    def __init__(self, bits: int, created: int) -> None:
        self.key = generate_private_key(65537, bits)
        numbers = self.key.private_numbers()
        p, q = sorted((numbers.p, numbers.q))
        public = numbers.public_numbers
        self.public = b"\x04" + struct.pack(">IB", created, 1) + mpi(public.n) + mpi(public.e)
        secret = mpi(numbers.d) + mpi(p) + mpi(q) + mpi(pow(p, -1, q))
        self.secret = self.public + b"\x00" + secret + struct.pack(">H", sum(secret) % 65536)
        self.hashed = b"\x99" + struct.pack(">H", len(self.public)) + self.public
        self.fingerprint = hashlib.sha1(self.hashed).hexdigest().upper()

    def sign(
        self, kind: int, content: bytes, digest: int, flags: int | None, *, life: int | None = None, created: int = CREATED
    ) -> bytes:
        """A signature of this key, as a packet. `life`: seconds after which what it is about expires."""
        said = subpacket(2, struct.pack(">I", created))
        said += subpacket(27, bytes([flags])) if flags is not None else b""
        said += subpacket(9, struct.pack(">I", life)) if life is not None else b""
        head = bytes([4, kind, 1, digest]) + struct.pack(">H", len(said)) + said
        whole = content + head + b"\x04\xff" + struct.pack(">I", len(head))
        issuer = subpacket(16, bytes.fromhex(self.fingerprint[-16:]))
        signature = self.key.sign(whole, padding.PKCS1v15(), DIGESTS[digest]())
        start = hashlib.new(DIGESTS[digest].name, whole).digest()[:2]
        return packet(2, head + struct.pack(">H", len(issuer)) + issuer + start + mpi(int.from_bytes(signature, "big")))


@dataclass(frozen=True)
class OldKey:
    primary: Rsa
    fingerprint: str
    public: bytes
    secret: bytes


def old_key(
    name: str, *, bits: int = 2048, digests: tuple[int, int] = (SHA256, SHA256),
    flags: tuple[int | None, int | None] = (None, None), subkey: bool = True,
    life: int | None = None,
) -> OldKey:  # fmt: skip
    """A primary key with a user, and a subkey. `digests`, `flags`: of the primary key's signature, and of the subkey's.

    `life`: seconds after which the subkey expires.
    """
    primary = Rsa(bits, CREATED)
    user = name.encode()
    claimed = primary.hashed + b"\xb4" + struct.pack(">I", len(user)) + user
    middle = packet(USER, user) + primary.sign(0x13, claimed, digests[0], flags[0])
    public, secret = packet(PUBLIC, primary.public) + middle, packet(SECRET, primary.secret) + middle
    if subkey:
        second = Rsa(bits, CREATED)
        binding = primary.sign(0x18, primary.hashed + second.hashed, digests[1], flags[1], life=life)
        public += packet(SUBKEY, second.public) + binding
        secret += packet(SECRET_SUBKEY, second.secret) + binding
    return OldKey(primary, primary.fingerprint, public, secret)
