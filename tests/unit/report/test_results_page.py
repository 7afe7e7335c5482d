"""The page of results: the numbers of the models, in both languages, and none where there is nothing to compare with."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from dmail_runner.core.settings import Settings
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned
from dmail_runner.project.dbt_process import run_dbt
from dmail_runner.project.manifest import Manifest
from dmail_runner.report.declared import Project
from dmail_runner.report.pages import Pages
from dmail_runner.report.results import DAYS, RESULTS, STATUSES, CampaignResults, read_results, read_statuses, results_of
from dmail_runner.report.results_page import results_view
from dmail_runner.report.site import write_report
from reports import Tables
from results_world import ResultsWorld
from sample_results import HELD_OUT, MAILED, sample_results

NOW = datetime(2027, 8, 1, tzinfo=UTC)
NOTHING = Manifest({"nodes": {}, "macros": {}, "exposures": {}, "sources": {}})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(tmp_path, tmp_path / ".dmail", tmp_path / "history", None, None)
    found.prepare()
    return found


@pytest.fixture
def ledger(settings: Settings) -> Ledger:
    return Ledger(settings, lambda: NOW)


def cells(*, held_out: int, treatments: tuple[str, ...] = ("A", "B")) -> CampaignResults:
    """The results of cells with 500 people each, of whom every fifth responds."""
    world = ResultsWorld()
    names = [
        *(("mailed", treatment) for treatment in treatments for _ in range(500)),
        *(("holdout", None) for _ in range(held_out)),
    ]
    world.mail("spring-1", "2027-03-01 10:00:00", [(f"p{nr}", None, *cell) for nr, cell in enumerate(names)])
    world.respond(*((f"p{nr}", f"2027-03-{2 + nr % 7}", 10) for nr in range(0, len(names), 5)))
    return results_of(world.connection, "rpt_results", "rpt_response_days")["spring"]


def written(found: CampaignResults, path: Path, now: datetime = NOW) -> tuple[str, Tables]:
    text = Pages(now, lineage=False).results(results_view("spring", None, found, now))
    path.write_text(text)
    return text, Tables(path)


def test_the_numbers_of_the_models_are_on_the_page(tmp_path: Path) -> None:
    found = sample_results()["spring_catalog"]
    text, tables = written(found, tmp_path / "page.html")
    all_mailed = found.mailed
    assert all_mailed is not None
    assert all_mailed.lift is not None
    assert tables.find("Control group")[1] == f"{HELD_OUT}"
    rows = [row for row in tables.rows if row[0] == "All mailed"]
    assert rows[0][1:4] == [f"{MAILED:,}", f"{MAILED:,}", f"{all_mailed.responders:,}"]
    assert rows[1][1].startswith(f"+{100 * all_mailed.lift:.2f}")
    assert f"{100 * all_mailed.lift:.2f}".replace(".", ",") in text, "in Portuguese"
    last = [row for row in tables.rows if row[0].isdigit()][-1]
    assert last[1].startswith(f"{all_mailed.responders:,} "), "the table behind the chart ends with all responders"
    assert "provisional" not in text


def test_a_page_asks_nobody_for_anything_and_shows_nobody(tmp_path: Path) -> None:
    text, _ = written(cells(held_out=500, treatments=("<b>bold</b>", "A")), tmp_path / "page.html")
    assert "<b>bold" not in text
    assert not re.search(r"https?://|@import|\bstyle=|\bsrc=", text)
    assert not re.search(r"\bp\d+\b", text)


def test_without_a_control_group_there_is_no_lift(tmp_path: Path) -> None:
    for held_out, why in ((0, "There is no control group"), (99, "is too small for a comparison")):
        text, tables = written(cells(held_out=held_out), tmp_path / "page.html")
        assert why in text
        assert "Incremental revenue" not in text
        assert len([row for row in tables.rows if row[0] in ("All mailed", "A", "B")]) == 3, "the responses are shown"


def test_each_treatment_has_a_line_and_results_before_the_end_are_provisional(tmp_path: Path) -> None:
    text, _ = written(cells(held_out=500), tmp_path / "page.html", datetime(2027, 4, 1, tzinfo=UTC))
    assert re.findall(r'<polyline class="curve (\w+)"', text) == ["cell0", "cell1", "control"]
    assert "These results are provisional: responses count until" in text
    assert "2027-05-30 10:00" in text


def test_a_negative_effect_has_its_sign_and_no_cost_for_each_responder(tmp_path: Path) -> None:
    found = cells(held_out=500, treatments=("A",))
    worse = [replace(cell, lift=-0.01, lift_low=-0.02, lift_high=0.0) if cell.lift is not None else cell for cell in found.cells]
    text, _ = written(replace(found, cells=tuple(worse)), tmp_path / "page.html")
    assert '-<span class="en">1.00' in text
    assert "not proven" in text


def test_the_report_writes_and_removes_the_page(tmp_path: Path, ledger: Ledger, settings: Settings) -> None:
    project, site = Project(settings, NOTHING, run_dbt, NOW), tmp_path / "site"
    some = {"c": cells(held_out=500)}
    ledger.open(Planned("c-20270301T100000Z", "c", datetime(2027, 3, 1, 10, tzinfo=UTC)))
    write_report(project, ledger, site, 10, results=some)
    assert (site / "results/c.html").is_file()
    assert 'href="../results/c.html"' in (site / "campaign/c.html").read_text()
    page = site / "run/c-20270301T100000Z.html"
    assert "Last known status" not in page.read_text()
    write_report(project, ledger, site, 10, statuses={"c-20270301T100000Z": {"in_transit": 12, "delivered": 1_203}})
    assert re.search(r"Last known status of the pieces<.*>delivered<.*>1,203<.*>in transit<.* 12<", page.read_text()), (
        "the page is written again"
    )
    exported = f"from '{settings.figures_dir}/piece_status.parquet' order by all"
    assert duckdb.sql(exported).fetchall() == [
        ("c-20270301T100000Z", "delivered", 1_203),
        ("c-20270301T100000Z", "in_transit", 12),
    ]
    assert not (site / "results/c.html").exists()
    assert "results/c.html" not in (site / "campaign/c.html").read_text()


def test_results_are_read_from_the_tables_if_they_were_built(settings: Settings) -> None:
    named = {
        name: {"name": name, "resource_type": "model", "relation_name": f'"main"."{name}"'} for name in (RESULTS, DAYS, STATUSES)
    }
    manifest, said = Manifest({"nodes": named, "macros": {}, "exposures": {}, "sources": {}}), list[str]()
    settings.profiles_dir.mkdir()
    (settings.project_dir / "dbt_project.yml").write_text("profile: p")
    target = "p: {target: dev, outputs: {dev: {type: duckdb, path: warehouse.duckdb}}}"
    (settings.profiles_dir / "profiles.yml").write_text(target)
    assert read_results(settings, NOTHING, said.append) == {}
    assert read_results(settings, manifest, said.append) == {}, "there is no warehouse"
    file = settings.project_dir / "warehouse.duckdb"
    with duckdb.connect(file) as connection:
        connection.execute("create table other (a integer)")
    assert read_results(settings, manifest, said.append) == {}, "the models were not built"
    assert read_statuses(settings, manifest, said.append) == {}
    world = ResultsWorld()
    world.mail("spring-1", "2027-03-01 10:00:00", [("a", None, "mailed", "A"), ("b", None, "holdout", None)])
    world.respond(("a", "2027-03-02", 10))
    world.mail("autumn-1", "2027-03-01 10:00:00", [("a", None, "mailed", None)])
    world.connection.execute(f"attach '{file}' as warehouse")
    for name in (RESULTS, DAYS):
        world.connection.execute(f"create table warehouse.{name} as from {name}")
    world.connection.execute(
        f"create table warehouse.{STATUSES} as from (values ('spring-1', 'delivered', 9), ('spring-1', 'returned', 1)) t (run_id, status, pieces)"
    )
    world.connection.close()
    assert read_statuses(settings, manifest, said.append) == {"spring-1": {"delivered": 9, "returned": 1}}
    found = read_results(settings, manifest, said.append)
    assert found["spring"].mailed is not None
    assert found["spring"].days["mailed", "A"] == {1: 1}
    assert not said
    file.write_bytes(b"broken")
    assert read_results(settings, manifest, said.append) == {}
    assert said[0].startswith("the report has no results: the warehouse")
