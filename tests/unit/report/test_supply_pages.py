"""The pages of costs and of materials: the figures of the ledger and of invoices, in both languages."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pytest
import yaml

from dmail_runner.check.stock import Stock
from dmail_runner.core.materials import Count
from dmail_runner.plan.stock import Coming, Forecast
from dmail_runner.project.manifest import Manifest
from dmail_runner.report.costs_page import costs_view
from dmail_runner.report.declared import Declared, KeyFault, Project
from dmail_runner.report.pages import Pages
from dmail_runner.report.rows import read_runs
from dmail_runner.report.site import write_report
from dmail_runner.report.stock_page import stock_view
from dmail_runner.report.supplies import Supplies, read_supplies
from dmail_runner.report.words.supplies import SUPPLIES
from dmail_runner.run.stock import forecast
from reports import Tables
from supplied_world import SuppliedWorld, bill
from tiny import letter
from worlds import DAILY, DAY

DASH, SPACE = "\N{EN DASH}", "\N{NO-BREAK SPACE}"
PROGRAMMES = {
    "spring": {"order": "PO-4711", "max": "50 EUR", "cost_centre": "4200"},
    "autumn": {"order": "PO-4800", "max": "20000.50 EUR"},
}


@pytest.fixture
def world(tmp_path: Path) -> SuppliedWorld:
    """A daily letter of 20 EUR, of which two were mailed and the third exceeds the budget. One is billed."""
    world = SuppliedWorld(tmp_path / "world", letter())
    (world.settings.profiles_dir / "programmes.yml").write_text(yaml.safe_dump(PROGRAMMES))
    world.declare(schedule=DAILY, programme="spring", materials=[{"item": "envelope"}])
    world.count(envelope=(300, "2027-03-01 00:00:00"))
    world.run_due()
    for _ in range(3):
        world.pass_time(DAY)
        world.run_due()
    assert [run.state for run in world.ledger().latest()] == ["held", "settled", "settled"]
    bill(world, ["I-1,FIRST,,,21.50,EUR,"])
    return world


def manifest(world: SuppliedWorld) -> Manifest:
    return cast("Manifest", SimpleNamespace(names=["letter"], campaign=lambda _: world.campaign, exposures={}, nodes={}))


class TinyProject(Project):
    """A project whose declarations are those of the world."""

    def declared(self, name: str) -> Declared:
        return Declared(name, "Letter", status="active")

    def key_faults(self) -> Iterator[KeyFault]:
        yield from ()


def written(world: SuppliedWorld, folder: Path, **given: Any) -> Mapping[str, str]:
    ledger = world.ledger()
    project = TinyProject(world.settings, manifest(world), world.run_dbt, world.now)
    costs = costs_view(world.settings, project.manifest, ledger)
    write_report(project, ledger, folder, 10, supplies=Supplies(costs, **given))
    return {path.name: path.read_text() for path in folder.glob("*.html")}


def amounts(cells: list[str]) -> list[str]:
    """Cells of amounts, without their currency, which is that of the budget."""
    return [cell.splitlines()[0].removesuffix(f"{SPACE}EUR") for cell in cells]


def test_costs_are_those_of_the_order(world: SuppliedWorld, tmp_path: Path) -> None:
    pages = written(world, tmp_path / "site")
    tables = Tables(tmp_path / "site/costs.html")
    # Budget, spent (an invoice and an estimate), left; estimate and invoices.
    assert amounts(tables.find("PO-4711")[2:]) == ["50.00", "41.50", "8.50", "40.00", "21.50"]
    # One order; production, postage and estimate; invoices.
    assert amounts(tables.find("4200")[1:]) == ["1", "16.00", "24.00", "40.00", "21.50"]
    assert tables.find("PO-4711")[0] == "PO-4711 springCost centre 4200"
    assert amounts(tables.find("PO-4800")[2:]) == ["20000.50", "0.00", "20000.50", "0.00", DASH]
    first, second = (run.run_id for run in reversed(world.ledger().latest()[1:]))
    assert amounts(tables.find(first)[1:]) == ["8.00", "12.00", "20.00", "21.50", "21.50"]
    assert amounts(tables.find(second)[1:]) == ["8.00", "12.00", "20.00", DASH, "20.00"]
    assert f'href="run/{first}.html"' in pages["costs.html"]
    for text in ("Centros de custo", "Orçamento", "Porte", "20.000,50", "41,50"):
        assert text in pages["costs.html"]
    assert '<a href="costs.html">' in pages["index.html"]
    assert "stock.html" not in pages["index.html"], "no stock was built"


def test_the_figures_for_other_tools_have_the_order(world: SuppliedWorld, tmp_path: Path) -> None:
    written(world, tmp_path / "site")
    rows = duckdb.sql(
        "select distinct production, postage, cost, currency, purchase_order, cost_centre "
        f"from '{world.settings.figures_dir}/runs.parquet' where state = 'settled'"
    ).fetchall()
    assert rows == [(Decimal("8.00"), Decimal("12.00"), Decimal("20.00"), "EUR", "PO-4711", "4200")]
    assert [row.estimate.order if row.estimate else None for row in read_runs(world.ledger())] == [None, "PO-4711", "PO-4711"]


def test_an_order_that_is_no_longer_declared_is_still_there(world: SuppliedWorld) -> None:
    (world.settings.profiles_dir / "programmes.yml").unlink()
    world.declare(schedule=DAILY)
    found = costs_view(world.settings, manifest(world), world.ledger())
    assert found
    (order,) = found.orders
    assert (order.most, order.left, order.spent, order.cost_centre, order.campaigns) == (
        None,
        None,
        Decimal("41.50"),
        "4200",
        ("letter",),
    )
    bill(world, ["I-1,FIRST,,,21.50,CHF,"])
    found = costs_view(world.settings, manifest(world), world.ledger())
    assert found
    assert "was billed in CHF, not EUR" in found.orders[0].unknown[0]
    (world.settings.inbound_dir / "invoice/bill.parquet").unlink()
    assert "PO-4711" in Pages(world.now, lineage=False).costs(found)


def test_materials_are_those_of_the_forecast(world: SuppliedWorld, tmp_path: Path) -> None:
    counts = {"envelope": Count("envelope", 1300, datetime(2027, 3, 1, tzinfo=UTC), 1270, datetime(2027, 5, 1, tzinfo=UTC), 5)}
    found = forecast(Stock(counts), [world.campaign], world.ledger(), world.settings)
    found.append(Forecast("card", None, "is not in the stock", coming=(Coming(world.now, "letter", 2, None),)))
    pages = written(world, tmp_path / "site", stock=stock_view(found, world.now))
    assert '<a href="stock.html">' in pages["index.html"]
    tables = Tables(tmp_path / "site/stock.html")
    assert tables.find("envelope order now")[:10] == [
        "envelope order now", "", "1260", "1300", "2027-03-01", "40", "1270", "now", "2027-05-02", "2027-05-01",
    ]  # fmt: skip
    assert tables.find("card order now")[2:5] == [DASH, DASH, DASH]
    rows = [[cell.strip() for cell in row] for row in tables.rows]
    assert ["2027-03-04 12:00", "letter", "20", "1,240"] in rows, "the held run is still to come"
    assert ["2027-03-04 12:00", "letter Wave 2", "unknown, the first run"] in [row[:3] for row in rows]
    for text in ("encomendar já", "o item não está no estoque."):
        assert text in pages["stock.html"]


def test_the_most_urgent_items_come_first() -> None:
    now = datetime(2027, 3, 1, tzinfo=UTC)
    some = [Forecast("a", Count("a", 10, now)), Forecast("b", Count("b", 1, now, 5)), Forecast("c", Count("c", 1, now))]
    assert [one.found.item for one in stock_view(some, now).items] == ["b", "a", "c"]


def test_every_text_has_both_languages() -> None:
    for key, word in SUPPLIES.items():
        assert re.findall(r"\{\w+\}", word.en) == re.findall(r"\{\w+\}", word.pt), key


def test_what_cannot_be_read_leaves_the_page_out_and_is_said(world: SuppliedWorld) -> None:
    (world.settings.inbound_dir / "invoice/bill.parquet").write_bytes(b"no parquet")
    said: list[str] = []
    none = cast("Manifest", SimpleNamespace(names=[]))
    assert read_supplies(world.settings, none, world.ledger(), said.append) == Supplies()
    assert said == [
        "note     the report has no costs: the content of received files cannot be read or written: InvalidInputException"
    ]
