"""What was unusual about a run is in its summary, in its notice, and in the ledger."""

from dataclasses import replace

import duckdb
import pytest

from dmail_runner.check.unusual import seed_note, verdict_notes
from dmail_runner.cli.text import run_lines
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.declare.notices import Notices
from dmail_runner.ledger.run import run_as_json
from dmail_runner.run.due import Scheduler
from dmail_runner.run.notify import Notice, Notifier
from dmail_runner.run.pipeline import run_slot
from tiny import World, letter
from worlds import DAY, declared


def test_an_empty_run_says_which_reason_took_most(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Notice] = []
    monkeypatch.setattr(Notifier, "announce", lambda _, notice: told.append(notice))
    for number in range(20):
        world.opt_out(number)
    world.pass_time(DAY)
    ledger = world.ledger()
    Scheduler(ledger, Notifier(Notices(), ledger, lambda _: None)).run_due(world.job(), world.now)
    (run,) = ledger.latest()
    note = "nobody is included: consent excludes 20 of 20 people"
    assert (run.state, run_as_json(run)["notes"]) == ("empty", [note])
    assert f"  note      {note}" in run_lines(run)
    assert [notice.what for notice in told] == [f"{note.capitalize()}."]
    # The slot is built again, because profiles may arrive late: the old note is about the old figures.
    world.opted_out.clear()
    assert run_slot(world.job(), run.slot, ledger, asked_for=True).state == "settled"
    assert "notes" not in run_as_json(ledger.known(run.run_id))


def test_incomplete_addresses_are_named_by_what_they_lack() -> None:
    campaign = replace(letter(), audience="model.tiny.letter__audience")
    with duckdb.connect() as connection:
        connection.execute(
            """
            create table letter__audience as
            select * from (values ('a', 'no city'), ('b', 'no city'), ('c', 'no postal code'), ('d', null)) as t (profile_id, address_problem);
            create table letter__recipients as
            select profile_id, case when address_problem is null then 'consent' else 'incomplete_address' end as exclusion_reason
            from letter__audience
            """
        )
        build, verdicts = Build("", '"memory"."letter__recipients"'), Verdicts(4, 0, {"consent": 1, "incomplete_address": 3})
        what = "nobody is included: incomplete_address excludes 3 of 4 people"
        assert list(verdict_notes(connection, build, verdicts, campaign)) == [f"{what}, most often because of: no city (2)"]
        some = Verdicts(30, 26, {"consent": 1, "incomplete_address": 3})
        assert list(verdict_notes(connection, build, some, campaign)) == [], "ten in a hundred are usual"
        many = replace(some, targeted=29, included=25)
        (note,) = verdict_notes(connection, build, many, campaign)
        assert note == "incomplete_address excludes 3 of 29 people, most often because of: no city (2)"
        connection.execute("alter table letter__audience drop column address_problem")
        assert list(verdict_notes(connection, build, verdicts, campaign)) == [what]
        assert list(verdict_notes(connection, build, Verdicts(0, 0, {}), campaign)) == [
            "nobody is included: the audience is empty"
        ]


def test_a_seed_that_the_contract_refuses_is_missed() -> None:
    before = Verdicts(10, 10, {}, seeds=3)
    (note,) = seed_note(before, replace(before, seeds=2))
    assert note == "1 seed address is not in the file: its row breaks the provider's contract"
    assert list(seed_note(before, before)) == []


def test_a_gate_that_somebody_has_opened_is_in_the_summary(world: World) -> None:
    declared(world, guard={"min_rows": 100})
    run = run_slot(world.job(accepted=frozenset({"volume"})), world.now, world.ledger())
    assert run.verdicts
    assert run.verdicts.notes == ("somebody let it pass the gate volume: letter: 20 pieces are fewer than min_rows, 100",)
