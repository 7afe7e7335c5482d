"""What `check` says of a key is what sealing to it does, and what was sealed can be opened: over keys of many kinds."""

import random
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pysequoia import CipherSuite, Profile, Tsk, decrypt

from dmail_runner.core.errors import ExtractError
from dmail_runner.extract.certificate import judge
from dmail_runner.extract.keys import findings
from gpg import NOW, Gpg, seal, to
from old_keys import CERTIFY_AND_SIGN, CREATED, ENCRYPT, MD5, SHA1, SHA256, SUBKEY, Rsa, old_key, packet

PAST = NOW - timedelta(days=100)
TEXT = b"one row\n"


def generated(gpg: Gpg, name: str, lines: str, *options: str) -> str:
    """A key that gpg makes of its own parameters; its fingerprint."""
    gpg(*options, "--full-generate-key", given=f"%no-protection\n{lines}\nName-Real: {name}\nExpire-Date: 0\n%commit\n".encode())
    return gpg.fingerprint(name)


def rsa(bits: int, subkey: str = "RSA", subkey_bits: int | None = None) -> str:
    return f"Key-Type: RSA\nKey-Length: {bits}\nSubkey-Type: {subkey}\nSubkey-Length: {subkey_bits or bits}"


def curve(name: str) -> str:
    return f"Key-Type: ECDSA\nKey-Curve: {name}\nSubkey-Type: ECDH\nSubkey-Curve: {name}"


def with_subkeys(gpg: Gpg, name: str, *lives: str) -> str:
    """A signing key with subkeys to encrypt to, of which each has a life, all made in the past."""
    key = gpg.make(name, kind=("ed25519", "sign"), life="900d", at=PAST)
    for life in lives:
        gpg("--quick-add-key", key, "cv25519", "encr", life, at=PAST)
    return key


def revoke_subkey(gpg: Gpg, key: str, number: int) -> None:
    words = f"key {number}\nrevkey\ny\n0\n\ny\nsave\n".encode()
    gpg("--no-batch", "--no-tty", "--command-fd", "0", "--status-fd", "1", "--edit-key", key, given=words)


def revoked_subkey(gpg: Gpg, name: str, *lives: str) -> str:
    key = with_subkeys(gpg, name, *lives)
    revoke_subkey(gpg, key, 1)
    return key


def revoked(gpg: Gpg, name: str) -> str:
    key = gpg.make(name)
    text = (gpg.home / "openpgp-revocs.d" / f"{key}.rev").read_text().replace(":-----BEGIN", "-----BEGIN")
    gpg("--import", given=text.encode())
    return key


# What is said of each key that gpg makes; nothing where it can be sealed to.
BY_GPG: dict[str, tuple[Callable[[Gpg, str], str], str | None]] = {
    "RSA": (lambda gpg, name: generated(gpg, name, rsa(2048)), None),
    "RSA without a subkey": (lambda gpg, name: generated(gpg, name, "Key-Type: RSA\nKey-Length: 2048\nKey-Usage: sign,encrypt"), None),
    "Curve25519": (lambda gpg, name: gpg.make(name), None),
    "NIST": (lambda gpg, name: generated(gpg, name, curve("nistp256")), None),
    "short RSA": (lambda gpg, name: generated(gpg, name, rsa(1024)), "is an RSA key of 1,024 bits, which is too short"),
    "short subkey": (lambda gpg, name: generated(gpg, name, rsa(2048, subkey_bits=1024)), None),
    "DSA, ElGamal": (
        lambda gpg, name: generated(gpg, name, "Key-Type: DSA\nKey-Length: 1024\nSubkey-Type: ELG-E\nSubkey-Length: 1024"),
        "is a DSA key of 1,024 bits",
    ),
    "RSA, ElGamal": (
        lambda gpg, name: generated(gpg, name, "Key-Type: RSA\nKey-Length: 2048\nKey-Usage: sign\nSubkey-Type: ELG-E\nSubkey-Length: 1024"),
        "is an ElGamal key, which is not supported any more: ask the mail house for a new key",
    ),
    "brainpool": (lambda gpg, name: generated(gpg, name, curve("brainpoolP256r1")), "is on the curve brainpoolP256r1"),
    "secp256k1": (lambda gpg, name: generated(gpg, name, curve("secp256k1")), "is on the curve secp256k1"),
    "MD5": (
        lambda gpg, name: generated(gpg, name, rsa(2048), "--cert-digest-algo", "MD5", "--allow-weak-digest-algos"),
        "is signed with MD5, which can be forged: ask the mail house to sign it again with SHA-256",
    ),
    "signs only": (lambda gpg, name: gpg.make(name, kind=("ed25519", "sign")), "has no subkey to encrypt to: ask"),
    "expired": (lambda gpg, name: gpg.make(name, life="20d", at=PAST), "expired on "),
    "expired subkey": (lambda gpg, name: with_subkeys(gpg, name, "10d"), "expired on "),
    "expired subkey, and a newer one": (lambda gpg, name: with_subkeys(gpg, name, "10d", "800d"), None),
    "subkey that expires soon": (lambda gpg, name: with_subkeys(gpg, name, "110d"), None),
    "revoked": (revoked, "is revoked: ask the mail house for the key that replaced it"),
    "revoked subkey": (lambda gpg, name: revoked_subkey(gpg, name, "800d"), "is revoked: ask the mail house"),
    "revoked subkey, and a newer one": (lambda gpg, name: revoked_subkey(gpg, name, "800d", "700d"), None),
}  # fmt: skip


