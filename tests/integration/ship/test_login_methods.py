"""What a server may want of who logs in, and what is said if a route does not have it."""

import io
import sys
from pathlib import Path
from typing import Any

import paramiko
import pytest

from dmail_runner.core.errors import ConfigError, DeliveryError
from dmail_runner.core.yaml import parse
from dmail_runner.declare.route import Route, SftpRoute
from dmail_runner.ship.login import Answers
from dmail_runner.ship.refused import HungUp, LoginRefused
from dmail_runner.ship.ssh import session
from login_server import CODE, GERMAN, PASSWORD, LoginServer, login_server

KEY = paramiko.ECDSAKey.generate()
TEXT = io.StringIO()
KEY.write_private_key(TEXT)
BOTH = ("Password: ",), ("Verification code: ",)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(TEXT.getvalue())
    path.chmod(0o600)
    return path


def route(server: LoginServer, **secrets: Any) -> SftpRoute:
    found = parse(Route, server.login | secrets, "profiles/routes.yml", "acme")
    assert isinstance(found, SftpRoute)
    return found


def log_in(server: LoginServer, **secrets: Any) -> None:
    with session(route(server, **secrets)) as transport:
        assert transport.is_authenticated()


def code_command(code: str) -> list[str]:
    return [sys.executable, "-c", f"print('{code}')"]


@pytest.mark.parametrize(
    ("wants", "prompts", "given"),
    [
        ("password", (), {"password": PASSWORD}),
        ("keyboard-interactive", (("Password: ",),), {"password": PASSWORD}),
        ("keyboard-interactive", (("Password: ",), ()), {"password": PASSWORD}),
        ("keyboard-interactive", ((GERMAN,),), {"password": PASSWORD}),
        ("keyboard-interactive", (("Password: ", "Verification code: "),), {"password": PASSWORD, "one_time_code": CODE}),
        ("keyboard-interactive", BOTH, {"password": PASSWORD, "one_time_code_command": code_command(CODE)}),
        ("publickey", (), {"key": True}),
        ("publickey password", (), {"key": True, "password": PASSWORD}),
        ("publickey keyboard-interactive", (("Password: ",),), {"key": True, "password": PASSWORD}),
        ("publickey keyboard-interactive", (("Verification code: ",),), {"key": True, "one_time_code": CODE}),
        ("password keyboard-interactive", (("Verification code: ",),), {"password": PASSWORD, "one_time_code": CODE}),
        ("publickey password keyboard-interactive", (("Verification code: ",),), {"key": True, "password": PASSWORD, "one_time_code": CODE}),
        ("publickey|password", (), {"key": True, "password": PASSWORD}),
        ("publickey|keyboard-interactive|password", (("Password: ",),), {"password": PASSWORD}),
    ],
)  # fmt: skip
def test_each_login_takes_one_attempt_a_method(key: Path, wants: str, prompts: Any, given: dict[str, Any]) -> None:
    steps = tuple(tuple(step.split("|")) for step in wants.split())
    secrets = {"private_key" if name == "key" else name: key if name == "key" else value for name, value in given.items()}
    with login_server(wants=steps, prompts=prompts, key=KEY) as server:
        log_in(server, **secrets)
        assert [right for _, right in server.attempts] == [True] * len(steps)


