"""The report: its figures are the ledger's, it shows nobody, it asks nobody for anything, and everybody can read it."""

import csv
import json
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest
from browser import Browser, axe_source, chromium
from conftest import DONE, FAILED, HELD, SLOT, WRONG, Project, surroundings
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import letter

from dmail_runner.check.regions import SMALLEST, places
from dmail_runner.core.redact import discreet
from dmail_runner.core.settings import find_settings
from dmail_runner.core.values import Build, Churn, Part, Place, Receipt, Verdicts
from dmail_runner.declare.campaign import Column
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, run_name
from dmail_runner.ledger.tables import exclusions, parts, runs
from dmail_runner.project.manifest import Manifest
from dmail_runner.report import declared, tiles, words
from dmail_runner.report.attention import needs
from dmail_runner.report.declared import Declared
from dmail_runner.report.export import TABLES
from dmail_runner.report.figures import figures_of, funnel, total
from dmail_runner.report.pages import Pages
from dmail_runner.report.rows import Approval, Details, RunRow, read_details, read_runs
from dmail_runner.report.verdicts import decisions, gates
from dmail_runner.report.views import campaign_view, overview, run_view

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SETTLED, HELD_RUN, FAILED_RUN = (f"{name}-20261102T110000Z" for name in ("renewal_notice", "spring_catalog", "loyalty_offer"))
FOLDER = "models/campaigns/spring_catalog/"
SPACE = "\u202f"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def done(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of canaries with a settled run, one that would mail opted-out people, and a failed one; and its report."""
    project = Project(Path(shutil.copytree(base, tmp_path_factory.mktemp("report") / "project")))
    profiles = project.path / "data/profiles.csv"
    with duckdb.connect() as connection:
        connection.execute(f"create table p as select * from read_csv('{profiles}', all_varchar = true)")
        connection.execute("update p set first_name = 'Canaryfirst', last_name = 'Canary' || profile_id, city = 'Canaryville'")
        connection.execute(f"copy p to '{profiles}' (header true)")
    project.edit(FOLDER + "spring_catalog__recipients.sql", "dmail.consent(),", "")
    with (project.path / "profiles/routes.yml").open("a") as routes:
        routes.write("nowhere: {type: folder, path: /proc/nowhere}\n")
    project.edit("profiles/providers.yml", "label: Offerworks\n  route: outbox", "label: Offerworks\n  route: nowhere")
    assert project.call("run", "renewal_notice", "--slot", SLOT).returncode == DONE
    held = project.run()
    assert held.returncode == HELD, held.stderr
    assert "profile_id 00" in held.stderr, "the terminal names one of them"
    assert project.call("run", "loyalty_offer", "--slot", SLOT).returncode == FAILED
    (project.path / "site").mkdir()
    (project.path / "site/lineage.html").write_text("made by dmail-runner docs")
    told = project.call("report")
    assert told.returncode == DONE, told.stderr
    assert f"open {project.path}/site/index.html" in told.stdout
    return project.path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def ledger(base: Path, tmp_path: Path) -> Ledger:
    settings = replace(find_settings(base), state_dir=tmp_path, ledger_url=None)
    return Ledger(settings, lambda: NOW)


class Tables(HTMLParser):
    """The English text of a page's table rows: each is a list of cells."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[bool] = []  # for each open span, whether it hides its text
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "span":
            self.open.append(("class", "pt") in attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == "span":
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and not any(self.open):
            self.rows[-1][-1] += data

    def find(self, first: str) -> list[str]:
        """The row whose first cell begins with a text, without the spaces of its numbers."""
        (row,) = (row for row in self.rows if row and row[0].strip().startswith(first))
        return [cell.strip().replace(SPACE, "") for cell in row]


def pages(project: Path) -> list[Path]:
    return [path for path in (project / "site").rglob("*.html") if path.name != "lineage.html"]


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
            assert row[2] == f"\N{MINUS SIGN}{count}"
        for part in run["parts"]:
            assert any(part["sha256"] in cell for row in page.rows for cell in row)
    settled = next(run for run in told.values() if run["state"] == "settled")
    line = Tables(done / "site/campaign/renewal_notice.html").find("2026-11-02 11:00")
    assert line[2] == str(settled["targeted"])
    assert line[3] == str(sum(settled["excluded"].values()))
    assert line[4] == line[5] == str(settled["included"] + settled["seeds"])


def test_what_needs_a_person_is_on_top_with_what_to_type(done: Path) -> None:
    page = (done / "site/index.html").read_text()
    first = page.index(f"dmail-runner resume {HELD_RUN}")
    assert "Held: opt-out" in page[:first]
    assert first < page.index(f"dmail-runner resume {FAILED_RUN}") < page.index('id="campaigns"')
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
    assert name[4] == 'join_words(["title", "first_name", "last_name"])'
    assert name[5].strip() == "stg_profiles.title, stg_profiles.first_name, stg_profiles.last_name"
    notice = Tables(done / "site/campaign/renewal_notice.html")
    (fee,) = (row for row in notice.rows if len(row) > 5 and row[1].startswith("Fee"))
    assert "width 16" in fee[3]
    assert "align right" in fee[3]
    text = (done / "site/campaign/spring_catalog.html").read_text()
    assert "../lineage.html#!/exposure/exposure.dmail.spring_catalog" in text


def test_nothing_is_asked_for_and_everybody_can_read_it(done: Path, browser: Browser) -> None:
    axe = axe_source()
    names = ["index.html", "campaign/renewal_notice.html", *(f"run/{path.name}" for path in (done / "site/run").iterdir())]
    for width, theme in ((390, "dark"), (1280, "light")):
        browser.screen(width, theme)
        for name in names:
            page = done / "site" / name
            browser.open(page)
            assert browser.axe(axe) == [], (name, width, theme)
            assert browser.run(WIDER) == 0, f"{name} is wider than the screen"
            assert browser.requests == [page.as_uri()]
            assert browser.told == []


def test_one_switch_changes_the_language_and_another_the_colours(done: Path, browser: Browser) -> None:
    axe = axe_source()
    browser.screen(1280, "light")
    browser.open(done / "site/index.html")
    dark = "getComputedStyle(document.body).backgroundColor"
    light_page, english = browser.run(dark), browser.run("document.querySelector('h1').innerText")
    browser.run("document.querySelector('label[for=l-pt]').click(); document.querySelector('label[for=t-dark]').click()")
    assert (english, browser.run("document.querySelector('h1').innerText")) == ("Overview", "Vis\u00e3o geral")
    assert browser.run("document.documentElement.lang") == "pt-BR"
    assert browser.run(dark) != light_page
    assert browser.axe(axe) == []
    browser.open(done / "site/campaign/renewal_notice.html")
    assert browser.run("document.querySelector('h2#figures').innerText") == "Do p\u00fablico-alvo \u00e0 entrega", (
        "the next page remembers"
    )
    browser.run("localStorage.clear()")


def test_only_what_has_changed_is_written(done: Path, tmp_path: Path) -> None:
    project = Project(Path(shutil.copytree(done, tmp_path / "project")))
    assert "5 pages written, 3 as they were" in project.call("report").stdout
    assert project.call("hold", HELD_RUN, "--reason", "ask ann@example.com").returncode == DONE
    assert "6 pages written, 2 as they were" in project.call("report").stdout
    page = (project.path / f"site/run/{HELD_RUN}.html").read_text()
    assert "ask " in page
    assert "ann@" not in page
    (project.path / ".dmail/ledger.sqlite").unlink()
    assert "5 pages written, 0 as they were" in project.call("report").stdout
    assert list((project.path / "site/run").iterdir()) == [], "a run that the ledger does not have has no page"
    assert (project.path / "site/lineage.html").exists()


def test_a_page_of_somebody_else_is_not_replaced(done: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    refused = Project(done).call("report", "--output", str(tmp_path))
    assert refused.returncode == WRONG
    assert "has an index.html that is no report's" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_what_stops_half_way_changes_nothing(done: Path, tmp_path: Path) -> None:
    project = Project(Path(shutil.copytree(done, tmp_path / "project")))
    with closing(sqlite3.connect(project.path / ".dmail/ledger.sqlite")) as ledger, ledger:
        ledger.execute("update runs set state = 'cancelled' where state = 'held'")
        ledger.execute("update events set at = 'never' where kind = 'held'")
    before = {path: path.stat().st_mtime_ns for path in pages(project.path)}
    assert project.call("report").returncode == FAILED
    assert {path: path.stat().st_mtime_ns for path in pages(project.path)} == before
    assert not list((project.path / "site").glob(".report-*"))


def test_two_hundred_campaigns_are_shown_in_a_second(ledger: Ledger, tmp_path: Path, browser: Browser) -> None:
    names = [f"campaign_{number:03}" for number in range(200)]
    with ledger.engine.begin() as connection:
        for table, make in ((runs, many_runs), (exclusions, many_exclusions), (parts, many_parts)):
            connection.execute(table.insert(), [row for name in names for number in range(50) for row in make(name, number)])
    known = read_runs(ledger)
    assert len(known) == 10_000
    all_declared = {name: Declared(name, name, status="active", provider_label="Acme Print") for name in names}
    page = tmp_path / "index.html"
    page.write_text(Pages(NOW, lineage=False).overview(overview(known, all_declared, needs(known, all_declared, [], NOW), NOW)))
    browser.screen(1280, "light")
    took = []
    for _ in range(3):
        browser.open(page)
        took.append(browser.run("performance.getEntriesByType('navigation')[0].loadEventEnd"))
    assert min(took) < 1000
    assert browser.run("document.querySelectorAll('tbody tr').length") == 200


def test_older_runs_are_counted_and_listed_without_a_page(done: Path, tmp_path: Path) -> None:
    project = Project(Path(shutil.copytree(done, tmp_path / "project")))
    with Ledger(find_settings(project.path), lambda: NOW).engine.begin() as connection:
        for table, make in ((runs, many_runs), (exclusions, many_exclusions), (parts, many_parts)):
            connection.execute(table.insert(), [row for number in range(30) for row in make("gone", number)])
        connection.execute(runs.insert(), [{**many_runs("gone", 0)[0], "run_id": "gone-2-r1", "copy_of": "gone-2"}])
    assert project.call("report").returncode == DONE
    everything = [f"gone-{number}" for number in range(30)]
    assert run_pages(project) == {*everything, "gone-2-r1", SETTLED, HELD_RUN, FAILED_RUN}
    assert project.call("report", "--limit", "3").returncode == DONE
    # The three newest, what has failed and so needs a person, and the last run of each campaign.
    assert run_pages(project) == {"gone-0", "gone-1", "gone-2-r1", "gone-7", SETTLED, HELD_RUN, FAILED_RUN}
    assert dead_links(project) == []
    page = (project.path / "site/campaign/gone.html").read_text()
    assert "dmail-runner show gone-2<" in page
    listed = Tables(project.path / "site/campaign/gone.html")
    assert listed.find("2026-05-04")[2:4] == ["1029", "129"], "a run without a page has its row"
    assert listed.find("Targeted")[-1] == str(sum(1000 + number for number in range(30)) + 1000)
    (exported,) = duckdb.sql(f"select count(*) from '{project.path}/.dmail/figures/runs.parquet'").fetchone() or (0,)
    assert exported == 34
    assert project.call("report", "--limit", "9").returncode == DONE
    assert {"gone-2", "gone-2-r1"} < run_pages(project)
    assert 'href="gone-2.html"' in (project.path / "site/run/gone-2-r1.html").read_text(), "its original has a page again"


def run_pages(project: Project) -> set[str]:
    return {path.stem for path in (project.path / "site/run").iterdir()}


def dead_links(project: Project) -> list[str]:
    """Links of the report's pages to pages that are not there."""
    links = ((page, link) for page in pages(project.path) for link in re.findall(r'href="([^"#]+\.html)', page.read_text()))
    return [f"{page.name}: {link}" for page, link in links if not (page.parent / link).is_file()]


def test_a_campaign_lists_its_runs_by_year_and_says_how_many_it_does_not_list() -> None:
    some = [RunRow(f"c-{day}", "c", NOW - timedelta(days=day), "settled", NOW, NOW, targeted=1) for day in range(800)]
    view = campaign_view("c", None, some, [], {"c-0"})
    assert [(year, len(lines)) for year, lines in view.years] == [(2026, 317), (2025, 173)]
    assert view.counted == 800
    page = Pages(NOW, lineage=False).campaign(view)
    assert "Older runs that are not listed: 300" in page
    assert page.count('href="../run/') == 1
    reached = campaign_view("c", None, some, [], {run.run_id for run in some})
    assert reached.hidden == 0, "every page is in a list"
    assert reached.pageless is None


def many_runs(name: str, number: int) -> list[dict[str, Any]]:
    slot = f"{NOW - timedelta(days=7 * number):%Y-%m-%dT%H:%M:%S+00:00}"
    state = "failed" if number == 7 else "settled"
    figures = {"targeted": 1000 + number, "included": 900, "seeds": 3, "cost": "1,234.50 USD"}
    return [
        {
            "run_id": f"{name}-{number}",
            "campaign": name,
            "slot": slot,
            "state": state,
            "created_at": slot,
            "updated_at": slot,
            **figures,
        }
    ]


def many_exclusions(name: str, number: int) -> list[dict[str, Any]]:
    return [{"run_id": f"{name}-{number}", "reason": "consent", "profiles": 100 + number}]


def many_parts(name: str, number: int) -> list[dict[str, Any]]:
    entry = {"run_id": f"{name}-{number}", "number": 1, "rows": 903, "bytes": 9, "sha256": "0" * 64, "route": "outbox"}
    return [{**entry, "name": f"{name}{number}.csv", "delivered_at": None if number == 7 else "2026-11-23T12:00:00+00:00"}]


counts = st.integers(0, 10**9)


@given(st.dictionaries(st.text(min_size=1, max_size=9), counts, max_size=6), counts, st.integers(0, 9), st.booleans())
def test_the_funnel_adds_up(excluded: dict[str, int], included: int, seeds: int, failed: bool) -> None:
    targeted = included + sum(excluded.values())
    state = "failed" if failed else "extracted"
    run = RunRow(
        "r",
        "c",
        NOW,
        state,
        NOW,
        NOW,
        targeted=targeted,
        included=included,
        seeds=seeds,
        excluded=excluded,
        rows=included + seeds,
        delivered=(included + seeds) // 2,
    )
    found = figures_of(run)
    assert found is not None
    assert found.delivered + found.errors + found.waiting == found.sends == found.included + found.seeds
    stages = funnel(found, total([found, found]))
    assert sum(stage.count for stage in stages if stage.kind in ("excluded", "included")) == targeted
    left = targeted
    for stage in stages:
        assert 0 <= stage.start <= stage.start + stage.count <= stage.scale
        assert stage.beside == 2 * stage.count
        if stage.kind == "excluded":
            left -= stage.count
            assert stage.start == left, "each bar begins where the next one ends"


@given(st.text(min_size=1).filter(lambda key: "\n  " not in key and not key.startswith(",")))
def test_no_key_gets_through(key: str) -> None:
    key = f"\0{key}\0"
    for text in (
        f"4 people have said no, such as profile_id {key}: nothing was delivered",
        f"x:\n  a: 1, such as that of profile_id {key}\n  b: 2",
        f"the record of profile_id {key} is larger",
    ):
        assert "\0" not in discreet(text)
    assert discreet(f"x:\n  a: 1, such as that of profile_id {key}\n  b: 2") == "x:\n  a: 1\n  b: 2"
    assert (
        discreet("3 rows with no profile_id, or with one that another row has")
        == "3 rows with no profile_id, or with one that another row has"
    )


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
        "<code>approval</code>",
        "ZIP:pattern",
        f"1{SPACE}234,50{SPACE}USD",
    ):
        assert shown in page
    assert needs([row], {}, [], NOW) == []


def test_every_state_that_waits_has_a_command() -> None:
    def one(state: str, hold: str | None = None, changed: datetime = NOW, **more: Any) -> RunRow:
        return RunRow("c-1", "c", NOW - timedelta(days=9), state, changed, changed, hold=hold, **more)

    def typed(run: RunRow) -> list[str]:
        return [command.split(" --reason")[0] for need in needs([run], {}, [], NOW) for command in need.commands]

    assert typed(one("held", "unknown")) == ["dmail-runner settle c-1 --delivered", "dmail-runner settle c-1 --not-delivered"]
    assert typed(one("held", "opt_out")) == typed(one("held", "conflict")) == typed(one("failed")) == ["dmail-runner resume c-1"]
    assert (
        typed(one("held", "volume")) == typed(one("held", "new_gate")) == ["dmail-runner release c-1", "dmail-runner cancel c-1"]
    )
    assert typed(one("missed")) == ["dmail-runner run c --slot 2026-11-14T12:00Z"]
    assert typed(one("built")) == []
    assert typed(one("built", changed=NOW - timedelta(days=2))) == ["dmail-runner resume c-1"]
    late = Declared("c", "c", status="active", last_due=NOW - timedelta(hours=2))
    assert [need.kind for need in needs([one("settled")], {"c": late}, [], NOW)] == ["overdue"]


def test_the_catalogue_is_whole() -> None:
    for key, (en, pt) in words.WORDS.items():
        assert en, key
        assert pt, key
        assert set(re.findall(r"{\w+}", en)) == set(re.findall(r"{\w+}", pt)), key
    for template in (Path(words.__file__).parent / "templates").glob("*.html"):
        for key in re.findall(r"\bw\(\"(\w+)\"", template.read_text()):
            assert key in words.WORDS, f"{template.name}: {key}"


def test_maps_have_a_tile_for_each_place_once(base: Path) -> None:
    world = [code for code in tiles.WORLD.split() if code != ".."]
    with (base / "seeds/countries.csv").open() as file:
        known = {row["country_code"] for row in csv.DictReader(file)}
    assert len(world) == len(set(world))
    assert set(world) - known <= {"KP", "SY"}, "the post takes nothing there"
    assert {len(row.split()) for row in tiles.WORLD.strip().splitlines()} == {27}
    assert len(set(tiles.UNITED_STATES.split())) == 1 + 50 + 2, "the states, DC, Puerto Rico, and the sea"


def test_a_map_is_drawn_where_places_are_known() -> None:
    known = campaign_view("c", None, [], [], set())
    going = (Place("US", "CA", 90_000), Place("US", "TX", 800), Place("DE", "", 12), Place("US", "", 3), Place("", "", 4))
    drawn = Pages(NOW, lineage=False)
    assert "the latest file's extract has no column country_code" in drawn.campaign(known).replace("&#39;", "'")
    page = drawn.campaign(replace(known, places=going))
    assert '<g class="heat4"><title>CA: 90\u202f000</title>' in page
    assert '<g class="heat1"><title>DE: 12</title>' in page
    assert '<g class="heat0"><title>FR: 0</title>' in page
    assert page.count("fewer than ten each") == 2


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["US", "us ", "DE", "", None]), st.sampled_from(["CA", " ca", "TX", "", None]), st.integers(1, 25)
        ),
        max_size=8,
    )
)
def test_places_add_up_and_none_is_small(cells: list[tuple[str | None, str | None, int]]) -> None:
    known = replace(
        letter(),
        columns=(Column("profile_id", "profile_id", True), Column("country_code", "", False), Column("region", "", False)),
    )
    with duckdb.connect() as connection:
        connection.execute("create table extract (profile_id varchar, country_code varchar, region varchar)")
        for country, region, count in cells:
            connection.execute("insert into extract select 'x', ?, ? from range(?)", [country, region, count])
        total = sum(count for *_, count in cells)
        found = places(connection, Build("extract", ""), Verdicts(total, total, {}), known)
        assert places(connection, Build("extract", ""), Verdicts(total, total, {}), letter()) == ()
    assert sum(place.pieces for place in found) == total
    assert len({(place.country, place.region) for place in found}) == len(found)
    assert all(place.pieces >= SMALLEST for place in found if place.region)
    for country in {place.country for place in found if place.country}:
        assert sum(place.pieces for place in found if place.country == country) >= SMALLEST
    assert {place.country for place in found} <= {"US", "DE", ""}
    assert all(place.region == "" for place in found if not place.country)


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
        going = dict(rows("select run_id, sum(pieces) from rpt_places group by run_id"))
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
    frozen = {run_id: run for run_id, run in told.items() if run["parts"]}
    assert people == going == {run_id: run["included"] for run_id, run in frozen.items()}
    assert files == {run_id: (run["parts"][0]["sha256"], run["parts"][0]["rows"]) for run_id, run in frozen.items()}
    for file in (done / ".dmail/figures").iterdir():
        assert b"Canary" not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_churn_waves_copies_and_approvals_are_told() -> None:
    run = RunRow(
        "c-20270308T110000Z-w2-r1", "c", NOW, "settled", NOW, NOW, targeted=100, included=90, excluded={"consent": 10},
        wave=2, copy_of="c-20270308T110000Z-w2", churn=Churn("c-1", 30, 20), frozen=NOW,
    )  # fmt: skip
    said = [Approval(NOW + timedelta(days=1), "Later", "f" * 64), Approval(NOW - timedelta(days=1), "Ann", "a" * 64)]
    drawn = Pages(NOW, lineage=False)
    page = drawn.run(run_view(run, None, Details(), said))
    for text in ("30 came, 20 went, 60 stayed", "Wave 2", 'href="c-20270308T110000Z-w2.html"', "Approved by", "Ann", "a" * 12):
        assert text in page
    assert "Later" not in page, "nobody had approved it so when it was made"
    campaign = drawn.campaign(campaign_view("c", None, [run], [], {run.run_id}, approvals=said))
    for text in ("30 came, 20 went, 60 stayed", "Wave 2", "Sent again", "Later", "Ann"):
        assert text in campaign


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
