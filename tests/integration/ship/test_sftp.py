"""Delivery by SFTP through lost connections, silence and refusals."""

import hashlib
import os
import stat
import threading
import time
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from deliveries import CONTENT, NAME, Ledgerish, callbacks, send, sftp_route
from dmail_runner.core.errors import ConfigError, DeliveryError, Held
from dmail_runner.core.values import Part, Receipt, Spooled
from dmail_runner.core.yaml import parse
from dmail_runner.declare.route import FolderRoute, Route, SftpRoute
from dmail_runner.ship import AheadUploader, DeliveryCallbacks, Lost, destination, give_up, ship
from servers.silence import clock
from sshd import Sshd, serve
from wire import OTHER, wire


@dataclass
class Counter:
    """A desk that keeps what is said to it."""

    ledger: dict[int, Ledgerish] = field(default_factory=dict)
    receipts: dict[int, Receipt] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    order: list[str] = field(default_factory=list)

    def desk(self) -> DeliveryCallbacks:
        def delivered(part: Part, receipt: Receipt) -> None:
            self.receipts[part.number] = receipt
            self.order.append(part.name)

        return DeliveryCallbacks(
            lambda part: self.ledger.setdefault(part.number, Ledgerish()).intents(), delivered, wait=self.waits.append
        )


def made(folder: Path, number: int, content: bytes, *, side: bool = False) -> Spooled:
    path = folder / f"spooled-{number}"
    path.write_bytes(content)
    name = f"in/part-{number}.csv" + (".done" if side else "")
    return Spooled(Part(number, name, 1, len(content), hashlib.sha256(content).hexdigest(), "r", side), path)


def test_a_connection_that_breaks_again_and_again(tmp_path: Path, sshd: Sshd) -> None:
    parts = [made(tmp_path, number, os.urandom(400_000)) for number in range(3)]
    found = Counter()
    with wire(sshd.port, [10, 3_000, 60_000, 300_000, 500_000, 900_000]) as port:
        ship(parts, sftp_route(sshd, port=port, retries=6), found.desk())
    for each in parts:
        assert (sshd.root / each.part.name).read_bytes() == each.path.read_bytes()
    assert len(list((sshd.root / "in").iterdir())) == len(parts), "and no half of one"
    assert len(found.receipts) == len(parts)
    assert 3 <= len(found.waits) <= 6
    assert all(0 < pause <= 60 for pause in found.waits)


def test_after_its_retries_it_gives_up(spooled: Spooled, sshd: Sshd) -> None:
    found = Counter()
    with wire(sshd.port, [10] * 9) as port, pytest.raises(Lost, match="the SSH handshake"):
        ship([spooled], sftp_route(sshd, port=port, retries=2), found.desk())
    assert len(found.waits) == 2
    assert found.waits[1] > found.waits[0] / 2
    assert found.receipts == {}


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (0, "the SSH handshake"),
        (50, "the SSH handshake"),
        (2_300, "no answer in time"),
        (400_000, "no answer in time while writing"),
    ],
    ids=["no banner", "no key exchange", "after the handshake", "no answer to a write"],
)
def test_a_server_that_falls_silent(spooled: Spooled, sshd: Sshd, tmp_path: Path, limit: int, told: str) -> None:
    mark = tmp_path / "silent"
    with clock(mark), wire(sshd.port, [limit], silent=mark) as port, pytest.raises(Lost, match=told):
        ship([spooled], sftp_route(sshd, port=port, retries=0, timeout=2), Counter().desk())
    assert not (sshd.root / NAME).exists()


@pytest.mark.parametrize("change", [{"host_key": OTHER}, {"user": "nobody-at-all"}])
def test_what_will_not_pass_is_not_tried_again(spooled: Spooled, sshd: Sshd, change: dict[str, Any]) -> None:
    found = Counter()
    with pytest.raises(DeliveryError) as refused:
        ship([spooled], sftp_route(sshd, **change), found.desk())
    assert not isinstance(refused.value, Lost)
    assert found.waits == []


