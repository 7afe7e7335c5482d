"""What a route can say: logins, algorithms, ways to finish; what is tried again, and what is not."""

import base64
import hashlib
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import DONE, FAILED, FILE, HELD, SLOT, WRONG, Project
from sshd import Sshd, make_key, serve
from test_ship import CONTENT, NAME, Ledgerish, send, sftp_route, spooled

from dmail_runner.core.errors import ConfigError, DeliveryError, Held
from dmail_runner.core.values import Part, Receipt, Spooled
from dmail_runner.core.yaml import parse
from dmail_runner.declare.route import FolderRoute, Route
from dmail_runner.ship import Desk, Early, Lost, ship

__all__ = ["spooled"]

OTHER = "SHA256:" + "A" * 43


@dataclass
class Counter:
    """A desk that keeps what is said to it."""

    ledger: dict[int, Ledgerish] = field(default_factory=dict)
    receipts: dict[int, Receipt] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    order: list[str] = field(default_factory=list)

    def desk(self) -> Desk:
        def delivered(part: Part, receipt: Receipt) -> None:
            self.receipts[part.number] = receipt
            self.order.append(part.name)

        return Desk(lambda part: self.ledger.setdefault(part.number, Ledgerish()).intent(), delivered, wait=self.waits.append)


def made(folder: Path, number: int, content: bytes, *, side: bool = False) -> Spooled:
    path = folder / f"spooled-{number}"
    path.write_bytes(content)
    name = f"in/part-{number}.csv" + (".done" if side else "")
    return Spooled(Part(number, name, 1, len(content), hashlib.sha256(content).hexdigest(), "r", side), path)


# Who we are, and who they are.


def test_while_a_host_key_changes_both_are_known(spooled: Spooled, sshd: Sshd) -> None:
    send(spooled, sftp_route(sshd, host_key=[OTHER, sshd.fingerprint]))
    assert (sshd.root / NAME).read_bytes() == CONTENT
    with pytest.raises(
        DeliveryError, match=f"its ssh-ed25519 host key is {sshd.fingerprint.replace('+', '.')}, but {OTHER} is pinned"
    ):
        send(spooled, sftp_route(sshd, host_key=[OTHER]))
    with pytest.raises(ConfigError, match="at most 2 items"):
        parse(Route, {"type": "sftp", "host": "h", "user": "u", "password": "p", "host_key": [OTHER] * 3}, "r.yml", "acme")


def test_an_old_server_needs_an_exception(spooled: Spooled, tmp_path: Path) -> None:
    with serve(tmp_path / "sshd", settings="Ciphers aes128-cbc\nMACs hmac-sha1") as server:
        with pytest.raises(DeliveryError, match="the SSH handshake failed"):
            send(spooled, sftp_route(server))
        send(spooled, sftp_route(server, allow_old=["aes128-cbc", "hmac-sha1"]))
        assert (server.root / NAME).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("kind", "options"),
    [("ed25519", []), ("rsa", ["-b", "3072", "-m", "PEM"]), ("rsa", ["-b", "3072"]), ("ecdsa", []), ("ecdsa", ["-m", "PKCS8"])],
)
@pytest.mark.parametrize("passphrase", ["", "pass canary"])
def test_any_kind_of_private_key(spooled: Spooled, sshd: Sshd, kind: str, options: list[str], passphrase: str) -> None:
    tmp_path = spooled.path.parent
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *options, "-N", passphrase, "-f", key], check=True)
    with (sshd.key.parent / "authorized_keys").open("a") as file:
        file.write(key.with_suffix(".pub").read_text())
    given: dict[str, Any] = {"passphrase": passphrase} if passphrase else {}
    send(spooled, sftp_route(sshd, private_key=key, **given))
    text = base64.b64encode(key.read_bytes()).decode()
    assert send(spooled, sftp_route(sshd, private_key=None, private_key_base64=text, **given)).adopted
    if passphrase:
        with pytest.raises(DeliveryError, match="is its passphrase right") as refused:
            send(spooled, sftp_route(sshd, private_key=key, passphrase="wrong canary"))
        assert "canary" not in str(refused.value)


