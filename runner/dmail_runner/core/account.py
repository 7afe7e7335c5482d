"""The account that runs this process, as the operating system knows it. The environment has no say in it."""

import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NOBODY = 2**32 - 1  # the login id of a process that no login has started


@dataclass(frozen=True)
class Account:
    """Who runs this process.

    Attributes:
        name: the account's name.
        person: the account from which the person came by `sudo` or `su`; the same as `name` if there was none.
    """

    name: str
    person: str

    def __str__(self) -> str:
        return self.person if self.person == self.name else f"{self.person} as {self.name}"


def this_account() -> Account:
    """The account of this process, and the account behind it.

    `SUDO_UID` counts only if the system confirms it: by the login id of this process, or because a process that has started this
    one runs under that account. Anybody can set the variable.
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
    """The account that has logged in, as the kernel remembers it across `sudo` and `su`. None if there was no login."""
    try:
        login = int(Path("/proc/self/loginuid").read_text())
    except (OSError, ValueError):
        return None
    return None if login == NOBODY else login


def ancestors(own: int) -> Iterator[int]:
    """The ids of the other accounts, except root, under which the processes run that have started this one, nearest first."""
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