def verdict(keys: Path, file: str, fingerprint: str) -> str | None:
    """What `check` says: the error, if there is one."""
    found = list(findings(keys, to((file, fingerprint)), ("r.yml", "r"), NOW, NOW))
    assert len(found) <= 1, "one sentence a key"
    return next((finding.problem.what for finding in found if finding.error), None)


def sealed(keys: Path, file: str, fingerprint: str) -> Path | None:
    """What the sealing process made of it."""
    path = keys.parent / "sealed.pgp"
    path.unlink(missing_ok=True)
    said = ""
    try:
        seal(path, keys, to((file, fingerprint)), TEXT)
    except ExtractError as error:
        said = error.what
    assert bool(said) != path.exists()
    assert (verdict(keys, file, fingerprint) or "") in said, "the same words"
    return path if path.exists() else None


def put(keys: Path, public: bytes) -> str:
    (keys / "house.asc").write_bytes(public)
    return "house.asc"


@pytest.mark.parametrize("kind", BY_GPG)
def test_keys_of_gpg(gpg: Gpg, keys: Path, kind: str) -> None:
    make, told = BY_GPG[kind]
    fingerprint = make(gpg, f"House {kind} <house@example.com>")
    file = put(keys, gpg.public(fingerprint))
    said, path = verdict(keys, file, fingerprint), sealed(keys, file, fingerprint)
    assert (said is None) == (path is not None)
    assert (told in said) if told and said else (told is said)
    if path:
        assert gpg.open(path) == TEXT


OLD = {
    "flags": (old_key("a", flags=(CERTIFY_AND_SIGN, ENCRYPT)), None),
    "SHA-1": (old_key("d", digests=(SHA1, SHA1), flags=(CERTIFY_AND_SIGN, ENCRYPT)), "is signed with SHA-1, which can be forged"),
    "SHA-1 on the subkey": (
        old_key("e", digests=(SHA256, SHA1), flags=(CERTIFY_AND_SIGN, ENCRYPT)),
        "is signed with SHA-1, which can be forged: ask the mail house to sign it again",
    ),
    "SHA-1 on the primary key": (old_key("f", digests=(SHA1, SHA256), flags=(CERTIFY_AND_SIGN, ENCRYPT)), "is signed with SHA-1"),
    "MD5": (old_key("g", digests=(MD5, MD5)), "is signed with MD5"),
    "no flags": (old_key("b"), None),
    "no flags, no subkey": (old_key("c", subkey=False), None),
    "no flags on the subkey": (old_key("h", flags=(CERTIFY_AND_SIGN, None)), None),
    "no flags, short": (old_key("i", bits=1024), "is an RSA key of 1,024 bits"),
    "no flags, SHA-1 on the subkey": (
        old_key("j", digests=(SHA256, SHA1), flags=(CERTIFY_AND_SIGN, None)),
        "is signed with SHA-1",
    ),
    "no flags, SHA-1 on the primary key": (old_key("k", digests=(SHA1, SHA256)), "is signed with SHA-1"),
}


@pytest.mark.parametrize("kind", OLD)
def test_keys_of_old_programs(gpg: Gpg, keys: Path, kind: str) -> None:
    key, told = OLD[kind]
    file = put(keys, key.public)
    said, path = verdict(keys, file, key.fingerprint), sealed(keys, file, key.fingerprint)
    assert (said is None) == (path is not None)
    assert (told in said) if told and said else (told is said)
    if path:
        gpg("--import", given=key.secret)
        assert gpg.open(path) == TEXT


