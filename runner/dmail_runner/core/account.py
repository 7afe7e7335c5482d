"""The account of this process, according to the operating system. Environment variables are ignored."""

import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NOBODY = 2**32 - 1  # the login id of a process without a login


@dataclass(frozen=True)
class Account:
    """The account of this process.

    Attributes:
        name: the account's name.
        person: the account that has called `sudo` or `su`; the same as `name` if there was none.
    """

    name: str
    person: str

    def __str__(self) -> str:
        return self.person if self.person == self.name else f"{self.person} as {self.name}"


def this_account() -> Account:
    """The account of this process, and the account that has called `sudo` or `su`.

    Anybody can set `SUDO_UID`. It counts only if the system confirms it, by the login id of this process or by the account of a
    parent process.
    """
    own = os.getuid()
    behind = set(ancestors(own))
    login = login_id()
    claimed = os.environ.get("SUDO_UID", "")
    if claimed.isascii() and claimed.isdigit() and int(claimed) in {*behind, login}:
        return Account(account_name(own), account_name(int(claimed)))
    if login is not None:
        return Account(account_name(own), account_name(login))
    return Account(account_name(own), account_name(next(ancestors(own), own)))


def login_id() -> int | None:
    """The account that has logged in, which the kernel keeps across `sudo` and `su`. None if there was no login."""
    try:
        login = int(Path("/proc/self/loginuid").read_text())
    except (OSError, ValueError):
        return None
    return None if login == NOBODY else login


def ancestors(own: int) -> Iterator[int]:
    """The accounts of the parent processes, nearest first, except root and the given account."""
    process = os.getppid()
    while process > 1:
        try:
            lines = Path(f"/proc/{process}/status").read_text(errors="replace").splitlines()
        except OSError:
            return
        fields = {name: text.split() for name, _, text in (line.partition(":") for line in lines)}
        user = int(fields["Uid"][0])
        if user not in (0, own):
            yield user
        process = int(fields["PPid"][0])


def account_name(user: int) -> str:
    """The name of an account, or its number if the system has no name for it."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"uid {user}"
