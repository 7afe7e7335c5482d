"""The verdicts of windows, without a project: who was counted before, and by which verdict."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dmail_runner.core.settings import Settings
from dmail_runner.history import remove_before
from dmail_runner.history.contacts import VERDICTS, run_ids
from dmail_runner.history.forget import forget
from dmail_runner.history.record import history_faults
from dmail_runner.history.verdicts import counted_before, hash_of, verdicts_of
from dmail_runner.report.figures import total_of_people
from dmail_runner.report.rows import read_runs
from dmail_runner.run.decisions import give_up, release
from tiny import World
from worlds import DAY, SAID

RUNS = {
    "letter-20270301T060000Z": {"ann": "consent", "bob": "consent", "cid": "included", "eve": "suppressed"},
    "letter-20270303T060000Z": {"ann": "suppressed", "cid": "contract:ZIP:required"},
    "other-20270301T060000Z": {"dan": "consent"},
}


def write(folder: Path, run_id: str, verdicts: dict[str, str]) -> Path:
    """Write the verdicts of a window."""
    folder.mkdir(parents=True, exist_ok=True)
    campaign, _, slot = run_id.rpartition("-")
    rows = ", ".join(f"('{hash_of(campaign, name)}', '{verdict}')" for name, verdict in verdicts.items())
    with duckdb.connect() as connection:
        moment = f"strptime('{slot}', '%Y%m%dT%H%M%SZ')"
        connection.execute(
            f"copy (select *, {moment} as slot from (values {rows}) as v (person, verdict)) to '{folder / VERDICTS}'"
        )
    return folder / VERDICTS


@pytest.mark.parametrize(
    ("run_id", "replaced"),
    [
        # The newest window: the last verdict of each person was that of the newest other window.
        ("letter-20270304T060000Z", {"suppressed": 2, "consent": 1, "contract:ZIP:required": 1}),
        # A window that is made again, as that of an empty run: its own earlier verdicts do not count.
        ("letter-20270303T060000Z", {"suppressed": 1, "consent": 2, "included": 1}),
        # A window that is made late: later verdicts of ann and cid are the last ones, and theirs here replace themselves.
        ("letter-20270302T060000Z", {"included": 2, "consent": 1, "suppressed": 1}),
    ],
)
def test_each_person_is_counted_with_the_last_verdict(tmp_path: Path, run_id: str, replaced: dict[str, int]) -> None:
    settings = Settings(tmp_path, tmp_path / ".dmail", tmp_path / "history", None, None)
    for name, verdicts in RUNS.items():
        write(settings.history_dir / name, name, verdicts)
    new = write(tmp_path / "spool", run_id, dict.fromkeys(("ann", "bob", "cid", "dan", "eve"), "included"))
    with duckdb.connect() as connection:
        assert counted_before(connection, settings, run_id, new) == replaced


def test_totals_count_everybody_once_over_settled_cancelled_and_empty_windows(world: World) -> None:
    world.campaign = replace(world.campaign, windows=True)
    world.opt_out(0)
    world.pass_time(DAY)
    world.outbox.write_text("in the way")
    assert len(world.run_due()) == 1
    (waiting,) = world.ledger().latest()
    give_up(world.job(), waiting, world.ledger(), SAID, rest=False)
    world.outbox.unlink()
    for refused in ((1, 2), (), range(20)):
        for number in refused:
            world.opt_out(number)
        world.pass_time(DAY)
        world.run_due()
    ledger = world.ledger()
    (held,) = [run for run in ledger.latest() if run.state == "held"]
    release(world.job(), held, ledger, SAID)
    world.check(tidy=False)
    runs = {run.state: run for run in read_runs(ledger)}
    assert [run.state for run in read_runs(ledger)] == ["empty", "settled", "settled", "cancelled"]
    assert runs["cancelled"].counted_before == {}
    assert runs["empty"].counted_before == {"consent": 3, "included": 17}
    sums = total_of_people(runs_of := read_runs(ledger))
    assert (sums.targeted, sums.included, sums.exclusions) == (20, 0, 20), "everybody has refused by the last window"
    sums = total_of_people(runs_of[1:])
    assert (sums.targeted, sums.included, sums.exclusions) == (20, 17, 3)

    assert run_ids(world.settings) == {run.run_id for run in runs_of[1:3]}, "the others have mailed nobody"
    history, person = world.settings.history_dir, hash_of("letter", "p5")
    files = sorted(history.glob(f"*/{VERDICTS}"))
    assert len(files) == 4
    contacts = next(history.glob("*/contacts.parquet"))
    assert {file.stat().st_mode for file in files} == {contacts.stat().st_mode}, "commands set the mode for both alike"
    assert [name for name, _ in verdicts_of(world.settings, "p5")] == [f"{file.parent.name}/{VERDICTS}" for file in files]
    forget(world.settings, ledger, "p5")
    assert list(verdicts_of(world.settings, "p5")) == []
    assert all(person.encode() not in file.read_bytes() for file in files)
    assert history_faults(world.settings, ledger, thorough=True) == []
    remove_before(world.settings, ledger, "letter", world.now + DAY)
    assert list(history.glob(f"*/{VERDICTS}")) == []
    assert history_faults(world.settings, ledger, thorough=True) == []