def test_a_private_key_that_others_can_read_is_not_used(spooled: Spooled, sshd: Sshd) -> None:
    sshd.key.chmod(0o644)
    with pytest.raises(DeliveryError, match="can be read by others"):
        send(spooled, sftp_route(sshd))


def test_the_agent_is_asked_only_where_the_route_says_so(
    spooled: Spooled, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_key(tmp_path / "stranger")
    place = Path("/tmp") / f"agent-{os.getpid()}"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.DEVNULL)
    try:
        while not place.exists():
            time.sleep(0.05)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        with pytest.raises(DeliveryError, match="the SSH agent has no key"):
            send(spooled, sftp_route(sshd, private_key=None, agent=True))
        for key in (tmp_path / "stranger", sshd.key):
            subprocess.run(["ssh-add", "-q", key], check=True)
        send(spooled, sftp_route(sshd, private_key=None, agent=True))
        with pytest.raises(DeliveryError, match="authentication as"):
            send(spooled, sftp_route(sshd, private_key=tmp_path / "stranger"))
    finally:
        agent.terminate()
        agent.wait()


def test_a_server_behind_another(spooled: Spooled, sshd: Sshd, tmp_path: Path) -> None:
    with serve(tmp_path / "gate") as gate:
        jump = {"host": "127.0.0.1", "port": gate.port, "user": gate.user, "private_key": gate.key, "host_key": gate.fingerprint}
        send(spooled, sftp_route(sshd, jump=jump))
        assert (sshd.root / NAME).read_bytes() == CONTENT
        assert "direct-tcpip" in gate.log.read_text() or "Connection from" in gate.log.read_text()
        with pytest.raises(DeliveryError, match=f"127.0.0.1:{gate.port}: its ssh-ed25519 host key"):
            send(spooled, sftp_route(sshd, jump=jump | {"host_key": OTHER}))


def test_secrets_come_from_files_that_nobody_else_reads(project: Project) -> None:
    project.add_route(type="sftp", host="127.0.0.1", user="u", host_key=OTHER, password="{{ file('secrets/acme') }}", retries=0)
    (project.path / "secrets").mkdir()
    (project.path / "secrets/acme").write_text("s3cret-canary\n")
    (project.path / "secrets/acme").chmod(0o644)
    refused = project.call("check", "spring_catalog")
    assert refused.returncode == WRONG
    assert "test.password: " in refused.stderr
    assert "can be read by others (mode 0644): chmod 600 it" in refused.stderr
    (project.path / "secrets/acme").chmod(0o600)
    assert project.call("check", "spring_catalog").returncode == DONE
    (project.path / "secrets/acme").unlink()
    assert "cannot be read: No such file" in project.call("check", "spring_catalog").stderr


# What passes is tried again.


