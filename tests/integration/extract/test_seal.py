"""Files sealed by OpenPGP, opened by GnuPG."""

import hashlib
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dmail_runner.core.errors import ExtractError
from dmail_runner.declare.file_format import CsvFormat
from dmail_runner.extract.envelope import Seal
from dmail_runner.extract.keys import findings
from dmail_runner.extract.parts import PartWriter, part_path
from dmail_runner.extract.seal import Sealer
from extracts import envelope
from gpg import NOW, Gpg, key_ring, seal, to
from wait import until


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
        with key_ring() as ring:
            ring("--import", given=gpg("--export-secret-keys", recipient) + gpg("--export", ours))
            assert ring.open(tmp_path / "f.pgp") == b"signed\n"


def test_another_key_in_the_file_is_not_sealed_to(gpg: Gpg, acme: str, keys: Path, tmp_path: Path) -> None:
    other = gpg.make("Swapped <swapped@example.com>")
    (keys / "acme.asc").write_bytes(gpg.public(other))
    sealer = Sealer(tmp_path / "f.pgp", to(("acme.asc", acme)), keys)
    with pytest.raises(ExtractError, match=rf"acme\.asc has the fingerprint {other}, but {acme} is pinned"):
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
time.sleep(9999)
"""


def test_a_sender_that_is_killed_leaves_nothing_that_looks_whole(acme: str, keys: Path, tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", SENDER, str(keys), acme], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"half\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    until(lambda: [path.name for path in tmp_path.iterdir()] == ["keys"], "the sealed file stays")


def test_a_sealer_that_is_killed_is_an_error(acme: str, keys: Path, tmp_path: Path) -> None:
    sealer = Sealer(tmp_path / "f.pgp", to(("acme.asc", acme)), keys)
    sealer.write(b"row\n")
    sealer.process.kill()
    with pytest.raises(ExtractError, match="could not be encrypted"):
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
    with pytest.raises(ExtractError, match=r"00002\.part could not be encrypted"):
        writer.close()
    writer.abandon()
    assert told == [1]
    assert list(folder.iterdir()) == []
    assert all(sealer.process.poll() is not None for sealer in sealers), "none of them is still at work"
