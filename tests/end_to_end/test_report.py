"""The report: its figures are the ledger's, it shows nobody, it asks nobody for anything, and everybody can read it."""

import csv
import json
import re
import stat
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dmail_runner.core.settings import find_settings
from dmail_runner.core.values import Part, Receipt, Verdicts
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, run_name
from dmail_runner.ledger.tables import runs
from dmail_runner.project.manifest import Manifest
from dmail_runner.report import declared, tiles, words
from dmail_runner.report.attention import needs
from dmail_runner.report.campaign_page import campaign_view
from dmail_runner.report.export import TABLES
from dmail_runner.report.pages import Pages
from dmail_runner.report.rows import read_details, read_runs
from dmail_runner.report.run_page import run_view
from dmail_runner.report.verdicts import decisions, gates
from project import Project, surroundings
from reports import FAILED_RUN, HELD_RUN, NOW, SETTLED, Tables, commands, pages


def test_the_figures_are_the_ledgers(done: Path) -> None:
    told = {run["run_id"]: run for run in Project(done).status()}
    for run in told.values():
        page = Tables(done / f"site/run/{run['run_id']}.html")
        if run["targeted"] is None:
            assert not any(row[0] == "Targeted" for row in page.rows if row)
            continue
        sends = sum(part["rows"] for part in run["parts"])
        assert page.find("Targeted")[2] == str(run["targeted"])
        assert page.find("Included")[2] == str(run["included"])
        assert page.find("Sends")[2] == str(sends)
        assert page.find("Delivered")[2] == str(sends if run["state"] == "settled" else 0)
        for reason, count in run["excluded"].items():
            row = page.find(words.WORDS[f"reason.{reason}"].en)
            assert row[0].endswith(reason)
            assert row[2] == f"-{count}"
        for part in run["parts"]:
            assert any(part["sha256"] in cell for row in page.rows for cell in row)
    settled = next(run for run in told.values() if run["state"] == "settled")
    line = Tables(done / "site/campaign/renewal_notice.html").find("2026-11-02 12:00")
    assert line[2] == str(settled["targeted"])
    assert line[3] == str(sum(settled["excluded"].values()))
    assert line[4] == line[5] == str(settled["included"] + settled["seeds"])


def test_what_needs_a_person_is_on_top_with_what_to_type(done: Path) -> None:
    page = (done / "site/index.html").read_text()
    shown, _ = page.split('id="campaigns"')
    assert commands(shown)[:2] == [f"dmail-runner resume {HELD_RUN}", f"dmail-runner resume {FAILED_RUN}"]
    assert "Held: opt-out" in shown
    assert "people in the file have said no" in page


def test_no_page_shows_anybody(done: Path) -> None:
    assert len(pages(done)) == 1 + 4 + 3
    for path in pages(done):
        text = path.read_text()
        assert "anary" not in text, path
        assert not re.search(r"\b00000\d{5}\b|seed-00\d", text), path
        assert not re.search(r"https?://|//cdn|@import|\bstyle=", text), path


def test_a_campaigns_page_tells_its_columns_and_where_they_come_from(done: Path) -> None:
    catalog = Tables(done / "site/campaign/spring_catalog.html")
    (name,) = (row for row in catalog.rows if len(row) > 5 and row[1].startswith("Full Name"))
    assert "Title, first and last name." in name[2]
    assert name[3] == "Dr Ray", "a made-up value from the unit tests"
    assert name[5] == 'join_words(["title", "first_name", "last_name"])'
    assert name[6].strip() == "crm.profiles.title, crm.profiles.first_name, crm.profiles.last_name"
    notice = Tables(done / "site/campaign/renewal_notice.html")
    (fee,) = (row for row in notice.rows if len(row) > 5 and row[1].startswith("Fee"))
    assert "width 16" in fee[4]
    assert "align right" in fee[4]
    text = (done / "site/campaign/spring_catalog.html").read_text()
    assert "../lineage.html#!/exposure/exposure.dmail.spring_catalog" in text


def test_a_run_tells_who_let_it_pass_and_what_it_does_not_know_by_its_own_name(ledger: Ledger) -> None:
    run = ledger.open(Planned(run_name("c", NOW), "c", NOW))
    ledger.hold(run, "volume", "c: 9 pieces are fewer than min_rows, 10: nothing was delivered")
    ledger.note(run, "released", "volume by ann: the new shops are in")
    ledger.accept(run, "volume", "ann")
    ledger.hold(run, "approval", "waits for two people")
    ledger.note(run, "frobbed", "nobody knows what this is")
    part = Part(1, "f.csv", 9, 90, "0" * 64, "outbox")
    ledger.freeze(run, Verdicts(10, 9, {"contract:ZIP:pattern": 1}), [part], "1,234.50 USD")
    ledger.deliver(run, part, Receipt("/outbox/f.csv", 90, part.sha256, adopted=False))
    with ledger.engine.begin() as connection:
        connection.execute(runs.update().values(state="frozen_in_wave"))
    (row,) = read_runs(ledger)
    details = read_details(ledger, [row.run_id])[row.run_id]
    assert [(one.kind, one.what, one.by, one.reason) for one in decisions(details)] == [
        ("released", "volume", "ann", "the new shops are in"),
        ("accepted", "volume", "ann", ""),
    ]
    found = {gate.name: (gate.verdict, gate.by) for gate in gates(row, details, contractual=True)}
    assert found["volume"] == ("accepted", "ann")
    assert found["opt_out"] == ("not_asked", "")
    assert found["approval"] == ("passed", "")
    assert found["conflict"] == ("passed", "")
    drawn = Pages(NOW, lineage=False)
    page = drawn.run(run_view(row, None, details)) + drawn.campaign(campaign_view("c", None, [row], [], {row.run_id}))
    for shown in (
        "<code>frozen_in_wave</code>",
        "<code>frobbed</code>",
        "ZIP:pattern",
        "1.234,50\u00a0USD",
    ):
        assert shown in page
    assert needs([row], {}, [], NOW) == []


