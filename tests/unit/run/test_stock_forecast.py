"""What coming runs need, when too little is left, and who is told in time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dmail_runner.check.stock import Stock
from dmail_runner.core.materials import Count
from dmail_runner.declare.notices import Notices
from dmail_runner.plan.stock import Coming, Forecast, text, urgent
from dmail_runner.project.manifest import Manifest
from dmail_runner.run import stock as run_stock
from dmail_runner.run.due import Scheduler, run_all_due
from dmail_runner.run.notify import Notice, Notifier
from dmail_runner.run.stock import announce_stock, forecast, stock_as_json, stock_rows
from supplied_world import SuppliedWorld
from tiny import letter
from worlds import DAILY, DAY

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


def count(on_hand: int = 100, **given: Any) -> Count:
    return Count("envelope", on_hand, **{"counted": NOW - DAY, "alert_level": 30, "lead_time_days": 10, **given})


def coming(*days: int, pieces: int | None = 20) -> tuple[Coming, ...]:
    return tuple(Coming(NOW + day * DAY, "letter", None, pieces) for day in days)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Forecast("envelope", count(), used=10, coming=coming(5, 20, 40)), None),
        (Forecast("envelope", count(), used=10, coming=coming(5, 6, 7, 8, 9, 10)),
         ("fewer than 30 of envelope are left after letter on 2027-03-09, and too little for letter on 2027-03-10: "
          "100 were counted on 2027-02-28")),
        (Forecast("envelope", count(), used=10, coming=coming(5, pieces=91)),
         "too little of envelope is left for letter on 2027-03-06: 100 were counted on 2027-02-28"),
        (Forecast("envelope", count(), used=90, coming=coming(5)),
         "fewer than 30 of envelope are left, and too little for letter on 2027-03-06: 100 were counted on 2027-02-28"),
        (Forecast("envelope", count(valid_until=NOW + 4 * DAY), coming=coming(5, 6, 7, 8)),
         "envelope is valid until 2027-03-05, and letter on 2027-03-06 needs it"),
        (Forecast("envelope", count(), used=10, coming=coming(5, 6, 7, 8)),
         "fewer than 30 of envelope are left after letter on 2027-03-09: 100 were counted on 2027-02-28"),
        (Forecast("envelope", count(lead_time_days=2), used=10, coming=coming(5, 6, 7, 8)), None),
        (Forecast("envelope", count(), used=71), "fewer than 30 of envelope are left: 100 were counted on 2027-02-28"),
        (Forecast("envelope", count(alert_level=None), used=71), None),
        (Forecast("envelope", count(alert_level=None, lead_time_days=None), used=71, coming=coming(0, 1)), None),
        (Forecast("envelope", count(valid_until=NOW + 4 * DAY), coming=coming(5)),
         "envelope is valid until 2027-03-05, and letter on 2027-03-06 needs it"),
        (Forecast("envelope", count(valid_until=NOW + 40 * DAY), coming=coming(41)), None),
        (Forecast("envelope", None, "is not in the stock", coming=coming(5)),
         "envelope is not in the stock, and letter on 2027-03-06 needs it"),
        (Forecast("envelope", None, "is not in the stock"), None),
        (Forecast("envelope", count(), coming=coming(5, 6, pieces=None)), None),
    ],
)  # fmt: skip
def test_an_item_is_reported_when_more_must_be_ordered(found: Forecast, said: str | None) -> None:
    assert [text(one) for one in urgent([found], NOW)] == ([said] if said else [])
    assert stock_as_json(found, NOW)["urgent"] is (said is not None)


@pytest.fixture
def world(tmp_path: Path) -> SuppliedWorld:
    """A daily letter of twenty pieces, of which one was mailed."""
    world = SuppliedWorld(tmp_path / "world", letter())
    world.declare(schedule=DAILY, materials=[{"item": "envelope"}, {"by": "language", "items": {"de": "de", "fr": "fr"}}])
    world.count(envelope=(100, "2027-03-01 00:00:00"), de=(1000, "2027-03-01 00:00:00"), fr=(7, "2027-03-01 00:00:00"))
    world.run_due()
    world.pass_time(DAY)
    assert world.run_due() == []
    return world


def found_in(world: SuppliedWorld) -> dict[str, Forecast]:
    counts = {
        "envelope": Count("envelope", 100, datetime(2027, 3, 1, tzinfo=UTC), 30, None, 2),
        "fr": Count("fr", 7, datetime(2027, 3, 1, tzinfo=UTC)),
        "old card": Count("old card", 3, datetime(2027, 3, 1, tzinfo=UTC)),
    }
    return {one.item: one for one in forecast(Stock(counts), [world.campaign], world.ledger(), world.settings)}


def test_coming_runs_need_what_the_last_one_did(world: SuppliedWorld) -> None:
    found = found_in(world)
    assert list(found) == ["de", "envelope", "fr", "old card"]
    envelope = found["envelope"]
    assert (envelope.used, envelope.left, len(envelope.coming)) == (20, 80, 90)
    assert envelope.coming[0] == Coming(datetime(2027, 3, 3, 6, tzinfo=UTC), "letter", None, 20)
    low, short = envelope.low, envelope.short
    assert low
    assert short
    assert (f"{low.at:%m-%d}", f"{short.at:%m-%d}") == ("03-05", "03-07")
    assert (found["fr"].left, found["fr"].low) == (2, found["fr"].coming[0])
    assert found["de"].fault == "is not in the stock"
    rows = {row[0]: row[1:] for row in stock_rows(list(found.values()))}
    assert rows["envelope"] == ["100", "2027-03-01", "20", "80", "30", "2027-03-05", "2027-03-07", "-"]
    assert rows["de"] == ["-", "-", "0", "-", "-", "2027-03-03", "2027-03-03", "-"]


def test_a_run_that_waits_is_counted_once_and_a_stopped_campaign_needs_nothing(world: SuppliedWorld) -> None:
    world.count(envelope=(30, "2027-03-01 00:00:00"), de=(1000, "2027-03-01 00:00:00"), fr=(70, "2027-03-01 00:00:00"))
    world.pass_time(DAY)
    world.run_due()
    assert world.ledger().latest()[0].hold == "stock"
    envelope = found_in(world)["envelope"]
    assert (envelope.used, [one.at for one in envelope.coming[:2]]) == (20, [world.now, datetime(2027, 3, 4, 6, tzinfo=UTC)])
    assert str(envelope.coming[0]) == "letter on 2027-03-03", "its text does not change from day to day"
    world.declare(schedule=DAILY, status="stopped", materials=[{"item": "envelope"}])
    assert found_in(world)["envelope"].coming == ()


def test_people_are_told_once_of_what_must_be_ordered(world: SuppliedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.campaign = replace(world.campaign, email="ann@example.com")
    manifest = cast("Manifest", SimpleNamespace(
        names=["letter"], orphans=list, campaign=lambda _: world.campaign, nodes={"model.tiny.int_materials": {"relation_name": '"int_materials"'}},
        roles=SimpleNamespace(player=lambda _: SimpleNamespace(id="model.tiny.int_materials")),
    ))  # fmt: skip
    sent: list[Notice] = []

    class Kept(Notifier):
        def announce(self, notice: Notice) -> None:
            if self.is_new(notice):
                sent.append(notice)

    ledger, said = world.ledger(), list[str]()
    notifier = Kept(Notices(), ledger, said.append)
    for _ in range(3):
        run_all_due(
            world.settings, Scheduler(ledger, notifier), load=lambda: manifest, find=lambda *_: world.job(),
            attempt=lambda step: int(bool(step())), tell=said.append,
        )  # fmt: skip
        world.pass_time(timedelta(hours=1))
    assert [(one.kind, one.campaign, one.owner, one.what) for one in sent] == [
        (
            "stock",
            "letter",
            "ann@example.com",
            "Fewer than 5 of fr are left, and too little for letter on 2027-03-03: 7 were counted on 2027-03-01.",
        ),
    ]
    assert sent[0].todo.startswith("order more, which takes 2 days, or fetch a new count")
    (world.settings.state_dir / "warehouse.duckdb").write_bytes(b"no database")
    announce_stock(world.settings, manifest, ledger, notifier, said.append)
    assert said[-1].startswith("note     the stock cannot be read: ")
    monkeypatch.setattr(run_stock, "campaigns_with_materials", lambda _: [])
    announce_stock(world.settings, manifest, ledger, notifier, said.append)
    assert len(said) == 1
