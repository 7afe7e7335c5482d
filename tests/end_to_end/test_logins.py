"""Logins in a whole project: a key, a password and a one-time code; refusals, and what ends them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest

from login_server import CODE, PASSWORD, LoginServer, login_server
from project import DONE, FAILED, FILE, SLOT, Project

PROMPTS = (("Password: ", "Verification code: "),)


@pytest.fixture
def key(tmp_path: Path) -> paramiko.PKey:
    found = paramiko.ECDSAKey.generate()
    found.write_private_key_file(str(tmp_path / "key"))
    return found


@pytest.fixture
def server(tmp_path: Path, key: paramiko.PKey) -> Iterator[LoginServer]:
    (tmp_path / "root").mkdir()
    wants = (("publickey",), ("keyboard-interactive",))
    with login_server(wants=wants, prompts=PROMPTS, key=key, root=tmp_path / "root") as found:
        yield found


def route(server: LoginServer, tmp_path: Path) -> dict[str, Any]:
    secrets = {"private_key": str(tmp_path / "key"), "password": "{{ env_var('ACME_PASSWORD') }}"}
    code = [sys.executable, "-c", f"print('{CODE}')"]
    return {**server.login, **secrets, "one_time_code_command": code, "retries": 2, "timeout": 60}


def test_a_refused_login_is_tried_again_when_a_secret_changes(project: Project, server: LoginServer, tmp_path: Path) -> None:
    project.add_route(**route(server, tmp_path))
    project.environment["ACME_PASSWORD"] = "wrong horse"
    refused = project.run()
    assert refused.returncode == FAILED
    assert "authentication as acme (keyboard-interactive, after publickey) was refused" in refused.stderr
    assert server.attempts == [("publickey", True), ("keyboard-interactive", False)], "no retry"

    project.call("run", "--due")
    again = project.run()
    assert again.returncode == FAILED
    assert "not logged in again" in again.stderr
    assert "dmail-runner route test test" in again.stderr
    assert len(server.attempts) == 2

    asked = project.call("route", "test", "test")
    assert asked.returncode == FAILED
    assert "(keyboard-interactive, after publickey) was refused" in asked.stdout
    assert len(server.attempts) == 4, "a person's word is worth one attempt"

    project.environment["ACME_PASSWORD"] = PASSWORD
    done = project.run()
    assert done.returncode == DONE, done.stderr
    assert (tmp_path / "root" / FILE).stat().st_size > 1000
    assert not any("horse" in text for text in (refused.stderr, again.stderr, asked.stdout, done.stdout))


def test_what_a_login_lacks_is_told_and_a_persons_word_tries_again(project: Project, server: LoginServer, tmp_path: Path) -> None:
    entry = route(server, tmp_path)
    del entry["one_time_code_command"]
    project.add_route(**entry)
    project.environment["ACME_PASSWORD"] = PASSWORD
    refused = project.run()
    assert refused.returncode == FAILED
    assert "asks `Verification code`" in refused.stderr
    assert "one_time_code" in refused.stderr
    server.prompts = (("Password: ",),)
    assert project.run().returncode == FAILED, "the provider has changed its settings, and nobody has said so here"
    resumed = project.call("resume", f"spring_catalog-{SLOT.replace('-', '').replace(':', '').replace('Z', '00Z')}")
    assert resumed.returncode == DONE, resumed.stderr