@contextmanager
def wire(port: int, limits: list[int], *, silent: bool = False) -> Iterator[int]:
    """A way to the server that is cut, or goes silent, after so many bytes from us: one limit for each connection, then none."""
    listener, open_ones = socket.create_server(("127.0.0.1", 0)), []

    def pump(source: socket.socket, target: socket.socket, limit: float) -> None:
        seen = 0
        with suppress(OSError):
            while chunk := source.recv(65536):
                seen += len(chunk)
                if seen > limit:
                    if silent:
                        time.sleep(60)
                    break
                target.sendall(chunk)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                open_ones.extend([client, server])
                limit = limits.pop(0) if limits else float("inf")
                threading.Thread(target=pump, args=(client, server, limit), daemon=True).start()
                threading.Thread(target=pump, args=(server, client, float("inf")), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        for end in open_ones:
            end.close()


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
def test_a_server_that_falls_silent(spooled: Spooled, sshd: Sshd, limit: int, told: str) -> None:
    start = time.monotonic()
    with wire(sshd.port, [limit], silent=True) as port, pytest.raises(Lost, match=told):
        ship([spooled], sftp_route(sshd, port=port, retries=0, timeout=1), Counter().desk())
    assert time.monotonic() - start < 10
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

    def lose(self: Sftp, temporary: str, final: str) -> None:
        rename(self, temporary, final)
        calls.append(final)
        raise Lost("cut off")

    monkeypatch.setattr(Sftp, "publish", lose)
    found = Counter()
    ship([spooled], sftp_route(sshd), found.desk())
    assert calls == [NAME]
    assert found.receipts[1].adopted
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
    early = Early(route, said.append)
    for each in parts[:4]:
        early.take(each)
    there = early.close()
    assert there == {each.part.name for each in parts[:4]}
    assert not list(sshd.root.glob("in/*.csv")), "nothing has its name before the run is frozen"
    assert len(said) == 4
    written, write = [], Sftp.write

    def count(self: Sftp, name: str, content: Any) -> None:
        written.append(name)
        write(self, name, content)

    monkeypatch.setattr(Sftp, "write", count)
    desk = Desk(lambda part: replace(Ledgerish().intent(), ahead=part.name in there), lambda *_: None)
    ship(parts, route, desk)
    assert written == [f"{parts[4].part.name}.part"], "what is there is not sent twice"
    for each in parts:
        assert (sshd.root / each.part.name).read_bytes() == each.path.read_bytes()


def test_what_travelled_for_nothing_is_removed(tmp_path: Path, sshd: Sshd) -> None:
    parts = [made(tmp_path, number, os.urandom(2_000)) for number in range(1, 4)]
    early = Early(sftp_route(sshd), lambda _: None)
    for each in parts:
        early.take(each)
    while not list(sshd.root.rglob("*.part")):
        time.sleep(0.01)
    early.abandon()
    assert [path for path in sshd.root.rglob("*") if path.is_file()] == []
    nobody = Early(sftp_route(sshd, host_key=OTHER), lambda _: None)
    nobody.take(parts[0])
    assert nobody.close() == frozenset(), "a fault is for the delivery to tell"


def test_temporary_names_may_be_hidden(spooled: Spooled, sshd: Sshd, tmp_path: Path) -> None:
    seen: set[str] = set()
    (sshd.root / "in/box").mkdir(parents=True)

    def look(number: int) -> None:
        seen.update(path.name for path in (sshd.root / "in/box").iterdir())

    desk = Desk(lambda _: Ledgerish().intent(), lambda *_: None, watch=lambda _: look)
    ship([spooled], sftp_route(sshd, hidden=True), desk)
    assert seen == {".letters.csv.part"}
    assert (sshd.root / NAME).read_bytes() == CONTENT


def test_a_server_that_forbids_renames_is_told_by_a_marker(tmp_path: Path) -> None:
    parts = [made(tmp_path, 1, CONTENT), made(tmp_path, 2, b"", side=True)]
    with serve(tmp_path / "sshd", sftp_options="-P rename,remove") as server:
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


def test_a_marker_needs_a_side_file(project: Project) -> None:
    project.add_route(type="folder", path="outbox", finish="direct_then_marker")
    refused = project.call("check", "spring_catalog")
    assert "profiles/providers.yml: acme_print.side_files: needs `done`" in refused.stderr
    project.edit("profiles/providers.yml", "label: Acme Print", "label: Acme Print\n  side_files: [done]")
    assert project.run().returncode == DONE
    assert project.delivered == [FILE, f"{FILE}.done"]


def test_a_server_that_tells_no_sizes_but_lists(spooled: Spooled, tmp_path: Path) -> None:
    with serve(tmp_path / "sshd", sftp_options="-P stat,lstat,fstat") as server:
        send(spooled, sftp_route(server, verify="size"))
        assert (server.root / NAME).read_bytes() == CONTENT
        assert send(spooled, sftp_route(server, verify="size")).adopted


def test_a_folder_that_the_route_may_not_make(spooled: Spooled, sshd: Sshd) -> None:
    with pytest.raises(DeliveryError, match="making the folder failed"):
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


# Trying a route.


def sftp_entry(server: Sshd, **more: Any) -> dict[str, Any]:
    entry = {"type": "sftp", "host": "127.0.0.1", "port": server.port, "user": server.user, "private_key": str(server.key)}
    return entry | {"host_key": server.fingerprint, "directory": str(server.root), "timeout": 5, "retries": 0} | more


def test_a_route_is_tried_and_what_it_can_do_is_told(project: Project, sshd: Sshd) -> None:
    project.add_route(**sftp_entry(sshd))
    assert "nothing was ever delivered by it" in project.call("check").stdout
    tried = project.call("route", "test", "test")
    assert tried.returncode == DONE, tried.stderr
    for what in ("session", "write", "size", "read back", "rename", "no overwriting", "remove"):
        assert f"{what:<16}ok" in tried.stdout
    assert sshd.fingerprint in tried.stdout
    assert "MB/s" in tried.stdout
    assert list(sshd.root.iterdir()) == []
    assert "nothing was ever delivered by it" not in project.call("check").stdout
    shown = project.call("route", "fingerprint", "test")
    assert shown.stdout.splitlines() == [f"{sshd.fingerprint}  ssh-ed25519"]


def test_a_route_that_cannot_rename_says_what_to_do(project: Project, tmp_path: Path) -> None:
    with serve(tmp_path / "sshd", sftp_options="-P rename") as server:
        project.add_route(**sftp_entry(server))
        tried = project.call("route", "test", "test")
        assert tried.returncode == FAILED
        assert f"{'rename':<16}NO" in tried.stdout
        assert "`finish: direct_then_marker` does without" in tried.stdout
        assert list(server.root.iterdir()) == []
    nobody = project.call("route", "fingerprint", "outbox")
    assert nobody.returncode == WRONG
    assert "it has no `host`" in nobody.stderr


def test_a_terminal_sees_how_far_it_is(project: Project) -> None:
    """On a terminal there is a bar, which is gone in the end; elsewhere a line for each part."""
    leader, follower = os.openpty()
    command = [sys.executable, "-c", "from dmail_runner.cli import main; main()", "run", "spring_catalog", "--slot", SLOT]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "150"}
    process = subprocess.Popen(command, cwd=project.path, stderr=follower, stdout=subprocess.DEVNULL, env=environment)
    os.close(follower)
    shown = b""
    with suppress(OSError):
        while chunk := os.read(leader, 65536):
            shown += chunk
    os.close(leader)
    assert process.wait() == DONE
    assert "━".encode() in shown
    assert b"MB/s" in shown
    assert b"Traceback" not in shown


