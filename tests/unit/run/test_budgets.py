"""An order's runs never cost more than its budget, unless a person says so."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from dmail_runner.core.errors import ConfigError, Held
from dmail_runner.declare.budget import find_programmes
from dmail_runner.ledger.run import Run, run_as_json
from dmail_runner.report.rows import read_details, read_runs
from dmail_runner.report.verdicts import Gate, gates
from dmail_runner.run.commitments import spent_on
from dmail_runner.run.decisions import give_up, release, resume
from dmail_runner.run.pipeline import run_slot
from supplied_world import SuppliedWorld, bill
from tiny import letter
from worlds import DAILY, DAY, SAID

ORDER = "PO-4711"


def budget(most: str) -> dict[str, str]:
    return {"order": ORDER, "max": most, "cost_centre": "4200"}


@pytest.fixture
def world(tmp_path: Path) -> SuppliedWorld:
    """A daily letter of twenty pieces, of which two fit into the budget."""
    world = SuppliedWorld(tmp_path / "world", letter())
    world.declare(schedule=DAILY, budget=budget("50 EUR"))
    world.run_due()
    for _ in range(2):
        world.pass_time(DAY)
        assert world.run_due() == []
    return world


def next_day(world: SuppliedWorld) -> Run:
    world.pass_time(DAY)
    world.run_due()
    return world.ledger().latest()[0]


def spent(world: SuppliedWorld) -> Decimal:
    return spent_on(world.settings, world.ledger(), ORDER, "EUR").amount


def test_the_run_that_exceeds_the_budget_is_held_until_somebody_decides(world: SuppliedWorld) -> None:
    first, *_ = world.ledger().latest()
    shown = run_as_json(first)
    assert (shown["cost"], shown["estimate"]) == (
        "20.00 EUR",
        {"production": "8.00", "postage": "12.00", "total": "20.00", "currency": "EUR", "unpriced": 0,
         "order": ORDER, "cost_centre": "4200"},
    )  # fmt: skip
    world.pass_time(DAY)
    (fault,) = world.run_due()
    assert isinstance(fault, Held)
    assert fault.what == (
        "letter: the run costs 20.00 EUR, and the order PO-4711 has cost 40.00 EUR in 2 other runs: 10.00 EUR more than its "
        "budget, 50.00 EUR: nothing was delivered"
    )
    assert fault.figures, "a person sees what was built"
    ledger = world.ledger()
    run, *_ = ledger.latest()
    assert (run.hold, run.parts, spent(world)) == ("budget", (), Decimal("40.00"))
    with pytest.raises(Held, match=r"10\.00 EUR more than its budget"):
        resume(world.job(), run, ledger)
    world.declare(schedule=DAILY, budget=budget("60 EUR"))
    assert resume(world.job(), run, ledger).state == "settled"
    assert next_day(world).hold == "budget"
    done = release(world.job(), world.ledger().latest()[0], world.ledger(), SAID)
    assert (done.state, spent(world)) == ("settled", Decimal("80.00"))
    assert done.verdicts
    assert any("let it pass the gate budget" in note for note in done.verdicts.notes)
    world.check()


def test_a_run_that_is_cancelled_costs_nothing_and_one_that_waits_does(world: SuppliedWorld) -> None:
    world.declare(schedule=DAILY, budget=budget("60 EUR"))
    (world.folder / "outbox").rename(world.folder / "elsewhere")
    (world.folder / "outbox").write_text("no folder, so that the delivery fails")
    run = next_day(world)
    assert (run.state, spent(world)) == ("failed", Decimal("60.00"))
    give_up(world.job(), run, world.ledger(), SAID, rest=False)
    assert spent(world) == Decimal("40.00")


def test_gates_that_hold_a_run_one_after_the_other_are_released_one_after_the_other(world: SuppliedWorld) -> None:
    world.declare(schedule=DAILY, budget=budget("50 EUR"), guard={"max_rows": 19}, materials=[{"item": "envelope"}])
    world.count(envelope=(10, "2027-03-04 00:00:00"))
    world.pass_time(DAY)
    world.run_due()
    held = []
    run = world.ledger().latest()[0]
    while run.state == "held":
        held.append(run.hold)
        try:
            release(world.job(), run, world.ledger(), SAID)
        except Held:
            assert len(held) < 5, held
        run = world.ledger().known(run.run_id)
    assert (held, run.state) == (["volume", "budget", "stock"], "settled")


class Host(SuppliedWorld):
    """A host that stops after its gates until another one is there, too."""

    def run(self, job: Any, results: list[str]) -> None:
        try:
            results.append(run_slot(job, self.now, self.ledger()).state)
        except Held as hold:
            results.append(hold.hold)


@pytest.mark.parametrize("what", ["budget", "stock"])
def test_of_two_hosts_that_build_at_once_one_is_held(tmp_path: Path, what: str) -> None:
    """Each has a warehouse of its own, so that neither waits for the other's build. Both pass the gates before either is frozen."""
    (tmp_path / "shared").mkdir()
    both, results, threads = threading.Barrier(2, timeout=60), list[str](), []
    hosts = []
    for name in ("letter", "card"):
        host = Host(tmp_path / name, letter(), shared=tmp_path / "shared")
        (host.settings.profiles_dir / "programmes.yml").write_text(yaml.safe_dump({"spring": budget("30 EUR")}))
        host.declare(name, **({"programme": "spring"} if what == "budget" else {"materials": [{"item": "envelope"}]}))
        host.count(envelope=(30, "2027-02-01 00:00:00"))
        hosts.append(host)
    hosts[0].ledger()  # makes the tables

    for host in hosts:

        def tell(line: str) -> None:
            if line.startswith("extract"):
                both.wait()

        threads.append(threading.Thread(target=host.run, args=(replace(host.job(), tell=tell), results)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == sorted([what, "settled"])
    ledger = hosts[0].ledger()
    (held,) = [run for run in ledger.latest() if run.state == "held"]
    host = next(host for host in hosts if host.campaign.name == held.campaign)
    assert release(host.job(), held, ledger, SAID).state == "settled", "a person may let it go all the same"


def test_what_is_declared_twice_or_cannot_be_compared_is_an_error(world: SuppliedWorld) -> None:
    def programmes(entries: dict[str, Any]) -> None:
        (world.settings.profiles_dir / "programmes.yml").write_text(yaml.safe_dump(entries))

    programmes({"a": budget("1 EUR"), "b": budget("2 EUR")})
    with pytest.raises(ConfigError, match=r"b\.order: is also the order of a"):
        find_programmes(world.settings)
    for most in ("1,000 EUR", "1000", "EUR 1000", "10.005 EUR", "-5 EUR", 1000):
        programmes({"a": {"order": "PO", "max": most}})
        with pytest.raises(ConfigError, match="is not an amount with a currency"):
            find_programmes(world.settings)
    programmes({"a": budget("1000 EUR")})
    world.declare(programme="b")
    with pytest.raises(ConfigError, match=r"programme: there is no programme 'b' in profiles/programmes.yml"):
        world.job()


def test_a_run_in_another_currency_makes_the_sum_unknown(world: SuppliedWorld) -> None:
    world.provider["tariff"] = {**world.provider["tariff"], "currency": "USD"}
    world.declare(schedule=DAILY, budget=budget("500 USD"))
    run = next_day(world)
    assert run.hold == "budget"
    assert "it is not known what the order PO-4711 has cost: the cost of letter-20270302T060000Z is in EUR" in (run.error or "")


@pytest.mark.parametrize(
    ("lines", "amount"),
    [
        ((), "40.00"),
        (("I-1,FIRST,,,5.00,EUR,",), "25.00"),
        (("I-1,FIRST,6.50,,,EUR,", "I-2,SECOND,,11.00,,EUR,"), "37.50"),
        (("I-1,FIRST,6.50,11.00,17.50,,",), "37.50"),
    ],
)
def test_invoices_replace_estimates(world: SuppliedWorld, lines: Sequence[str], amount: str) -> None:
    """Of a run of which only the printing is billed, the postage is still estimated."""
    bill(world, lines)
    assert spent(world) == Decimal(amount)


def test_an_invoice_of_a_campaign_replaces_the_estimates_of_its_runs_if_it_is_more(world: SuppliedWorld) -> None:
    for amount, total in (("30.00", "40.00"), ("45.00", "45.00")):
        bill(world, [f"I-9,,,,{amount},EUR,letter"])
        assert spent(world) == Decimal(total)
    bill(world, ["I-9,,,,30.00,EUR,letter", "I-1,FIRST,,,18.00,EUR,"])
    assert spent(world) == Decimal("48.00"), "the run that has its own invoice, and all that may be for the other one"
    bill(world, ["I-1,FIRST,,,18.00,CHF,"])
    assert next_day(world).hold == "budget"
    assert "was billed in CHF, not EUR" in (world.ledger().latest()[0].error or "")


def test_a_frozen_file_that_no_longer_fits_is_made_again_and_held_without_a_file(world: SuppliedWorld) -> None:
    """It was frozen and not delivered. By then an invoice has come that leaves too little for it."""
    world.declare(schedule=DAILY, budget=budget("60 EUR"))
    (world.folder / "outbox").rename(world.folder / "elsewhere")
    (world.folder / "outbox").write_text("no folder, so that the delivery fails")
    run = next_day(world)
    assert (run.state, spent(world)) == ("failed", Decimal("60.00"))
    bill(world, ["I-1,FIRST,,,25.00,EUR,"])
    (world.folder / "outbox").unlink()
    (world.folder / "elsewhere").rename(world.folder / "outbox")
    with pytest.raises(Held, match=r"5\.00 EUR more than its budget"):
        resume(world.job(), run, world.ledger())
    assert release(world.job(), world.ledger().known(run.run_id), world.ledger(), SAID).state == "settled"
    gates = {gate.name: gate.verdict for gate in gates_of(world, run.run_id)}
    assert (gates["volume"], gates["budget"]) == ("passed", "accepted")
    world.check()


def gates_of(world: SuppliedWorld, run_id: str) -> list[Gate]:
    """The gates as the run's page shows them."""
    ledger = world.ledger()
    (row,) = [row for row in read_runs(ledger) if row.run_id == run_id]
    return gates(row, read_details(ledger, [run_id])[run_id], contractual=False)


def test_the_page_of_a_held_run_shows_which_gates_it_has_passed(world: SuppliedWorld) -> None:
    run = next_day(world)
    found = [(gate.name, gate.verdict) for gate in gates_of(world, run.run_id)]
    assert found[-4:] == [("volume", "passed"), ("budget", "held"), ("conflict", "open"), ("unknown", "open")]
