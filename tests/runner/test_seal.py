"""Sealing: what gpg opens is what was written, and a key that is not good is never sealed to."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import DONE, FAILED, FILE, SLOT, WRONG, Project
from pydantic import ValidationError
from test_extract import envelope

from dmail_runner.core.errors import ExtractError
from dmail_runner.declare.encryption import Encryption
from dmail_runner.declare.file_format import CsvFormat
from dmail_runner.extract.envelope import Seal
from dmail_runner.extract.keys import findings
from dmail_runner.extract.parts import PartWriter, part_path
from dmail_runner.extract.seal import Sealer

NOW = datetime.now(UTC)


@dataclass
class Gpg:
    """A key ring of its own."""

    home: Path

    def __call__(self, *arguments: str, given: bytes = b"", at: datetime | None = None) -> bytes:
        clock = ["--faked-system-time", f"{at:%Y%m%dT%H%M%S}"] if at else []
        command = [
            "gpg",
            "--batch",
            "--yes",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
            "--trust-model",
            "always",
            *clock,
            *arguments,
        ]
        done = subprocess.run(
            command, env={**os.environ, "GNUPGHOME": str(self.home)}, input=given, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def make(
        self, name: str, *, life: str = "400d", kind: tuple[str, str] = ("default", "default"), at: datetime | None = None
    ) -> str:
        """A new key; its fingerprint."""
        self("--quick-generate-key", name, *kind, life, at=at)
        lines = self("--with-colons", "--fingerprint", f"={name}").decode().splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr"))

    def public(self, *names: str) -> bytes:
        return self("--armor", "--export", *names)

    def open(self, path: Path) -> bytes:
        return self("--decrypt", str(path))


@pytest.fixture(scope="module")
def gpg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gpg]:
    if shutil.which("gpg") is None:
        pytest.skip("GnuPG is not installed")
    home = Path("/tmp") / f"gpg-{os.getpid()}"  # its agent's socket needs a short path
    home.mkdir(mode=0o700)
    try:
        yield Gpg(home)
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], env={**os.environ, "GNUPGHOME": str(home)}, check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def acme(gpg: Gpg) -> str:
    return gpg.make("Acme <acme@example.com>")


@pytest.fixture
def keys(tmp_path: Path, gpg: Gpg, acme: str) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "acme.asc").write_bytes(gpg.public(acme))
    return folder


def to(*keys: tuple[str, str], **more: Any) -> Encryption:
    return Encryption.model_validate({"keys": [{"file": file, "fingerprint": fpr} for file, fpr in keys], **more})


def seal(path: Path, keys: Path, encryption: Encryption, content: bytes) -> None:
    sealer = Sealer(path, encryption, keys)
    for start in range(0, len(content), 70_000):
        sealer.write(content[start : start + 70_000])
    sealer.end()
    stored = sealer.finish()
    assert stored.bytes == path.stat().st_size
    assert stored.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def flood(sealer: Sealer) -> None:
    for _ in range(100):
        sealer.write(os.urandom(400_000))
    sealer.end()
    sealer.finish()


@pytest.mark.parametrize("content", [b"", b"one row\n", os.urandom(3_000_000)], ids=["nothing", "a row", "3 MB"])
@pytest.mark.parametrize("armor", [False, True])
def test_gpg_opens_what_was_sealed(gpg: Gpg, acme: str, keys: Path, content: bytes, armor: bool) -> None:
    tmp_path = keys.parent
    seal(tmp_path / "f.pgp", keys, to(("acme.asc", acme), armor=armor), content)
    assert gpg.open(tmp_path / "f.pgp") == content
    assert (tmp_path / "f.pgp").read_bytes().startswith(b"-----BEGIN PGP MESSAGE") == armor
    assert (tmp_path / "f.pgp").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.pgp", "keys"]


def test_each_of_several_can_open_it_and_sees_who_signed(gpg: Gpg, acme: str, keys: Path, tmp_path: Path) -> None:
    other = gpg.make("Other <other@example.com>")
    ours = gpg.make("Ours <ours@example.com>")
    (keys / "other.asc").write_bytes(gpg.public(other))
    secret = tmp_path / "ours.asc"
    secret.write_bytes(gpg("--armor", "--export-secret-keys", ours))
    secret.chmod(0o600)
    encryption = to(("acme.asc", acme), ("other.asc", other), sign={"file": secret, "fingerprint": ours})
    assert list(findings(keys, encryption, ("r.yml", "r"), NOW, NOW)) == []
    seal(tmp_path / "f.pgp", keys, encryption, b"signed\n")
    told = subprocess.run(
        ["gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--trust-model", "always", "--status-fd", "2", "--decrypt", str(tmp_path / "f.pgp")],
        env={**os.environ, "GNUPGHOME": str(gpg.home)}, capture_output=True, check=True,
    )  # fmt: skip
    assert told.stdout == b"signed\n"
    assert b"GOODSIG" in told.stderr
    assert ours.encode() in told.stderr
    for recipient in (acme, other):
        home = tmp_path / recipient[-8:]
        home.mkdir(mode=0o700)
        ring = Gpg(home)
        ring("--import", given=gpg("--export-secret-keys", recipient) + gpg("--export", ours))
        assert ring.open(tmp_path / "f.pgp") == b"signed\n"
        subprocess.run(["gpgconf", "--kill", "all"], env={**os.environ, "GNUPGHOME": str(home)}, check=False)


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
    cases["secret.asc"] = (gpg("--armor", "--export-secret-keys", acme), acme, "holds a secret key")
    cases["other.asc"] = (gpg.public(signs), acme, f"has the fingerprint {signs}, but {acme} is pinned")
    cases["two.asc"] = (gpg.public(acme, signs), acme, "holds 2 keys")
    cases["garbage.asc"] = (b"no key at all", acme, "is no OpenPGP public key")
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
    assert "before the provider is done with the files" in told


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
    with pytest.raises(ValidationError, match="must be a whole OpenPGP fingerprint"):
        to(("a.asc", fingerprint))


@pytest.mark.parametrize("file", ["../acme.asc", "/etc/passwd", "a/b.asc", ".hidden", ""])
def test_a_key_lies_in_its_folder(file: str) -> None:
    with pytest.raises(ValidationError, match="must be the name of a file in profiles/keys"):
        to((file, "A" * 40))


def test_another_key_in_the_file_is_not_sealed_to(gpg: Gpg, acme: str, keys: Path, tmp_path: Path) -> None:
    other = gpg.make("Swapped <swapped@example.com>")
    (keys / "acme.asc").write_bytes(gpg.public(other))
    sealer = Sealer(tmp_path / "f.pgp", to(("acme.asc", acme)), keys)
    with pytest.raises(ExtractError, match=r"acme\.asc is not the key that is pinned"):
        flood(sealer)
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


SENDER = """
import sys, time
from pathlib import Path
from dmail_runner.declare.encryption import Encryption
from dmail_runner.extract.seal import Sealer
keys = Path(sys.argv[1])
encryption = Encryption.model_validate({"keys": [{"file": "acme.asc", "fingerprint": sys.argv[2]}]})
sealer = Sealer(keys.parent / "f.pgp", encryption, keys)
for _ in range(20):
    sealer.write(b"canary row\\n" * 100_000)
