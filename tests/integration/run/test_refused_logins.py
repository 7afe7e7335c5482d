"""A refused login, and the runs that need it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import paramiko
import pytest

from dmail_runner.core.errors import DmailError
from dmail_runner.run import decisions
from login_server import PASSWORD, LoginServer, login_server
from tiny import World, letter


@pytest.fixture
def server() -> Iterator[LoginServer]:
    with login_server(subsystem=paramiko.Channel.close) as found:  # it has no files
        yield found


def set_password(world: World, password: str) -> None:
    file = world.folder / "profiles/routes.yml"
    entries = json.loads(file.read_text())
    entries["out"]["password"] = password
    file.write_text(json.dumps(entries))


def test_run_due_tries_it_once_and_a_person_once_more(tmp_path: Path, server: LoginServer) -> None:
    """Each call is a process of its own as far as the login is concerned: nothing but the state directory is kept."""
    campaign = letter(schedule={"cron": "0 12 * * *", "timezone": "UTC"})
    login = {key: value for key, value in server.login.items() if key != "type"} | {"password": "wrong horse"}
    world = World(tmp_path / "project", campaign, login=login)
    world.run_due()
    world.pass_time(timedelta(days=1))
    said = []
    for _ in range(5):
        said += [str(error) for error in world.run_due()]
        world.pass_time(timedelta(hours=2))
    assert len(server.attempts) == 1
    assert len(said) == 5
    assert "(password) was refused" in said[0]
    for text in said[1:]:
        assert "not logged in again, because the login as acme was refused" in text
        assert "dmail-runner route test out" in text
    ledger = world.ledger()
    (run,) = ledger.latest()
    assert run.state == "failed"
    assert not run.may_have_left
    with pytest.raises(DmailError, match=r"\(password\) was refused"):
        decisions.resume(world.job(), run, ledger)
    assert len(server.attempts) == 2
    world.pass_time(timedelta(hours=2))
    assert world.run_due()
    assert len(server.attempts) == 2
    world.pass_time(timedelta(hours=2))
    set_password(world, PASSWORD)
    assert "opening SFTP" in str(world.run_due()[0]), "it is logged in"
    assert server.attempts[2:] == [("password", True)]
    ledger.engine.dispose()