@pytest.mark.parametrize(
    ("wants", "prompts", "given", "expected"),
    [
        ("password", (), {"password": "wrong horse"}, (r"authentication as acme \(password\) was refused", 1)),
        ("keyboard-interactive", (("Password: ",),), {"password": "wrong horse"}, (r"\(keyboard-interactive\) was refused", 1)),
        # Whoever asks again has refused what it got.
        ("keyboard-interactive", (("Password: ",), ("Password: ",)), {"password": PASSWORD}, ("asks `Password` again: it refused the password", 0)),
        ("keyboard-interactive", (("Verification code: ",),), {"password": PASSWORD}, ("asks `Verification code`\n.*one_time_code", 0)),
        ("keyboard-interactive", (("New password: ",),), {"password": PASSWORD}, ("the password has expired\n.*set a new password", 0)),
        ("publickey", (), {"password": PASSWORD}, (r"no login that the server takes: it wants a key \(`private_key`", 0)),
        ("password", (), {"key": True}, (r"no login that the server takes: it wants a password \(`password`\)", 0)),
        (
            "publickey keyboard-interactive", (), {"key": True},
            ("accepted in part, by publickey; the server also wants an answer to its questions", 1),
        ),
        ("publickey password", (), {"key": True}, ("accepted in part, by publickey; the server also wants a password", 1)),
        ("publickey password", (), {"key": True, "password": "wrong horse"}, (r"\(password, after publickey\) was refused", 2)),
        # After the key was refused, the password is not tried.
        ("publickey|password", (), {"other key": True, "password": PASSWORD}, (r"\(publickey\) was refused", 1)),
    ],
)  # fmt: skip
def test_what_is_missing_or_refused_is_named(
    key: Path, wants: str, prompts: Any, given: dict[str, Any], expected: tuple[str, int]
) -> None:
    told, attempts = expected
    steps = tuple(tuple(step.split("|")) for step in wants.split())
    secrets = {"private_key" if "key" in name else name: key if "key" in name else value for name, value in given.items()}
    known = paramiko.ECDSAKey.generate() if "other key" in given else KEY
    with login_server(wants=steps, prompts=prompts, key=known) as server:
        with pytest.raises(LoginRefused, match=f"(?s){told}") as refused:
            log_in(server, **secrets)
        assert len(server.attempts) == attempts
    assert "horse" not in str(refused.value)


def test_a_user_name_in_a_question_is_no_word_of_it() -> None:
    """`postcode` is not a code."""
    answers = Answers(PASSWORD, None, "postcode")
    assert answers("", "", [("Password for postcode@mail.example: ", False)]) == [PASSWORD]


def test_a_server_that_hangs_up_at_a_login_is_told_from_one_that_is_lost() -> None:
    with login_server(hangs_up=True) as server, pytest.raises(HungUp, match=r"\(password\): the server hung up"):
        log_in(server, password="wrong horse")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["/nowhere/code"], "`one_time_code_command` (/nowhere/code) failed: FileNotFoundError"),
        ([sys.executable, "-c", "raise SystemExit('secret seed')"], "failed: CalledProcessError"),
        ([sys.executable, "-c", ""], "printed no code, or more than one line"),
    ],
)
def test_a_command_that_gives_no_code_costs_no_attempt(command: list[str], told: str) -> None:
    with login_server(wants=(("keyboard-interactive",),), prompts=BOTH) as server:
        with pytest.raises(DeliveryError) as failed:
            log_in(server, password=PASSWORD, one_time_code_command=command)
        assert told in failed.value.what
        assert not isinstance(failed.value, LoginRefused)
        assert "seed" not in str(failed.value)
        assert server.attempts == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "needs `password`, `private_key`"),
        ({"private_key": "k", "agent": True}, "at most one of `private_key`"),
        ({"password": "p", "passphrase": "x"}, "has a `passphrase`, but no private key"),
        ({"password": "p", "one_time_code": "1", "one_time_code_command": ["x"]}, "at most one of `one_time_code`"),
        ({"password": "p", "one_time_code": "1", "parallel": 2}, "for one session"),
        ({"password": "p", "host": "sftp://acme.example"}, "without `sftp://`"),
        ({"password": "p", "host": "our_company@acme.example"}, "without a user"),
        ({"password": "p", "host": "sftp..acme.example"}, "must be the name or the address of a server"),
    ],
)
def test_a_login_that_cannot_be_is_refused_before(given: dict[str, Any], told: str) -> None:
    entry = {"type": "sftp", "host": "h", "user": "u", "host_key": "SHA256:" + "A" * 43}
    with pytest.raises(ConfigError) as refused:
        parse(Route, entry | given, "profiles/routes.yml", "acme")
    assert told in str(refused.value)
