"""A run is held if the mail house has too little of a material, and each piece counts once."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from dmail_runner.core.errors import ConfigError
from dmail_runner.core.materials import Count, in_use
from dmail_runner.ledger.run import Run, run_as_json
from dmail_runner.project.named_columns import check_materials
from dmail_runner.run.commitments import uses
from dmail_runner.run.decisions import release, resume
from mailbox_of import Mailbox
from supplied_world import SuppliedWorld
from tiny import letter
from worlds import DAILY, DAY, SAID

MATERIALS: list[dict[str, Any]] = [
    {"item": "envelope"},
    {"item": "sheet", "per_piece": 2},
    {"by": "language", "items": {"de": "leaflet_de", "fr": "leaflet_fr"}},
]
PLENTY = (1000, "2027-03-01 18:00:00")


@pytest.fixture
def world(tmp_path: Path) -> SuppliedWorld:
    """A daily letter of twenty pieces, first seen at noon of 1 March."""
    world = SuppliedWorld(tmp_path / "world", letter())
    world.declare(schedule=DAILY, materials=MATERIALS)
    world.run_due()
    return world


def next_day(world: SuppliedWorld, **items: Any) -> Run:
    world.count(**{"envelope": PLENTY, "sheet": PLENTY, "leaflet_de": PLENTY, "leaflet_fr": PLENTY, **items})
    world.pass_time(DAY)
    world.run_due()
    return world.ledger().latest()[0]


def test_each_piece_needs_what_is_declared_for_it(world: SuppliedWorld) -> None:
    run = next_day(world)
    assert run.state == "settled"
    needs = {entry["item"]: entry["pieces"] for entry in run_as_json(run)["materials"]}
    assert needs == {"envelope": 20, "sheet": 40, "leaflet_de": 15, "leaflet_fr": 5}


@pytest.mark.parametrize(
    ("items", "fault"),
    [
        ({"sheet": (39, "2027-03-01 00:00:00")}, "the run needs 40 of sheet, and 39 were counted on 2027-03-01"),
        ({"leaflet_fr": (4, "2027-03-01 00:00:00")}, "the run needs 5 of leaflet_fr, and 4 were counted on 2027-03-01"),
        ({"envelope": (None, "2027-03-01 00:00:00")}, "envelope has no count with a number and a time"),
        ({"envelope": (-1, "2027-03-01 00:00:00")}, "envelope has no count with a number and a time"),
        ({"envelope": (99, "2027-03-01 00:00:00", "2027-03-01 00:00:00")}, "envelope is only valid until 2027-03-01"),
        ({"envelope": (99, "2027-02-01 00:00:00")}, "envelope was counted on 2027-02-01, more than 14d ago"),
        ({"envelope": (99, "2027-04-01 00:00:00")}, "the count of envelope is dated 2027-04-01, in the future"),
    ],
)
def test_what_is_missing_holds_the_run(world: SuppliedWorld, items: dict[str, Any], fault: str) -> None:
    world.provider["stock_counted_within"] = "14d"
    run = next_day(world, **items)
    assert (run.hold, run.parts) == ("stock", ())
    assert run.error == f"letter: {fault}: nothing was delivered"
    world.count(**dict.fromkeys(("envelope", "sheet", "leaflet_de", "leaflet_fr"), PLENTY))
    assert resume(world.job(), run, world.ledger()).state == "settled", "a new count ends it"


def test_what_the_stock_does_not_know_or_the_campaign_does_not_list_holds_the_run(world: SuppliedWorld) -> None:
    world.declare(schedule=DAILY, materials=[{"item": "card"}, {"by": "language", "items": {"fr": None}}])
    run = next_day(world)
    assert run.error == (
        "letter: 15 pieces have the language 'de', for which `materials` lists no item; card is not in the stock: "
        "nothing was delivered"
    )
    assert next_day(world, envelope=PLENTY).hold == "stock"
    done = release(world.job(), world.ledger().latest()[0], world.ledger(), SAID)
    assert done.state == "settled"


def test_a_count_of_an_item_twice_is_none(world: SuppliedWorld) -> None:
    world.declare(schedule=DAILY, materials=[{"item": "envelope"}])
    world.count(envelope=PLENTY)
    world.stock += " union all " + world.stock
    world.pass_time(DAY)
    world.run_due()
    assert "envelope is in the stock several times" in (world.ledger().latest()[0].error or "")


def test_runs_that_the_count_does_not_have_are_subtracted_once(world: SuppliedWorld) -> None:
    world.declare(schedule=DAILY, materials=[{"item": "envelope"}])
    assert next_day(world, envelope=(45, "2027-03-01 00:00:00")).state == "settled"
    assert next_day(world, envelope=(45, "2027-03-01 00:00:00")).state == "settled"
    held = next_day(world, envelope=(45, "2027-03-01 00:00:00"))
    assert held.error == (
        "letter: the run needs 20 of envelope, and 45 were counted on 2027-03-01, of which other runs need 40: "
        "nothing was delivered"
    )
    world.count(envelope=(25, "2027-03-04 00:00:00"))
    assert resume(world.job(), held, world.ledger()).state == "settled", "the count of the day after has both deliveries"


def test_until_the_mail_house_reports_the_mailing_its_materials_are_still_in_the_count(mailbox: Mailbox) -> None:
    world = SuppliedWorld(mailbox.settings.project_dir, letter())
    routes = {"answers": {"type": "folder", "path": "answers"}, "out": {"type": "folder", "path": "outbox"}}
    (world.folder / "profiles/routes.yml").write_text(yaml.safe_dump(routes))
    mailbox.declare(ack={"route": "answers", "files": "ack/*.csv", "layout": "generic_acknowledgement"})
    world.provider["acknowledge_within"] = "9d"
    world.declare(schedule=DAILY, materials=[{"item": "envelope"}])
    world.run_due()
    first = next_day(world, envelope=(45, "2027-03-01 00:00:00"))
    assert next_day(world, envelope=(45, "2027-03-01 00:00:00")).state == "settled"
    # The mail house has printed neither of them when it counts.
    held = next_day(world, envelope=(45, "2027-03-04 10:00:00"))
    assert "45 were counted on 2027-03-04, of which other runs need 40" in (held.error or "")
    mailbox.world.now = world.now
    mailbox.put("ack/one.csv", f"file_name,status,pieces,happened_at\n{first.parts[0].part.name},mailed,20,2027-03-03\n")
    mailbox.receive()
    assert resume(world.job(), held, world.ledger()).state == "settled", "one of them was mailed before the count"


def test_a_mailing_that_is_never_reported_counts_as_mailed_in_the_end(world: SuppliedWorld) -> None:
    world.provider["acknowledge_within"] = "9d"
    world.declare(schedule=DAILY, materials=[{"item": "envelope"}])
    assert next_day(world, envelope=(45, "2027-03-01 00:00:00")).state == "settled"
    later = Count("envelope", 45, world.now + 30 * DAY)
    assert in_use(uses(world.settings, world.ledger()), later) == 20
    world.pass_time(91 * DAY)
    assert in_use(uses(world.settings, world.ledger()), later) == 0


def test_the_service_tries_again_when_a_new_count_was_received(mailbox: Mailbox) -> None:
    world = SuppliedWorld(mailbox.settings.project_dir, letter())
    routes = {"answers": {"type": "folder", "path": "answers"}, "out": {"type": "folder", "path": "outbox"}}
    (world.folder / "profiles/routes.yml").write_text(yaml.safe_dump(routes))
    mailbox.declare(stock={"route": "answers", "files": "*.csv", "layout": "generic_stock"})
    world.declare(schedule=DAILY, materials=[{"item": "envelope"}])
    world.run_due()
    assert next_day(world, envelope=(5, "2027-03-01 00:00:00")).hold == "stock"
    world.pass_time(timedelta(minutes=5))
    tried = len(world.built)
    assert world.run_due() == []
    assert len(world.built) == tried, "nothing is known that was not known before"
    mailbox.world.now = world.now
    mailbox.put("stock.csv", "item,on_hand,alert_level,valid_until,lead_time_days,as_of\nenvelope,50,,,,2027-03-02\n")
    mailbox.receive()
    world.count(envelope=(50, "2027-03-02 00:00:00"))
    assert world.run_due() == []
    assert world.ledger().latest()[0].state == "settled"


def test_a_frozen_file_that_waits_is_checked_for_the_day_on_which_it_leaves(world: SuppliedWorld) -> None:
    world.declare(schedule=DAILY, materials=[{"item": "envelope"}])
    (world.folder / "outbox").write_text("no folder, so that the delivery fails")
    run = next_day(world, envelope=(100, "2027-03-01 00:00:00", "2027-03-04 00:00:00"))
    assert run.state == "failed"
    (world.folder / "outbox").unlink()
    world.pass_time(3 * DAY)
    with pytest.raises(Exception, match="envelope is only valid until 2027-03-04"):
        resume(world.job(), run, world.ledger())
    world.check()


def test_a_column_that_nobody_has_is_an_error() -> None:
    mail = letter(materials=[{"item": "envelope"}, {"by": "langauge", "items": {"de": "x"}}]).mail
    (fault,) = check_materials(["profile_id", "language"], mail, "letter.yml", "mail")
    assert str(fault) == (
        "letter.yml: mail.materials[1].by: neither the extract nor the recipients have a column 'langauge'; "
        "allowed: profile_id, language"
    )
    for wrong in (
        {},
        {"item": "a", "by": "b", "items": {"c": "d"}},
        {"by": "b"},
        {"items": {"c": "d"}},
        {"item": "a", "per_piece": 0},
    ):
        with pytest.raises((ValueError, ConfigError)):
            letter(materials=[wrong])
