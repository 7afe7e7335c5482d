"""One kind of server, and what is expected of a run that delivers to it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from servers.files import Files
from servers.listener import serve_odd
from servers.mail_house import MailHouse
from servers.openssh import odd_sftp_server, serve_openssh
from servers.server import Server

Serve = Callable[[Path, MailHouse], AbstractContextManager[Server]]

FOREIGN = b"somebody else's file\n"
NAME = "letter_20270301T120000Z.csv"
"""The final name of the file that every run of the zoo delivers."""


@dataclass(frozen=True)
class Expected:
    """How runs end.

    Attributes:
        first: the ledger's word after the first run: settled, held or failed.
        told: a regular expression for what a person is told then.
        last: the ledger's word when the run was repeated until nothing changes.
        copies: how many whole files the mail house has in the end.
    """

    first: str
    told: str
    last: str
    copies: int


@dataclass(frozen=True)
class Entry:
    """One kind of server.

    Attributes:
        name: a few words.
        behaves: one sentence for docs/servers.md.
        serve: runs it in a folder, for a mail house.
        default: how runs end by a route that says nothing but where the server is.
        needs: the settings of a route that fits it; empty where the default does, None where nothing does.
        fitted: how runs end by a route with the settings that it needs.
        given: settings that every route to it has in the test, such as a short `timeout`.
        house: the names that the mail house looks at.
        prepare: makes what lies in the server's folder before.
        late: the final name appears long after the last run.
        leaves: how many further names with our bytes stay on the server, by the default and by the fitting settings.
    """

    name: str
    behaves: str
    serve: Serve
    default: Expected
    needs: Mapping[str, Any] | None = field(default_factory=dict)
    fitted: Expected = Expected("settled", "", "settled", 1)
    given: Mapping[str, Any] = field(default_factory=dict)
    house: str = "letter*.csv"
    prepare: Callable[[Path], object] = lambda _: None
    leaves: tuple[int, int] = (0, 0)
    late: bool = False


BRIEF = {"timeout": 2}
"""Settings for a server that leaves a request unanswered; how long that takes: servers/silence.py."""

SETTLED = Expected("settled", "", "settled", 1)


def later(told: str) -> Expected:
    """The first run fails, and the next one settles."""
    return Expected("failed", told, "settled", 1)


def held(told: str, copies: int = 0) -> Expected:
    """A person must decide; the mail house has so many copies."""
    return Expected("held", told, "held", copies)


def failed(told: str) -> Expected:
    """Each run fails, and the mail house has nothing."""
    return Expected("failed", told, "failed", 0)


def odd(files: type[Files], **options: Any) -> Serve:
    """Serves an odd server."""
    return lambda folder, house: serve_odd(files, folder / "root", house, **options)


def openssh(subsystem: str = "internal-sftp") -> Serve:
    """Serves OpenSSH's own."""
    return lambda folder, house: serve_openssh(folder / "sshd", subsystem)


def odd_openssh(words: str, options: str = "") -> Serve:
    """Serves OpenSSH's own, whose calls to the system behave as the words say (odd_calls.c)."""
    return lambda folder, house: serve_openssh(folder / "sshd", odd_sftp_server(words, house.folder, options))