def test_an_answer_to_the_rename_that_is_lost(spooled: Spooled, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has renamed and we do not know: our bytes under the name are taken for delivered, and nothing is sent again."""
    from dmail_runner.ship.sftp import Sftp

    rename, calls = Sftp.publish, []

    def lose(self: Sftp, temporary: str, final: str, staged: str | None) -> None:
        rename(self, temporary, final, staged)
        calls.append(final)
        raise Lost("cut off")

    monkeypatch.setattr(Sftp, "publish", lose)
    found = Counter()
    ship([spooled], sftp_route(sshd), found.desk())
    assert calls == [NAME]
    assert found.receipts[1].proof == "found"
    assert len(found.waits) == 1


def test_a_file_that_the_provider_takes_at_once(tmp_path: Path, sshd: Sshd) -> None:
    parts, taken, stop = [made(tmp_path, number, os.urandom(200_000)) for number in range(4)], [], threading.Event()

    def take() -> None:
        while not stop.is_set():
            for path in sshd.root.glob("in/*.csv"):
                taken.append(path.read_bytes())
                path.unlink()

    watcher = threading.Thread(target=take)
    watcher.start()
    try:
        found = Counter()
        ship(parts, sftp_route(sshd), found.desk())
    finally:
        stop.set()
        watcher.join()
    take_rest = [path.read_bytes() for path in sshd.root.glob("in/*.csv")]
    assert sorted(taken + take_rest) == sorted(spooled.path.read_bytes() for spooled in parts)
    assert len(found.receipts) == 4


# Ways to finish.


def test_several_parts_go_at_once_and_what_tells_of_them_last(tmp_path: Path, sshd: Sshd) -> None:
    parts = [made(tmp_path, number, os.urandom(50_000 * number + 1)) for number in range(1, 7)]
    sides = [made(tmp_path, 7, b"", side=True)]
    found = Counter()
    ship([*parts, *sides], sftp_route(sshd, parallel=3), found.desk())
    for each in parts:
        assert (sshd.root / each.part.name).read_bytes() == each.path.read_bytes()
    assert found.order[-1] == "in/part-7.csv.done"
    assert sorted(found.receipts) == list(range(1, 8))


def test_of_parts_that_go_at_once_one_that_fails_fails_all(tmp_path: Path, sshd: Sshd) -> None:
    parts = [made(tmp_path, number, os.urandom(50_000)) for number in range(1, 7)]
    (sshd.root / "in").mkdir()
    (sshd.root / parts[2].part.name).write_bytes(b"somebody else's")
    found = Counter()
    with pytest.raises(Held, match="exists already, with other content"):
        ship([*parts, made(tmp_path, 7, b"", side=True)], sftp_route(sshd, parallel=2), found.desk())
    assert 7 not in found.receipts, "nothing says that the file is whole"
    assert not list(sshd.root.rglob("*.part"))


def test_parts_travel_while_the_rest_is_written(tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    from dmail_runner.ship.sftp import Sftp

    parts, said = [made(tmp_path, number, os.urandom(200_000)) for number in range(1, 6)], []
    route = sftp_route(sshd, parallel=2)
    early = AheadUploader(route, lambda _: Ledgerish().intents(), said.append)
    for each in parts[:4]:
        early.take(each)
    there = early.close()
    assert set(there) == {each.part.number for each in parts[:4]}
    assert not list(sshd.root.glob("in/*.csv")), "nothing has its name before the run is frozen"
    assert len(said) == 4
    written, write = [], Sftp.write

    def count(self: Sftp, name: str, *given: Any, **options: Any) -> None:
        written.append(name)
        write(self, name, *given, **options)

    monkeypatch.setattr(Sftp, "write", count)
    ship(parts, route, callbacks(intents=lambda part: there.get(part.number) or Ledgerish().intents()))
    assert [fnmatch(name, "in/part-5.*.csv.part") for name in written] == [True], "what is there is not sent twice"
    for each in parts:
        assert (sshd.root / each.part.name).read_bytes() == each.path.read_bytes()


@pytest.mark.parametrize("verify", ["auto", "size"])
@pytest.mark.parametrize("denied", ["", "-P fsetstat", "-P fstat"], ids=["", "its time cannot be set", "its time is not shown"])
def test_a_part_that_was_overwritten_after_it_was_sent_ahead_gets_no_name(tmp_path: Path, verify: str, denied: str) -> None:
    """Also within the same second, which the server's time of change does not show."""
    with serve(tmp_path / "sshd", sftp_options=denied) as sshd:
        overwritten_ahead(tmp_path, sshd, sftp_route(sshd, verify=verify))


def test_a_part_that_is_overwritten_as_soon_as_it_is_closed_gets_no_name(
    tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its size is compared after that, and is right."""
    from dmail_runner.ship.sftp import Sftp

    look = Sftp.look

    def overwrite(self: Sftp, name: str) -> Any:
        monkeypatch.setattr(Sftp, "look", look)
        (temporary,) = sshd.root.rglob("*.part")
        temporary.write_bytes(bytes(200_000))
        return look(self, name)

    part = made(tmp_path, 1, os.urandom(200_000))
    route = sftp_route(sshd, verify="size")
    early = AheadUploader(route, lambda _: Ledgerish().intents(), lambda _: None)
    monkeypatch.setattr(Sftp, "look", overwrite)
    early.take(part)
    there = early.close()
    ship([part], route, callbacks(intents=lambda part: there[part.number]))
    assert (sshd.root / part.part.name).read_bytes() == part.path.read_bytes()


def test_a_part_that_is_overwritten_just_before_its_rename_is_not_settled(
    tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By as many other bytes, after the last look at it."""
    from dmail_runner.ship.sftp import Sftp

    publish = Sftp.publish

    def overwrite(self: Sftp, temporary: str, final: str, staged: str | None) -> None:
        (sshd.root / temporary).write_bytes(bytes(200_000))
        publish(self, temporary, final, staged)

    part = made(tmp_path, 1, os.urandom(200_000))
    route = sftp_route(sshd, verify="size")
    early = AheadUploader(route, lambda _: Ledgerish().intents(), lambda _: None)
    early.take(part)
    there = early.close()
    monkeypatch.setattr(Sftp, "publish", overwrite)
    with pytest.raises(Held, match="changed just before its rename"):
        ship([part], route, callbacks(intents=lambda part: there[part.number]))


def overwritten_ahead(tmp_path: Path, sshd: Sshd, route: SftpRoute) -> None:
    part = made(tmp_path, 1, os.urandom(200_000))
    early = AheadUploader(route, lambda _: Ledgerish().intents(), lambda _: None)
    early.take(part)
    there = early.close()
    (sshd.root / there[1].attempt.temporary).write_bytes(bytes(200_000))
    ship([part], route, callbacks(intents=lambda part: there[part.number]))
    assert (sshd.root / part.part.name).read_bytes() == part.path.read_bytes()


def test_what_travelled_for_nothing_is_removed(tmp_path: Path, sshd: Sshd) -> None:
    parts = [made(tmp_path, number, os.urandom(2_000)) for number in range(1, 4)]
    route = sftp_route(sshd)
    early = AheadUploader(route, lambda _: Ledgerish().intents(), lambda _: None)
    for each in parts:
        early.take(each)
    while not list(sshd.root.rglob("*.part")):
        time.sleep(0.01)
    early.abandon()
    with destination(route) as place:
        assert all(give_up(parts[number - 1].part, place, intents, route) for number, intents in early.begun.items())
    assert [path for path in sshd.root.rglob("*") if path.is_file()] == []
    nobody = AheadUploader(sftp_route(sshd, host_key=OTHER), lambda _: Ledgerish().intents(), lambda _: None)
    nobody.take(parts[0])
    assert nobody.close() == {}, "a fault is for the delivery to tell"


@pytest.mark.parametrize(
    ("form", "seen"),
    [
        ("{name}.part", "in/box/letters.????????????.csv.part"),
        (".{name}", "in/box/.letters.????????????.csv"),
        ("{name}", "in/box/letters.????????????.csv"),
        ("tmp/{name}", "tmp/letters.????????????.csv"),
    ],
)
def test_temporary_names_have_the_form_that_the_route_gives(spooled: Spooled, sshd: Sshd, form: str, seen: str) -> None:
    found: set[str] = set()

    def look(_: int) -> None:
        found.update(str(path.relative_to(sshd.root)) for path in sshd.root.rglob("*") if path.is_file())

    ship([spooled], sftp_route(sshd, temporary=form), callbacks(watch=lambda _: look))
    assert [fnmatch(name, seen) for name in found] == [True]
    assert (sshd.root / NAME).read_bytes() == CONTENT
    assert [path for path in sshd.root.rglob("*") if path.is_file()] == [sshd.root / NAME]


def test_a_server_that_forbids_renames_is_told_by_a_marker(tmp_path: Path) -> None:
    parts = [made(tmp_path, 1, CONTENT), made(tmp_path, 2, b"", side=True)]
    with serve(tmp_path / "sshd", sftp_options="-P rename,posix-rename") as server:
        route = sftp_route(server, finish="direct_then_marker", retries=0)
        found = Counter()
        with wire(server.port, [700_000]) as port, pytest.raises(Lost):
            ship(parts, route.model_copy(update={"port": port}), found.desk())
        assert (server.root / parts[0].part.name).stat().st_size < len(CONTENT), "half of it stands there under its name"
        assert not (server.root / parts[1].part.name).exists(), "nothing says that it is whole"
        ship(parts, route, found.desk())
        assert (server.root / parts[0].part.name).read_bytes() == CONTENT
        assert (server.root / parts[1].part.name).exists()
        (server.root / parts[0].part.name).write_bytes(b"somebody else's")
        with pytest.raises(Held, match="exists already, with other content"):
            ship(parts, route, Counter().desk())


def test_half_a_file_that_the_server_does_not_remove_is_not_written_again(tmp_path: Path) -> None:
    part = made(tmp_path, 1, CONTENT)
    with serve(tmp_path / "sshd", sftp_options="-P remove") as server:
        route, found = sftp_route(server, finish="direct", retries=0), Counter()
        with wire(server.port, [700_000]) as port, pytest.raises(Lost):
            ship([part], route.model_copy(update={"port": port}), found.desk())
        with pytest.raises(DeliveryError, match="the file there is incomplete") as refused:
            ship([part], route, found.desk())
        assert "have the provider remove it" in str(refused.value)
        half = (server.root / part.part.name).read_bytes()
        assert len(half) < len(CONTENT)
        assert CONTENT.startswith(half)
        (server.root / part.part.name).unlink()
        with pytest.raises(Held, match="is not there any more") as held:
            ship([part], route, found.desk())
        assert held.value.hold == "unknown", "whoever has removed it may have taken it"


def test_an_account_that_may_write_and_nothing_else(spooled: Spooled, tmp_path: Path) -> None:
    denied = "read,readdir,opendir,stat,lstat,fstat,remove,mkdir,setstat,fsetstat"
    with serve(tmp_path / "sshd", sftp_options=f"-P {denied}") as server:
        (server.root / "in/box").mkdir(parents=True)
        ledger = Ledgerish()
        receipt = send(spooled, sftp_route(server, verify="trust", make_directory=False), ledger)
        assert receipt.proof == "answered"
        assert (server.root / NAME).read_bytes() == CONTENT
        (server.root / NAME).unlink()
        with pytest.raises(Held, match="is not shown"):
            send(spooled, sftp_route(server, verify="trust", make_directory=False), ledger)


def test_a_server_that_shows_nothing_is_told_before_the_upload(spooled: Spooled, tmp_path: Path) -> None:
    with (
        serve(tmp_path / "sshd", sftp_options="-P open,stat,lstat,fstat,opendir") as server,
        pytest.raises(DeliveryError) as told,
    ):
        send(spooled, sftp_route(server))
    assert "asking for its size failed" in str(told.value)
    assert "if this account may only write: `verify: trust` in the route" in str(told.value)


def test_a_server_that_only_lets_read_back(spooled: Spooled, tmp_path: Path) -> None:
    with serve(tmp_path / "sshd", sftp_options="-P stat,lstat,fstat,opendir") as server:
        (server.root / "in/box").mkdir(parents=True)
        send(spooled, sftp_route(server, make_directory=False))
        assert (server.root / NAME).read_bytes() == CONTENT
        (server.root / NAME).write_bytes(bytes(len(CONTENT)))
        with pytest.raises(Held, match="exists already, with other content"):
            send(spooled, sftp_route(server, make_directory=False))


def test_a_server_that_tells_no_sizes_but_lists(spooled: Spooled, tmp_path: Path) -> None:
    with serve(tmp_path / "sshd", sftp_options="-P stat,lstat,fstat") as server:
        send(spooled, sftp_route(server, verify="size"))
        assert (server.root / NAME).read_bytes() == CONTENT
        assert send(spooled, sftp_route(server, verify="size")).adopted


def test_a_folder_that_the_route_may_not_make(spooled: Spooled, sshd: Sshd) -> None:
    with pytest.raises(DeliveryError, match="writing failed"):
        send(spooled, sftp_route(sshd, make_directory=False))
    (sshd.root / "in/box").mkdir(parents=True)
    send(spooled, sftp_route(sshd, make_directory=False))


def test_a_folder_has_its_own_mode_and_owner(spooled: Spooled, tmp_path: Path) -> None:
    entry = {"type": "folder", "path": str(tmp_path / "root"), "mode": "0640"}
    owner = {"owner": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
    route = parse(Route, entry | owner, "r.yml", "landing")
    send(spooled, route)
    found = (tmp_path / "root" / NAME).stat()
    assert stat.S_IMODE(found.st_mode) == 0o640
    if owner:
        assert (tmp_path / "root" / NAME).owner() == "nobody"
        assert (tmp_path / "root" / NAME).group() == "nogroup"
    with pytest.raises(ConfigError, match="must be an octal mode in quotes"):
        parse(Route, entry | {"mode": 640}, "r.yml", "landing")
    unknown = FolderRoute(type="folder", path=tmp_path / "other", owner="nobody-at-all")
    with pytest.raises(DeliveryError, match="nobody-at-all"):
        send(spooled, unknown)
    assert not list((tmp_path / "other").rglob("*.csv"))
