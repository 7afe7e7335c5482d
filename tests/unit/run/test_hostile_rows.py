"""Text of a row that stops a run steers no terminal, forges no line, and reaches no ledger, log or notice raw."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dmail_runner.cli.screen import Screen
from dmail_runner.cli.text import run_lines
from dmail_runner.core.log import Log
from dmail_runner.core.redact import CONTROL
from dmail_runner.declare.notices import find_notices
from dmail_runner.declare.provider import Provider
from dmail_runner.run.due import Scheduler
from dmail_runner.run.notify import Notifier
from tiny import World
from worlds import DAY, listening

NAME = "p3\x1b[2J\x9b\u202e\r\nerror: forged"
SQL = NAME.replace("\x1b", "' || chr(27) || '").replace("\r\n", "' || chr(13) || chr(10) || '")


def run_due(world: World, job: Any, port: int) -> list[Exception]:
    (world.folder / "profiles/notices.yml").write_text(f"channels: [{{webhook: 'http://127.0.0.1:{port}/', allow_http: true}}]")
    ledger = world.ledger()
    scheduler = Scheduler(ledger, Notifier(find_notices(world.settings), ledger, job.tell))
    return scheduler.run_due(job, world.now)


RENAME = f"update stg_profiles set profile_id = '{SQL}' where profile_id = 'p3'; "
GATES = {
    "opted out": (f"update stg_profiles set marketing_consent = 'n' where profile_id = '{SQL}'", {}),
    "on a list": (f"insert into stg_suppressions values ('{SQL.replace('forged', 'listed')}', '{SQL}', null, null, null)", {}),
    "contract": (
        f"update stg_profiles set full_name = '' where profile_id = '{SQL}'",
        {"columns": {"full_name": {"required": True}}},
    ),
}


@pytest.mark.parametrize("gate", GATES)
def test_the_key_of_a_profile_in_a_gate(world: World, gate: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The terminal, the log, the ledger and the notice get it on one line, escaped. The log does not name the person at all."""
    changes, provider = GATES[gate]
    world.changed = RENAME + changes
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
        assert "\nerror: " not in text
    for file in (tmp_path / "log").iterdir():
        for line in file.read_text().splitlines():
            assert CONTROL.search(json.loads(line).get("text", "")) is None
        assert "forged" not in file.read_text()
    assert list(world.mailed()) == []
