"""A login that was refused is not tried again by itself."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dmail_runner.core.errors import DeliveryError
from dmail_runner.core.settings import Settings
from dmail_runner.declare.route import SftpRoute, find_route
from dmail_runner.ship.refused import LoginRefused, try_again
from dmail_runner.ship.ssh import session
from login_server import PASSWORD, LoginServer, login_server

WRONG = "wrong horse"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "profiles").mkdir()
    return Settings(tmp_path, tmp_path / ".dmail", tmp_path / "history", None, None)


@pytest.fixture
def server() -> Iterator[LoginServer]:
    with login_server() as found:
        yield found


def declare(settings: Settings, server: LoginServer, **given: Any) -> SftpRoute:
    (settings.profiles_dir / "routes.yml").write_text(json.dumps({"acme": server.login | {"password": WRONG} | given}))
    route = find_route(settings, "acme")
    assert isinstance(route, SftpRoute)
    return route


def log_in(route: SftpRoute) -> None:
    with session(route):
        pass


def test_until_a_secret_changes(settings: Settings, server: LoginServer) -> None:
    with pytest.raises(LoginRefused, match="was refused"):
        log_in(declare(settings, server))
    for _ in range(3):
        with pytest.raises(LoginRefused, match="not logged in again, because the login as acme was refused at 20") as refused:
            log_in(declare(settings, server))
        assert "dmail-runner route test acme" in str(refused.value)
    assert len(server.attempts) == 1
    log_in(declare(settings, server, password=PASSWORD))
    assert len(server.attempts) == 2
    with pytest.raises(LoginRefused, match="not logged in again"):
        log_in(declare(settings, server))


@pytest.mark.parametrize("change", [{"user": "acme2"}, {"one_time_code": "1"}, {"one_time_code_command": ["echo", "1"]}])
def test_until_the_route_changes(settings: Settings, server: LoginServer, change: dict[str, Any]) -> None:
    for given, attempts in (({}, 1), ({}, 1), (change, 2), (change, 2), ({"timeout": 600}, 2)):
        with pytest.raises(LoginRefused):
            log_in(declare(settings, server, **given))
        assert len(server.attempts) == attempts


def test_until_a_key_changes(settings: Settings, tmp_path: Path) -> None:
    key = tmp_path / "key"
    with login_server(wants=(("publickey",),)) as server:
        for attempts in (1, 2):
            key.unlink(missing_ok=True)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True, input=b"y\n")
            for _ in range(2):
                with pytest.raises(LoginRefused):
                    log_in(declare(settings, server, password=None, private_key="key"))
                assert len(server.attempts) == attempts


def test_until_a_person_says_so(settings: Settings, server: LoginServer) -> None:
    for attempts in (1, 2):
        route = declare(settings, server)
        try_again(route)
        for _ in range(2):
            with pytest.raises(LoginRefused):
                log_in(route)
        assert len(server.attempts) == attempts


LOGIN = """
import sys
from pathlib import Path
from dmail_runner.core.settings import Settings
from dmail_runner.declare.route import find_route
from dmail_runner.ship.ssh import session
path = Path(sys.argv[1])
with session(find_route(Settings(path, path / ".dmail", path / "history", None, None), "acme")):
    pass
"""


def test_by_any_process_however_many_at_once(settings: Settings, server: LoginServer) -> None:
    declare(settings, server)
    command = [sys.executable, "-c", LOGIN, str(settings.project_dir)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert sum("not logged in again" in text for text in said) == 3
    assert len(server.attempts) == 1
    assert not any(WRONG in text for text in said)


def test_parallel_sessions_are_refused_once(settings: Settings, server: LoginServer) -> None:
    route = declare(settings, server)

    def attempt(_: int) -> None:
        with suppress(LoginRefused):
            log_in(route)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(attempt, range(8)))
    assert len(server.attempts) == 1


def test_the_mark_is_private_and_tells_no_secret(settings: Settings, server: LoginServer) -> None:
    with pytest.raises(LoginRefused):
        log_in(declare(settings, server))
    marks = [path for path in settings.refused_dir.iterdir() if path.name != "key"]
    assert len(marks) == 1
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in settings.refused_dir.iterdir())
    assert settings.refused_dir.stat().st_mode & 0o777 == 0o700
    assert WRONG not in marks[0].read_text()
    marks[0].write_text("{")
    with pytest.raises(LoginRefused, match="the record of the last attempt is damaged"):
        log_in(declare(settings, server))


def test_a_server_that_hangs_up_twice_has_refused(settings: Settings) -> None:
    with login_server(hangs_up=True) as server:
        told = []
        for _ in range(4):
            with pytest.raises(DeliveryError) as error:
                log_in(declare(settings, server))
            told.append(type(error.value).__name__)
        assert told == ["HungUp", "LoginRefused", "LoginRefused", "LoginRefused"]
        assert len(server.attempts) == 2


def test_a_hang_up_is_forgotten_after_a_login(settings: Settings) -> None:
    with login_server() as server:
        for _ in range(3):
            server.hangs_up = True
            server.wants = (("keyboard-interactive",),)
            server.answers["Password: "] = "another"
            with pytest.raises(DeliveryError) as error:
                log_in(declare(settings, server, password=PASSWORD))
            assert type(error.value).__name__ == "HungUp"
            server.answers["Password: "] = PASSWORD
            log_in(declare(settings, server, password=PASSWORD))


def test_a_server_that_does_not_answer_has_not_refused(settings: Settings) -> None:
    route = declare(settings, LoginServer(), timeout=0.3, password=PASSWORD)
    for _ in range(2):
        with pytest.raises(DeliveryError) as error:
            log_in(route)
        assert not isinstance(error.value, LoginRefused)
    assert not settings.refused_dir.exists()