@pytest.mark.parametrize("profile", [Profile.RFC4880, Profile.RFC9580])
@pytest.mark.parametrize("suite", [CipherSuite.Cv25519, CipherSuite.Cv448, CipherSuite.RSA2k, CipherSuite.P521])
def test_keys_of_sequoia(keys: Path, profile: Profile, suite: CipherSuite) -> None:
    key = Tsk.generate("House", profile=profile, cipher_suite=suite, validity_seconds=86400 * 20)
    certificate = key.extract_certificate()
    file, fingerprint = put(keys, bytes(certificate)), certificate.fingerprint.upper()
    assert verdict(keys, file, fingerprint) is None
    path = sealed(keys, file, fingerprint)
    assert path
    assert decrypt(decryptor=key.decryptor(), bytes=path.read_bytes()).bytes == TEXT
    late = judge(bytes(certificate), fingerprint, NOW, NOW + timedelta(days=30))
    assert late[0] is None
    assert late[1]
    assert "before the provider's retention of the files ends" in late[1].what


def test_what_the_mail_house_is_asked_for_helps(gpg: Gpg, keys: Path) -> None:
    key = old_key("Old", digests=(SHA1, SHA1), flags=(CERTIFY_AND_SIGN, ENCRYPT))
    said = verdict(keys, put(keys, key.public), key.fingerprint)
    assert said
    assert "gpg --quick-set-expire FINGERPRINT 2y, and the same with '*' at the end" in said
    gpg("--import", given=key.secret)
    gpg("--quick-set-expire", key.fingerprint, "2y")
    gpg("--quick-set-expire", key.fingerprint, "2y", "*")
    file = put(keys, gpg.public(key.fingerprint))
    assert verdict(keys, file, key.fingerprint) is None
    path = sealed(keys, file, key.fingerprint)
    assert path
    assert gpg.open(path) == TEXT


def test_a_key_that_is_exchanged_or_revoked_after_the_check_is_not_sealed_to(gpg: Gpg, keys: Path) -> None:
    fingerprint = gpg.make("Later revoked <l@example.com>")
    file = put(keys, gpg.public(fingerprint))
    assert verdict(keys, file, fingerprint) is None
    text = (gpg.home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text().replace(":-----BEGIN", "-----BEGIN")
    gpg("--import", given=text.encode())
    put(keys, gpg.public(fingerprint))
    assert sealed(keys, file, fingerprint) is None
    put(keys, gpg.public(gpg.make("Another <a@example.com>")))
    assert sealed(keys, file, fingerprint) is None


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_key_is_judged_and_sealed_to_alike(keys: Path, seed: int) -> None:
    chance = random.Random(seed)
    key = old_key("Damaged", flags=(CERTIFY_AND_SIGN, ENCRYPT))
    for _ in range(12):
        content = bytearray(key.public)
        for _ in range(chance.choice((1, 1, 3))):
            content[chance.randrange(len(content))] = chance.randrange(256)
        if chance.random() < 0.3:
            del content[chance.randrange(len(content)) :]
        file = put(keys, bytes(content))
        assert (verdict(keys, file, key.fingerprint) is None) == (sealed(keys, file, key.fingerprint) is not None)


@pytest.mark.parametrize("flags", [(CERTIFY_AND_SIGN, ENCRYPT), (None, None)])
@pytest.mark.parametrize("named", [False, True], ids=["signed by itself", "in our name"])
def test_a_subkey_that_somebody_else_has_added_is_never_sealed_to(
    keys: Path, flags: tuple[int | None, int | None], *, named: bool
) -> None:
    """The pinned fingerprint is that of the primary key; what is added to the file needs its signature."""
    ours = old_key("Ours", flags=flags)
    owner, added = Rsa(2048, CREATED), Rsa(2048, CREATED)
    if named:
        owner.fingerprint = ours.fingerprint
    binding = owner.sign(0x18, ours.primary.hashed + added.hashed, SHA256, flags[1], created=CREATED + 60)
    file = put(keys, ours.public + packet(SUBKEY, added.public) + binding)
    assert verdict(keys, file, ours.fingerprint) is None
    path = sealed(keys, file, ours.fingerprint)
    assert path
    shown = subprocess.run(["gpg", "--batch", "--list-packets", path], capture_output=True, check=False).stdout.decode()
    assert shown.count("pubkey enc packet") == 1
    assert added.fingerprint[-16:] not in shown


@pytest.mark.parametrize("life", [3600, 30 * 86400])
def test_a_key_without_flags_expires_as_any_other(keys: Path, life: int) -> None:
    key = old_key("Short-lived", flags=(CERTIFY_AND_SIGN, None), life=life)
    said = verdict(keys, put(keys, key.public), key.fingerprint)
    assert (said is None) == (life > 86400)