print("half", flush=True)
time.sleep(60)
"""


def test_a_sender_that_is_killed_leaves_nothing_that_looks_whole(acme: str, keys: Path, tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", SENDER, str(keys), acme], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"half\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    for _ in range(100):
        if [path.name for path in tmp_path.iterdir()] == ["keys"]:
            return
        time.sleep(0.1)
    pytest.fail(f"left: {list(tmp_path.iterdir())}")


def test_a_sealer_that_is_killed_is_an_error(acme: str, keys: Path, tmp_path: Path) -> None:
    sealer = Sealer(tmp_path / "f.pgp", to(("acme.asc", acme)), keys)
    sealer.write(b"row\n")
    sealer.process.kill()
    with pytest.raises(ExtractError, match="could not be sealed"):
        flood(sealer)
    sealer.abandon()
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_a_full_disk_is_an_error(acme: str, keys: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], check=False).returncode:
        pytest.skip("mounting needs root")
    try:
        sealer = Sealer(small / "f.pgp", to(("acme.asc", acme)), keys)
        with pytest.raises(ExtractError, match="No space left"):
            flood(sealer)
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)


def parts_of(keys: Path, acme: str, total: int, folder: Path, told: list[int]) -> PartWriter:
    """What writes sealed parts of ten rows."""
    sealed = replace(envelope(CsvFormat(header=False), split={"rows": 10}), seal=Seal(to(("acme.asc", acme)), keys))
    return PartWriter(sealed, total, folder, lambda number, _: told.append(number))


def test_parts_are_sealed_beside_each_other(gpg: Gpg, acme: str, keys: Path, tmp_path: Path) -> None:
    rows = [f"{number},row\n".encode() for number in range(75)]
    told: list[int] = []
    folder = tmp_path / "parts"
    folder.mkdir()
    writer = parts_of(keys, acme, len(rows), folder, told)
    first = writer.file.sink
    assert isinstance(first, Sealer)
    first.process.send_signal(signal.SIGSTOP)
    for row in rows[:35]:
        writer.take(row)
    assert len(writer.ended) == 3, "the second and the third are sealed while the first is not"
    assert told == []
    first.process.send_signal(signal.SIGCONT)
    for row in rows[35:]:
        writer.take(row)
    contents = writer.close()
    assert told == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [content.rows for content in contents] == [10] * 7 + [5]
    for number, content in enumerate(contents, start=1):
        path = part_path(folder, number)
        plain = gpg.open(path)
        assert plain == b"".join(rows[10 * (number - 1) : 10 * number])
        assert content.plain is not None
        assert content.plain.sha256 == hashlib.sha256(plain).hexdigest()
        assert content.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_plain_part_is_told_of_as_soon_as_it_is_whole(tmp_path: Path) -> None:
    told: list[int] = []
    writer = PartWriter(
        envelope(CsvFormat(header=False), split={"rows": 10}), 25, tmp_path, lambda number, _: told.append(number)
    )
    writer.take(b"row\n" * 11)
    assert told == [1]
    writer.take(b"row\n" * 14)
    assert told == [1, 2]
    writer.close()
    assert told == [1, 2, 3]


def test_a_part_that_fails_after_its_end_leaves_none_of_them(acme: str, keys: Path, tmp_path: Path) -> None:
    told: list[int] = []
    folder = tmp_path / "parts"
    folder.mkdir()
    writer = parts_of(keys, acme, 1000, folder, told)
    sealers = []
    for number in range(25):
        writer.take(b"%d,row\n" % number)
        if number % 10 == 0:
            assert isinstance(writer.file.sink, Sealer)
            sealers.append(writer.file.sink)
            sealers[-1].process.send_signal(signal.SIGSTOP)
    assert len(writer.ended) == 2
    sealers[0].process.send_signal(signal.SIGCONT)
    sealers[1].process.kill()
    with pytest.raises(ExtractError, match=r"00002\.part could not be sealed"):
        writer.close()
    writer.abandon()
    assert told == [1]
    assert list(folder.iterdir()) == []
    assert all(sealer.process.poll() is not None for sealer in sealers), "none of them is still at work"


def add_key(project: Project, gpg: Gpg, acme: str, **more: Any) -> None:
    (project.path / "profiles/keys").mkdir()
    (project.path / "profiles/keys/acme.asc").write_bytes(gpg.public(acme))
    project.add_route(type="folder", path="outbox", encryption={"keys": [{"file": "acme.asc", "fingerprint": acme}], **more})


def test_a_sealed_run_leaves_no_plain_row(project: Project, gpg: Gpg, acme: str, tmp_path: Path) -> None:
    """The state lies on a small disk of its own, whose every block is looked at; the warehouse, which holds the tables, elsewhere."""
    add_key(project, gpg, acme)
    disk, image = tmp_path / "disk", tmp_path / "image"
    disk.mkdir()
    image.write_bytes(b"")
    os.truncate(image, 64 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    if os.geteuid() != 0 or subprocess.run(["mount", "-o", "loop", image, disk], check=False).returncode:
        pytest.skip("mounting needs root")
    try:
        places = {"DMAIL_STATE_DIR": str(disk / "state"), "DMAIL_WAREHOUSE": str(tmp_path / "w.duckdb"), "TMPDIR": str(disk)}
        project.environment = places
        done = project.run()
        assert done.returncode == DONE, done.stderr
        (part,) = project.status()[0]["parts"]
    finally:
        subprocess.run(["umount", disk], check=True)
    assert part["name"] == f"{FILE}.pgp"
    plain = gpg.open(project.path / "outbox" / part["name"])
    assert hashlib.sha256(plain).hexdigest() == part["plain_sha256"]
    rows = plain.split(b"\r\n")
    assert len(rows) > 1000
    blocks = image.read_bytes()
    assert SLOT[:10].encode() in blocks, "the ledger is there to be found"
    assert not any(row in blocks for row in rows[1:-1:50])
    names = sorted({row.split(b",")[1] for row in rows[1:-1]}, key=len)[-25:]
    assert not any(name in blocks for name in names)


def test_what_was_frozen_before_there_was_a_key_is_not_sent_plain(project: Project, gpg: Gpg, acme: str) -> None:
    project.add_route(type="folder", path="/proc/nowhere")
    assert project.run().returncode == FAILED
    (project.path / "profiles/keys").mkdir()
    (project.path / "profiles/keys/acme.asc").write_bytes(gpg.public(acme))
    keys = f"[{{file: acme.asc, fingerprint: {acme}}}]"
    project.edit("profiles/routes.yml", "path: /proc/nowhere", f"path: outbox\n  encryption: {{keys: {keys}}}")
    done = project.run()
    assert done.returncode == DONE, done.stderr
    assert project.delivered == [f"{FILE}.pgp"]
    (part,) = project.status()[0]["parts"]
    assert hashlib.sha256(gpg.open(project.path / "outbox" / part["name"])).hexdigest() == part["plain_sha256"]
    assert project.private_leftovers() == []


def test_what_must_be_sealed_is_not_sent_plain(project: Project, gpg: Gpg, acme: str) -> None:
    project.edit(
        "profiles/providers.yml",
        "label: Acme Print",
        "label: Acme Print\n  require_encryption: true\n  side_files: [sha256, manifest]",
    )
    refused = project.run()
    assert refused.returncode == WRONG
    assert "outbox.encryption: is required: acme_print has `require_encryption`" in refused.stderr
    add_key(project, gpg, acme, suffix=".gpg", armor=True)
    done = project.run()
    assert done.returncode == DONE, done.stderr
    assert project.delivered == [f"{FILE}.gpg", f"{FILE}.gpg.sha256", f"{FILE}.json"]
    (entry,) = json.loads((project.path / "outbox" / f"{FILE}.json").read_text())["files"]
    sealed = (project.path / "outbox" / f"{FILE}.gpg").read_bytes()
    assert entry["sha256"] == hashlib.sha256(sealed).hexdigest()
    assert entry["plain_sha256"] == hashlib.sha256(gpg.open(project.path / "outbox" / f"{FILE}.gpg")).hexdigest()
    (project.path / "profiles/keys/acme.asc").write_bytes(gpg("--armor", "--export-secret-keys", acme))
    wrong = project.run("2026-11-09T11:00Z")
    assert wrong.returncode == WRONG
    assert "holds a secret key" in wrong.stderr
    assert len(project.status()) == 1, "nothing was begun"
