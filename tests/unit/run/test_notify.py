"""Notices: sent once, with the command to type next, and never in the way of a mailing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dmail_runner.core.errors import ConfigError, DmailError, UsageError
from dmail_runner.declare.notices import find_notices
from dmail_runner.run.decisions import announced, copy_name, release, resend, resume
from dmail_runner.run.due import Scheduler
from dmail_runner.run.notify import Notifier
from dmail_runner.run.service import Service
from tiny import World
from worlds import DAY, HOUR, SAID, listening, states


def attend(world: World, notices: str, said: list[str]) -> list[Exception]:
    (world.folder / "profiles/notices.yml").write_text(notices)
    ledger = world.ledger()
    return list(Scheduler(ledger, Notifier(find_notices(world.settings), ledger, said.append)).run_due(world.job(), world.now))


def test_people_are_told_once_what_to_type(world: World) -> None:
    with listening() as (port, told), listening() as (other, by_apprise):
        notices = f"""
        channels:
          - {{webhook: "http://127.0.0.1:{port}/x", allow_http: true, kinds: [delivered, missed, failed, held]}}
          - {{url: "json://127.0.0.1:{other}/", allow_http: true}}
          - {{webhook: "http://127.0.0.1:{port}/x", allow_http: true, kinds: [delivered, missed, failed], campaigns: [another]}}
        """
        world.pass_time(3 * DAY)
        said: list[str] = []
        for _ in range(3):
            assert attend(world, notices, said) == []
        assert [(notice["kind"], notice["slot"]) for notice in told] == [
            ("missed", "2027-03-02T06:00:00Z"),
            ("missed", "2027-03-03T06:00:00Z"),
            ("delivered", "2027-03-04T06:00:00Z"),
        ]
        assert told[0]["todo"] == "dmail-runner run letter --slot 2027-03-02T06:00:00Z runs it now"
        assert "20 pieces are delivered" in told[2]["what"]
        assert [notice["title"] for notice in by_apprise] == ["letter: missed", "letter: missed"]
        world.outbox.rename(world.outbox.with_suffix(".aside"))
        world.outbox.write_text("in the way")
        world.pass_time(DAY)
        for _ in range(3):
            attend(world, notices, said)
            world.pass_time(HOUR)
        assert [notice["kind"] for notice in told[3:]] == ["failed"], "the same fault is told once"
        assert told[3]["todo"].startswith("dmail-runner route test out")
        assert said == []


def test_decisions_send_the_notices_of_a_scheduled_run(world: World) -> None:
    with listening() as (port, told):
        kinds = "[delivered, failed, held]"
        notices = f'channels: [{{webhook: "http://127.0.0.1:{port}/", allow_http: true, kinds: {kinds}}}]'
        (world.folder / "profiles/notices.yml").write_text(notices)
        world.outbox.write_text("in the way")
        world.pass_time(DAY)
        world.run_due()
        ledger, job = world.ledger(), world.job()
        scheduler = Scheduler(ledger, Notifier(find_notices(world.settings), ledger, lambda _: None))
        (run,) = ledger.latest()
        with pytest.raises(DmailError):
            announced(scheduler, job, run.run_id, lambda: resume(job, run, ledger))
        with pytest.raises(UsageError):
            announced(scheduler, job, run.run_id, lambda: release(job, run, ledger, SAID))
        world.outbox.unlink()
        announced(scheduler, job, run.run_id, lambda: resume(job, run, ledger))
        announced(scheduler, job, copy_name(run, ledger), lambda: resend(job, ledger.known(run.run_id), ledger, SAID))
    name = "letter-20270302T060000Z"
    assert [(notice["kind"], notice["run_id"]) for notice in told] == [
        ("failed", name), ("delivered", name), ("delivered", f"{name}-r1"),
    ], "whoever types a wrong command reads that, and nobody else"  # fmt: skip


def test_a_listener_that_does_not_listen_stops_nothing(world: World) -> None:
    with listening(500) as (port, _):
        notices = f"""
        allow_http: true
        owner: "json://user:hidden-word@127.0.0.1:1/{{owner}}"
        channels:
          - {{webhook: "http://127.0.0.1:{port}/hidden-word", allow_http: true, kinds: [delivered]}}
          - {{webhook: "http://127.0.0.1:1/hidden-word", allow_http: true, kinds: [delivered]}}
          - {{url: "nonsense://hidden-word", kinds: [delivered]}}
        """
        world.pass_time(DAY)
        said: list[str] = []
        assert attend(world, notices, said) == []
    assert states(world) == [("03-02 06:00", "settled")]
    assert len(said) == 3
    assert "it answers 500" in said[0]
    assert "hidden-word" not in "".join(said)


@pytest.mark.parametrize(
    ("notices", "told"),
    [
        ("channels: [{}]", "needs either `url` or `webhook`"),
        ("channels: [{url: x, kinds: [printed]}]", "unknown value"),
        ("channels: [{url: x, headers: {a: b}}]", "which only a `webhook` can have"),
        ("chanels: []", "unknown key"),
        ("channels: [{webhook: 'http://example.com'}]", "not encrypted: use https"),
        ("channels: [{url: 'json://example.com'}]", "not encrypted: use https"),
        ("owner: 'json://example.com'", "`owner` is not encrypted"),
        ("channels: [{webhook: 'ftp://example.com', allow_http: true}]", "that is no https address"),
    ],
)
def test_notices_that_nobody_understands(world: World, notices: str, told: str) -> None:
    (world.folder / "profiles/notices.yml").write_text(notices)
    with pytest.raises(ConfigError, match=r"profiles/notices\.yml") as error:
        find_notices(world.settings)
    assert told in str(error.value)


def test_neither_proxies_nor_a_netrc_of_the_environment_count(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login canary password canary\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with listening() as (port, told), listening() as (other, by_apprise):
        notices = f"""
        channels:
          - {{webhook: "http://127.0.0.1:{port}/", allow_http: true, kinds: [delivered]}}
          - {{url: "json://127.0.0.1:{other}/", allow_http: true, kinds: [delivered]}}
        """
        world.pass_time(DAY)
        said: list[str] = []
        assert attend(world, notices, said) == []
    assert said == []
    assert len(told) == len(by_apprise) == 1
    assert "canary" not in str(told) + str(by_apprise)


@contextmanager
def endless() -> Iterator[str]:
    """A web server whose answers never end: another header comes long before any time-out. Yields its address."""
    over = threading.Event()

    class Endless(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
                while not over.wait(0.01):
                    self.wfile.write(b"x")

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def test_an_answer_without_an_end_stops_no_mailing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dmail_runner.run.notify.LONGEST", 0.3)
    world.pass_time(DAY)
    said: list[str] = []
    with endless() as address:
        assert attend(world, f"channels: [{{webhook: '{address}', allow_http: true, kinds: [delivered]}}]", said) == []
    assert states(world) == [("03-02 06:00", "settled")]
    assert any("no complete answer within" in line for line in said)


def test_an_answer_without_an_end_stops_no_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dmail_runner.run.service.LONGEST", 0.3)
    said: list[str] = []
    service = Service(tmp_path / "state", lambda: 0, lambda: None, lambda: DAY, said.append)
    with endless() as address:
        service.send_heartbeat(address)
    assert said == ["note     the heartbeat failed: TimeoutError"]
