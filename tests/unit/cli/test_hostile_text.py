"""Text of a server or a row steers no terminal and forges no line."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import paramiko
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmail_runner.cli.text import difference_lines, explanation_lines, figures, record_lines
from dmail_runner.core.errors import DeliveryError, DmailError, UsageError
from dmail_runner.core.redact import CONTROL
from dmail_runner.core.values import Verdicts
from dmail_runner.declare.route import SftpRoute
from dmail_runner.look.diff import Difference
from dmail_runner.look.explain import Explanation, Opinion
from dmail_runner.ship.sftp import Sftp
from dmail_runner.ship.ssh import stage
from dmail_runner.ship.store_faults import explained, fault

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
# Letters, and all that a terminal acts upon or that ends a line.
HOSTILE = st.text(
    st.sampled_from("aZ0 :<>&\t\n\r\x00\x07\x08\x0b\x0c\x1b\x7f\x85\x9b\u061c\u200e\u200f\u2028\u2029\u202e\u2066\ufeff\ud800["),
    max_size=40,
).map(lambda text: f"x{text}\r\nerror: forged \x1b[2J")
ROUTE = SftpRoute.model_validate(
    {"type": "sftp", "host": "mail.example", "user": "u", "password": "p", "host_key": "SHA256:" + "A" * 43}
)


class NoChannel:
    def get_channel(self) -> None:
        return None


def check(text: str, *, lines: int = 1) -> None:
    """It may be shown: so many lines, and no control character in them."""
    assert CONTROL.search(text) is None, ascii(text)
    assert len(text.split("\n")) == lines, ascii(text)


def raised(do: Callable[[], object]) -> DmailError:
    with pytest.raises(DmailError) as error:
        do()
    return error.value


def within(context: Any, error: BaseException) -> Callable[[], object]:
    def do() -> None:
        with context:
            raise error

    return do


@given(HOSTILE)
def test_what_an_sftp_server_says(text: str) -> None:
    client: Any = NoChannel()
    place = Sftp(client, ROUTE)
    for error in (OSError(13, text), OSError(text), paramiko.SSHException(text), paramiko.SFTPError(text), EOFError(text)):
        check(raised(within(place.explained("sftp://mail.example/letters.csv", "renaming"), error)).what)
        if not isinstance(error, paramiko.SFTPError):
            check(raised(within(stage("mail.example", "the SSH handshake"), error)).what)


@given(HOSTILE, HOSTILE)
def test_what_an_object_store_says(text: str, more: str) -> None:
    answers = (
        text,
        f"Generic S3 error: status code: 403 Forbidden: <Error><Code>{text}</Code><Message>{more}</Message></Error>",
        f"status code: 400 <Error><Code>Bad</Code>\n<Message>{more}</Message></Error>",
        f"{text} Debug source: HttpError {{ kind: Request, {more}",
    )
    for answer in answers:
        check(fault("s3://letters/letters.csv", "writing", answer).what)
        check(raised(within(explained("s3://letters/letters.csv", "writing"), OSError(answer))).what)


@given(HOSTILE, HOSTILE)
def test_what_is_printed_of_rows(text: str, more: str) -> None:
    opinions = (Opinion(text, True, more), Opinion(text, None, more))
    explanation = Explanation(text, more, opinions, {"name": text, "street": more})
    last: Any = SimpleNamespace(slot=NOW, included=1)
    difference = Difference(last, 1, {text: 1}, 0, 1, ((text, "removed", more),))
    printed: Iterable[str] = (
        *explanation_lines(explanation, NOW),
        *difference_lines("letter", NOW, difference),
        *figures(Verdicts(2, 1, {text: 1})),
        *record_lines(["name"], [[text], [more]], 80),
        *record_lines(["name"], [[text], [more]], 1),
    )
    for line in printed:
        check(line)


@given(HOSTILE, HOSTILE)
def test_an_error_and_its_advice(text: str, more: str) -> None:
    assert CONTROL.search(str(UsageError(text, todo=more))) is None
    assert CONTROL.search(str(DeliveryError(text, todo=more))) is None
