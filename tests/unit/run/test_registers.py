"""A run to a country whose register is missing waits until a list is a copy of it. Nobody can let it pass."""

from dataclasses import replace
from datetime import date

import pytest

from dmail_runner.core.errors import Held, UsageError
from dmail_runner.declare.campaign import Column
from dmail_runner.declare.policy import Policy
from dmail_runner.declare.register import Register, SuppressionList
from dmail_runner.ledger.countries import last_countries
from dmail_runner.report.words.messages import portuguese
from dmail_runner.run.decisions import release, resume
from dmail_runner.run.definition import defined, differing
from dmail_runner.run.job import Job
from dmail_runner.run.pipeline import run_slot
from tiny import World
from worlds import DAY, SAID

NORWAY = Register("no_reservations", "NO", "Reservasjonsregisteret", "required")
BRITAIN = Register("gb_mps", "GB", "Mailing Preference Service", "recommended")
LICENSED = SuppressionList(name="norway", register="no_reservations", licensed_until=date(2027, 3, 1))
COPY = "alter table stg_suppressions add column as_of timestamp"


def job(world: World, *lists: SuppressionList) -> Job:
    columns = (*world.campaign.columns, Column("country_code", "country_code", True))
    campaign = replace(world.campaign, columns=columns, registers=(NORWAY, BRITAIN), lists=lists)
    return replace(world.job(), campaign=campaign, policy=Policy(require_registers="required", approvers={}))


def test_a_run_waits_for_a_register(world: World) -> None:
    world.extracted = "profile_id, full_name, case when profile_id < 'p2' then 'NO' else 'GB' end as country_code"
    world.changed = COPY
    ledger = world.ledger()
    given = job(world)
    with pytest.raises(Held) as held:
        run_slot(given, world.now, ledger)
    assert held.value.hold == "registers"
    assert "people in NO: law requires no_reservations (Reservasjonsregisteret)" in held.value.what
    assert "GB" not in held.value.what, "what is only recommended does not hold a run"
    assert portuguese(held.value.what)
    assert held.value.figures, "the page of the run has its figures"
    (run,) = ledger.latest()
    with pytest.raises(UsageError, match="may mail people who are in a register"):
        release(given, run, ledger, SAID)
    world.changed = f"{COPY}; insert into stg_suppressions (list_name, profile_id, as_of) values ('norway', 'p99', '2027-02-20')"
    copied = job(world, SuppressionList(name="norway", register="no_reservations"))
    settled = resume(copied, ledger.known(run.run_id), ledger)
    assert settled.state == "settled"
    assert settled.verdicts
    assert any("the trade recommends gb_mps" in note for note in settled.verdicts.notes)
    assert last_countries(ledger, "letter") == {"NO"}, "eight people in GB could be identified"
    assert last_countries(ledger, "other") == set()
    world.pass_time(DAY)
    late = replace(copied, campaign=replace(copied.campaign, lists=(LICENSED,)))
    with pytest.raises(Held, match=r"the licence of the list norway \(no_reservations\) has ended on 2027-03-01"):
        run_slot(late, world.now, ledger)


def test_an_approval_covers_what_a_country_requires(world: World) -> None:
    (world.folder / "profiles/policy.yml").write_text("require_registers: required\n")
    given = job(world, LICENSED)
    laxer = replace(given, campaign=replace(given.campaign, registers=(replace(NORWAY, level="recommended"), BRITAIN)))
    longer = job(world, LICENSED.model_copy(update={"licensed_until": None}))
    before = defined(given)
    assert [name for name, _ in differing(before, defined(laxer))] == ["registers"]
    assert [name for name, _ in differing(before, defined(longer))] == ["registers"]
    (world.folder / "profiles/policy.yml").unlink()
    assert "registers" not in defined(replace(given, campaign=replace(given.campaign, lists=()))).parts
