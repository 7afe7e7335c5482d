"""Who runs a command is what the operating system says."""

import os
import pwd

import pytest

from dmail_runner.core.account import Account, this_account


def test_the_environment_has_no_say_in_who_runs_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    before = this_account()
    assert before.name == pwd.getpwuid(os.getuid()).pw_name
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "cfo")
    assert this_account() == before
    for number in ("12345", "-1", "0x0", "root", "\u0663", str(pwd.getpwnam("nobody").pw_uid)):
        monkeypatch.setenv("SUDO_UID", number)
        assert this_account() == before, number


def test_an_account_is_shown_with_the_person_behind_it() -> None:
    assert str(Account("build", "ann")) == "ann as build"
    assert str(Account("ann", "ann")) == "ann"