def test_nothing_is_delivered_by_a_draft(project: Project) -> None:
    project.add_route(type="folder", path="outbox", status="draft")
    refused = project.run()
    assert refused.returncode == WRONG
    assert "profiles/routes.yml: test.status: is draft: nothing is delivered by it; allowed: active" in refused.stderr
    assert "test.status: is draft" in project.call("check").stdout
    proof = project.call("proof", "spring_catalog", "--slot", SLOT)
    assert proof.returncode == WRONG
    assert "test.status: is draft: nothing is delivered by it" in proof.stderr
    assert project.call("run", "spring_catalog", "--slot", SLOT, "--dry-run").returncode == DONE


def test_a_run_goes_on_where_its_parts_were_cut_off(project: Project, sshd: Sshd) -> None:
    project.edit("profiles/providers.yml", "label: Acme Print", "label: Acme Print\n  split: {rows: 300}\n  side_files: [done]")
    with wire(sshd.port, [10, 90_000, 10, 10]) as port:
        project.add_route(**sftp_entry(sshd, port=port, ahead=True))
        lost = project.run()
        assert lost.returncode == FAILED, lost.stdout
        halfway = sorted(path.name for path in sshd.root.rglob("*.csv"))
        assert 0 < len(halfway) < 5
        assert not list(sshd.root.rglob("*.done"))
    project.edit("profiles/routes.yml", f"port: {port}", f"port: {sshd.port}")
    before = {path.name: path.stat().st_mtime_ns for path in sshd.root.rglob("*.csv")}
    assert project.run().returncode == DONE
    (run,) = project.status()
    for part in run["parts"]:
        assert hashlib.sha256((sshd.root / part["name"]).read_bytes()).hexdigest() == part["sha256"]
    assert before == {path.name: path.stat().st_mtime_ns for path in sshd.root.rglob("*.csv") if path.name in before}, (
        "what was there is not sent again"
    )
    assert len(list(sshd.root.rglob("*.done"))) == 1
    assert HELD != DONE
