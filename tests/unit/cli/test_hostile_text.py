"""Text of a server, a row, a file name or a person steers no terminal, forges no line, and reaches no ledger, log or notice raw."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paramiko
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmail_runner.cli.screen import Screen
from dmail_runner.cli.text import difference_lines, explanation_lines, figures, record_lines, run_lines
from dmail_runner.core.errors import DeliveryError, DmailError, UsageError
from dmail_runner.core.log import Log
from dmail_runner.core.redact import CONTROL
from dmail_runner.core.values import Verdicts
from dmail_runner.declare.notices import find_notices
from dmail_runner.declare.provider import Provider
from dmail_runner.declare.route import SftpRoute
from dmail_runner.ledger.run import Run
from dmail_runner.look.diff import Difference
from dmail_runner.look.explain import Explanation, Opinion
from dmail_runner.run.due import Scheduler
from dmail_runner.run.notify import Notifier
from dmail_runner.ship.sftp import Sftp
from dmail_runner.ship.ssh import stage
from dmail_runner.ship.store_faults import explained, fault
from tiny import World
from worlds import DAY, listening

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
    run: Any = Run("letter-20270301T120000Z", "letter", NOW, verdicts=Verdicts(2, 1, {text: 1}))
    difference = Difference(run, 1, {text: 1}, 0, 1, ((text, "removed", more),))
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


NAME = "p3\x1b[2J\x9b\u202e\r\nerror: forged"
SQL = NAME.replace("\x1b", "' || chr(27) || '").replace("\r\n", "' || chr(13) || chr(10) || '")


def run_due(world: World, job: Any, port: int) -> list[Exception]:
    (world.folder / "profiles/notices.yml").write_text(f"channels: [{{webhook: 'http://127.0.0.1:{port}/'}}]")
    ledger = world.ledger()
    scheduler = Scheduler(ledger, Notifier(find_notices(world.settings), ledger, job.tell))
    return scheduler.run_due(job, world.now)


GATES = {
    "opted out": ("marketing_consent = 'n'", {}),
    "on a list": (f"full_name = 'x'; insert into stg_suppressions values ('{SQL}', '{SQL}', null, null, null)", {}),
    "contract": ("full_name = ''", {"columns": {"full_name": {"required": True}}}),
    "a line in a field": ("full_name = 'a' || chr(10) || 'b'", {}),
}


@pytest.mark.parametrize("gate", GATES)
def test_the_key_of_a_profile_in_a_gate(world: World, gate: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The terminal, the log, the ledger and the notice get it on one line, escaped. The log does not name the person at all."""
    changes, provider = GATES[gate]
    world.changed = f"update stg_profiles set profile_id = '{SQL}', {changes} where profile_id = 'p3'"
    world.pass_time(DAY)
    screen = Screen()
    screen.log = Log(tmp_path / "log")
    job = replace(world.job(), tell=screen.tell, provider=Provider.model_validate({"label": "Acme", "route": "out", **provider}))
    with listening() as (port, told):
        faults = run_due(world, job, port)
    assert len(faults) == 1
    screen.tell(f"held: {faults[0]}")
    (run,) = world.ledger().latest()
    lines = [line for line in str(faults[0]).split("\n") if not line.startswith("  ")]
    assert len(lines) == 1, str(faults[0])
    for text in (str(faults[0]), run.error or "", json.dumps(told, ensure_ascii=False), *run_lines(run), capsys.readouterr().err):
        assert CONTROL.search(text) is None, ascii(text)
        assert "\nerror: forged" not in text
    for file in (tmp_path / "log").iterdir():
        for line in file.read_text().splitlines():
            assert CONTROL.search(json.loads(line).get("text", "")) is None
        assert "forged" not in file.read_text()
    assert list(world.mailed()) == []
