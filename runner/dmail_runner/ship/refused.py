"""Records refused logins. The runner does not repeat them, because providers lock accounts after a few refusals.

- A record is a file in the state directory. Its name is a keyed hash of the server, the user and all secrets.
- It is valid until one of these changes, or until a person asks for another attempt.
- Attempts with the same secrets wait for each other, so that parallel sessions cannot cause several refusals.
"""

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pydantic import SecretStr

from dmail_runner.core.errors import DeliveryError
from dmail_runner.declare.route import Login, SftpRoute
from dmail_runner.ship.answers import Lost

HUNG_UP = (
    "check the route's user, and its password or key, with the provider, and how many sessions they allow at a time (`parallel`)"
)
HANG_UPS = 2  # a server that ends the session at the login this many times in a row has refused it


class LoginRefused(DeliveryError):
    """Raised if the server refuses the route's credentials, or requires others."""


class HungUp(Lost):
    """Raised if the server ended the session at the login without a message. Some servers refuse logins in this way."""


@dataclass(frozen=True)
class Mark:
    """The result of the last attempts with a route and its secrets.

    Attributes:
        refused: the message of the refusal; empty if there was none.
        hang_ups: the number of times in a row that the server has ended the session at the login.

    """

    refused: str = ""
    hang_ups: int = 0


@contextmanager
def attempt(login: Login, name: str) -> Iterator[None]:
    """Record the result of the login that the context makes. `name`: the server. Raises LoginRefused if it was refused before."""
    if login.kept is None:
        yield
        return
    with locked(login.kept.folder / f"{digest(login, login.kept.folder)}.json") as file:
        mark = read(file)
        if mark.refused:
            raise again(login, name, mark.refused, datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC))
        try:
            yield
        except LoginRefused as error:
            write(file, Mark(error.what))
            raise
        except HungUp as error:
            twice = mark.hang_ups + 1 >= HANG_UPS
            write(file, Mark(error.what if twice else "", mark.hang_ups + 1))
            if twice:
                raise LoginRefused(
                    f"{error.what}, for the second time, as some servers do to refuse a login", todo=HUNG_UP
                ) from None
            raise
        if mark.hang_ups:
            write(file, Mark())


def again(login: Login, name: str, what: str, at: datetime) -> LoginRefused:
    """The error that replaces a second attempt."""
    route = login.kept.route if login.kept else "NAME"
    return LoginRefused(
        f"{name}: not logged in again, because the login as {login.user} was refused at {at:%Y-%m-%d %H:%M} UTC, and neither "
        f"the route nor a secret of it has changed since ({what})",
        todo=f"correct the route's user, password or key; or, if the server was wrong: dmail-runner route test {route}",
    )


def try_again(route: object) -> None:
    """Allow another attempt of the route's logins, because a person has asked for it."""
    if isinstance(route, SftpRoute):
        for login in (route, route.jump):
            if login and login.kept and login.kept.folder.is_dir():
                (login.kept.folder / f"{digest(login, login.kept.folder)}.json").unlink(missing_ok=True)


def digest(login: Login, folder: Path) -> str:
    """A keyed hash of the login's server, user and secrets."""
    values = [f"{field}={plain(getattr(login, field))}" for field in sorted(Login.model_fields)]
    if login.private_key:
        with suppress(OSError):
            values.append(hashlib.sha256(login.private_key.read_bytes()).hexdigest())
    return hmac.new(key_of(folder), "\0".join(values).encode(), hashlib.sha256).hexdigest()


def plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def key_of(folder: Path) -> bytes:
    """The key of this state directory. It is created at the first use."""
    with locked(folder / "key") as file:
        key = file.read()
        if len(key) < 32:
            key = os.urandom(32)
            file.seek(0)
            file.write(key)
        return key


@contextmanager
def locked(path: Path) -> Iterator[BinaryIO]:
    """Open a file that only this user can read, and lock it within the context."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def read(file: BinaryIO) -> Mark:
    """The mark of a login. An empty file means no attempts. A damaged file counts as a refusal."""
    content = file.read()
    try:
        return Mark(**json.loads(content)) if content else Mark()
    except (ValueError, TypeError):
        return Mark("the record of the last attempt is damaged")


def write(file: BinaryIO, mark: Mark) -> None:
    """Replace a mark. It is on the disk when this returns."""
    file.seek(0)
    file.truncate()
    file.write(json.dumps(asdict(mark)).encode())
    file.flush()
    os.fsync(file.fileno())