def test_maps_have_a_tile_for_each_place_once(base: Path) -> None:
    world = [code for code in tiles.WORLD.split() if code != ".."]
    with (base / "seeds/countries.csv").open() as file:
        known = {row["country_code"] for row in csv.DictReader(file)}
    assert len(world) == len(set(world))
    assert set(world) - known <= {"KP", "SY"}, "the post takes nothing there"
    assert {len(row.split()) for row in tiles.WORLD.strip().splitlines()} == {27}
    assert len(set(tiles.UNITED_STATES.split())) == 1 + 50 + 2, "the states, DC, Puerto Rico, and the sea"


def check_totals(totals: dict[str, tuple[Any, ...]], runs: list[dict[str, Any]]) -> None:
    """The sums of each campaign. None has windows or waves here."""
    assert totals
    for campaign, sums in totals.items():
        own = [run for run in runs if run["campaign"] == campaign and run["targeted"] is not None and "copy_of" not in run]
        targeted, included = (sum(run[name] for run in own) for name in ("targeted", "included"))
        assert sums == (targeted, targeted - included, included)


def test_dbts_models_have_the_ledgers_figures(done: Path) -> None:
    project = Project(done)
    built = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "build", "--quiet", "--select", "models/reporting"],
        cwd=done, env={**surroundings(), "DBT_PROFILES_DIR": "profiles"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout
    with duckdb.connect(str(done / ".dmail/warehouse.duckdb"), read_only=True) as warehouse, chdir(done):

        def rows(query: str) -> list[tuple[Any, ...]]:
            return warehouse.execute(query).fetchall()

        shown = {
            row[0]: row[1:] for row in rows("select run_id, state, targeted, included, seeds, sends, delivered from rpt_runs")
        }
        reasons = rows("select run_id, reason, profiles from rpt_exclusions")
        files = {row[0]: row[1:] for row in rows("select run_id, sha256, row_count from rpt_parts where not is_side_file")}
        people = dict(rows("select run_id, people from rpt_contacts where cell = 'mailed'"))
        going = dict(rows("select run_id, sum(pieces) from rpt_regions group by run_id"))
        totals = {row[0]: row[1:] for row in rows("select campaign, targeted, excluded, included from rpt_campaigns")}
        for table, columns in TABLES.items():
            described = rows(f"describe select * from read_parquet('.dmail/figures/{table}.parquet')")
            assert {name: kind.lower().replace(",", ", ") for name, kind, *_ in described} == dict(columns)
    told = {run["run_id"]: run for run in project.status()}
    assert shown.keys() == told.keys()
    assert told.keys() >= {SETTLED, HELD_RUN, FAILED_RUN}
    for run_id, run in told.items():
        sends = sum(part["rows"] for part in run["parts"]) if run["targeted"] is not None else None
        delivered = sends if run["state"] == "settled" else None if sends is None else 0
        assert shown[run_id] == (
            run["state"],
            run["targeted"],
            run["included"],
            run["seeds"] or (0 if sends is not None else None),
            sends,
            delivered,
        )
        assert {reason: count for one, reason, count in reasons if one == run_id} == run["excluded"]
    check_totals(totals, list(told.values()))
    frozen = {run_id: run for run_id, run in told.items() if run["parts"]}
    assert people == going == {run_id: run["included"] for run_id, run in frozen.items()}
    assert files == {run_id: (run["parts"][0]["sha256"], run["parts"][0]["rows"]) for run_id, run in frozen.items()}
    for file in (done / ".dmail/figures").iterdir():
        assert b"Canary" not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_provider_takes_what_its_contract_says(base: Path, manifest: str) -> None:
    settings = find_settings(base)
    project = declared.Project(settings, Manifest(json.loads(manifest)), lambda *_: pytest.fail("no dbt"), NOW)
    found = project.declared("loyalty_offer")
    assert found.provider_label == "Offerworks"
    assert found.format.startswith("delimited, delimiter '|'")
    assert list(project.key_faults()) == []
    broken = json.loads(manifest)
    exposure = broken["exposures"]["exposure.dmail.loyalty_offer"]
    exposure["config"]["meta"]["direct_mail"]["provider"] = "nobody"
    exposure["meta"] = exposure["config"]["meta"]
    fault = declared.Project(settings, Manifest(broken), lambda *_: pytest.fail("no dbt"), NOW).declared("loyalty_offer")
    assert "there is no such provider" in fault.fault
