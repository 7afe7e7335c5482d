"""Files are received from real servers, and opened by real PGP."""

import gzip
from pathlib import Path

import pytest
import yaml

from dmail_runner.declare.inbound import find_inbound
from dmail_runner.declare.route import find_route
from dmail_runner.inbound import listing
from dmail_runner.inbound.listing import listed
from dmail_runner.ship import destination
from gpg import Gpg
from mailbox_of import HEAD, RETURNS, Mailbox
from sshd import Sshd
from wire import wire

ONE = f"{HEAD}A1,moved,2027-03-01\nA2,,2027-03-02\n"


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path / "world")


def over_sftp(mailbox: Mailbox, sshd: Sshd, port: int = 0) -> None:
    """The route is the server's, and the provider puts its files there. `port`: of a way to the server."""
    route = {
        "type": "sftp", "host": "127.0.0.1", "port": port or sshd.port, "user": sshd.user, "private_key": str(sshd.key), "host_key": sshd.fingerprint,
    }  # fmt: skip
    (mailbox.settings.profiles_dir / "routes.yml").write_text(yaml.safe_dump({"answers": route}))
    mailbox.there = sshd.root


def test_files_of_an_sftp_server_are_received_once_and_moved(mailbox: Mailbox, sshd: Sshd) -> None:
    over_sftp(mailbox, sshd)
    mailbox.declare(back={**RETURNS, "afterwards": "move", "move_to": "back/done"})
    assert mailbox.receive() == [], "the folder is not there yet"
    for content in (ONE, f"{HEAD}A3,deceased,\n"):
        mailbox.put("back/one.csv", content)
        assert [file.state for file in mailbox.receive()] == ["taken"]
        assert mailbox.receive() == []
    assert sorted(row[0] for row in mailbox.rows()) == ["A1", "A2", "A3"]
    assert len(list((sshd.root / "back/done").iterdir())) == 2
    assert list((sshd.root / "back").glob("*.csv")) == []


def test_a_large_file_is_complete(mailbox: Mailbox, sshd: Sshd) -> None:
    over_sftp(mailbox, sshd)
    mailbox.put("back/one.csv", HEAD + "".join(f"P{number:07},moved,2027-03-01\n" for number in range(1_000_000)))
    (file,) = mailbox.receive()
    assert (file.state, file.rows, file.bad_rows) == ("taken", 1_000_000, 0)
    stored = mailbox.rows(columns="piece_id, row_number")
    assert (stored[0], stored[-1], len(set(stored))) == (("P0000000", 1), ("P0999999", 1_000_000), 1_000_000)


def test_a_download_that_is_cut_is_repeated(mailbox: Mailbox, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "pause", lambda _: 0)
    mailbox.declare(back={**RETURNS, "afterwards": "remove"})
    mailbox.there = sshd.root
    for name in ("one", "two"):
        mailbox.put(f"back/{name}.csv", HEAD + "".join(f"{name}{number:07},moved,2027-03-01\n" for number in range(50_000)))
    limits = [5, 600_000, 1_900_000]
    with wire(sshd.port, limits, downwards=True) as port:
        over_sftp(mailbox, sshd, port)
        found = mailbox.receive()
        assert limits == [], "each connection was cut"
        assert [(file.name, file.state, file.rows) for file in found] == [
            (f"back/{name}.csv", "taken", 50_000) for name in ("one", "two")
        ]
        assert mailbox.receive() == []
    assert len({row[0] for row in mailbox.rows()}) == len(mailbox.rows()) == 100_000
    assert not list(mailbox.settings.inbound_dir.glob(".work/*")), "no half copy is left"
    assert list((sshd.root / "back").iterdir()) == []


def test_what_is_sealed_to_us_is_opened(mailbox: Mailbox, tmp_path: Path, gpg: Gpg) -> None:
    ours, theirs = gpg.make("Ours <ours@example.com>"), gpg.make("Theirs <theirs@example.com>")
    secret = tmp_path / "ours.asc"
    secret.write_bytes(gpg("--armor", "--export-secret-keys", ours))
    secret.chmod(0o600)
    decrypt = {"file": str(secret), "fingerprint": ours}
    mailbox.declare(back={**RETURNS, "files": "back/*.gpg", "compress": "gzip", "decrypt": decrypt})
    packed = gzip.compress(ONE.encode())
    mailbox.put("back/good.gpg", gpg("--encrypt", "--sign", "-u", theirs, "-r", ours, given=packed))
    mailbox.put("back/plain.gpg", packed)
    mailbox.put("back/strange.gpg", gpg("--encrypt", "-r", theirs, given=packed))
    found = {file.name: file for file in mailbox.receive()}
    assert found["back/good.gpg"].rows == 2
    assert all("is not encrypted to the key" in (found[f"back/{name}.gpg"].error or "") for name in ("plain", "strange"))
    left = [path for path in mailbox.settings.inbound_dir.rglob("*") if path.is_file() and b"A1,moved" in path.read_bytes()]
    assert left == []
    secret.chmod(0o644)
    mailbox.put("back/late.gpg", gpg("--encrypt", "-r", ours, given=gzip.compress(b"another")))
    assert "can be read by others" in (mailbox.receive()[-1].error or "")


def test_a_list_has_only_the_files_of_its_folder(mailbox: Mailbox, sshd: Sshd) -> None:
    over_sftp(mailbox, sshd)
    for name in ("back/one.csv", "back/deeper/two.csv", "three.csv", "back/one.csv.part"):
        mailbox.put(name, ONE)
    with destination(find_route(mailbox.settings, "answers")) as place:
        assert [found.name for found in listed(place, find_inbound(mailbox.settings))] == ["back/one.csv"]
