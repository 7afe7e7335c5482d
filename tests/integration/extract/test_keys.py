"""Which keys files can be sealed to."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from dmail_runner.declare.encryption import Encryption
from dmail_runner.extract.keys import findings
from gpg import NOW, Gpg, seal, to


def problems(
    folder: Path, encryption: Encryption, *, now: datetime = NOW, until: datetime | None = None
) -> list[tuple[bool, str]]:
    found = findings(folder, encryption, ("profiles/routes.yml", "acme.encryption"), now, until or now)
    return [(finding.error, str(finding.problem)) for finding in found]


def test_every_key_that_is_not_good_is_told(gpg: Gpg, acme: str, keys: Path) -> None:
    past = NOW - timedelta(days=100)
    cases: dict[str, tuple[bytes, str, str]] = {}
    expired = gpg.make("Expired <e@example.com>", life="20d", at=past)
    cases["expired.asc"] = (gpg.public(expired), expired, "expired on ")
    signs = gpg.make("Signs <s@example.com>", kind=("ed25519", "sign"))
    cases["signs.asc"] = (gpg.public(signs), signs, "has no subkey to encrypt to")
    subkey = gpg.make("Subkey <k@example.com>", kind=("ed25519", "sign"), at=past)
    gpg("--quick-add-key", subkey, "cv25519", "encr", "10d", at=past)
    cases["subkey.asc"] = (gpg.public(subkey), subkey, "expired on ")
    revoked = gpg.make("Revoked <r@example.com>")
    certificate = (gpg.home / "openpgp-revocs.d" / f"{revoked}.rev").read_text().replace(":-----BEGIN", "-----BEGIN")
    gpg("--import", given=certificate.encode())
    cases["revoked.asc"] = (gpg.public(revoked), revoked, "is revoked")
    cases["secret.asc"] = (gpg("--armor", "--export-secret-keys", acme), acme, "contains a secret key")
    cases["other.asc"] = (gpg.public(signs), acme, f"has the fingerprint {signs}, but {acme} is pinned")
    cases["two.asc"] = (gpg.public(acme, signs), acme, "contains 2 keys")
    cases["garbage.asc"] = (b"no key at all", acme, "is not an OpenPGP public key")
    for name, (content, fingerprint, told) in cases.items():
        (keys / name).write_bytes(content)
        ((error, text),) = problems(keys, to((name, fingerprint)))
        assert error, name
        assert text.startswith(f"profiles/routes.yml: acme.encryption.keys[0]: profiles/keys/{name} "), text
        assert told in text, text
    assert problems(keys, to(("nowhere.asc", acme)))[0][1].endswith("profiles/keys/nowhere.asc does not exist")


def test_a_key_must_outlast_its_files_and_warns_before(gpg: Gpg, keys: Path) -> None:
    soon = gpg.make("Soon <soon@example.com>", life="20d")
    (keys / "soon.asc").write_bytes(gpg.public(soon))
    encryption = to(("soon.asc", soon))
    ((error, told),) = problems(keys, encryption)
    assert not error
    assert "ask for a new one" in told
    ((error, told),) = problems(keys, encryption, until=NOW + timedelta(days=21))
    assert error
    assert "before the provider's retention of the files ends" in told


def test_a_subkey_that_was_replaced_does_no_harm(gpg: Gpg, keys: Path, tmp_path: Path) -> None:
    past = NOW - timedelta(days=100)
    renewed = gpg.make("Renewed <n@example.com>", kind=("ed25519", "sign"), life="900d", at=past)
    gpg("--quick-add-key", renewed, "cv25519", "encr", "10d", at=past)
    gpg("--quick-add-key", renewed, "cv25519", "encr", "400d")
    (keys / "renewed.asc").write_bytes(gpg.public(renewed))
    assert problems(keys, to(("renewed.asc", renewed))) == []
    seal(tmp_path / "f.pgp", keys, to(("renewed.asc", renewed)), b"x")
    assert gpg.open(tmp_path / "f.pgp") == b"x"


@pytest.mark.parametrize("fingerprint", ["DEADBEEF", "", "Z" * 40, "0xD1A6 7CE3 9000 0000"])
def test_a_short_id_is_no_fingerprint(fingerprint: str) -> None:
    with pytest.raises(ValidationError, match="must be a complete OpenPGP fingerprint"):
        to(("a.asc", fingerprint))


@pytest.mark.parametrize("file", ["../acme.asc", "/etc/passwd", "a/b.asc", ".hidden", ""])
def test_a_key_lies_in_its_folder(file: str) -> None:
    with pytest.raises(ValidationError, match="must be the name of a file in profiles/keys"):
        to((file, "A" * 40))
