"""The report's figures and texts, without a project."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from dmail_runner.check.regions import MIN_PIECES, count_regions
from dmail_runner.core.redact import redact_people
from dmail_runner.core.values import Build, Churn, RegionCount, Verdicts
from dmail_runner.declare.campaign import Column
from dmail_runner.ledger.intents import Word
from dmail_runner.report import words
from dmail_runner.report.attention import needs
from dmail_runner.report.campaign_page import campaign_view
from dmail_runner.report.declared import Declared
from dmail_runner.report.figures import figures_of, funnel, total, total_of_people
from dmail_runner.report.overview import overview
from dmail_runner.report.pages import TEMPLATES, Pages
from dmail_runner.report.rows import Approval, Details, RunRow
from dmail_runner.report.run_page import run_view
from dmail_runner.report.verdicts import stopped_after
from effort import searching
from project import ROOT
from reports import NOW
from tiny import letter


def test_a_campaign_lists_its_runs_by_year_and_says_how_many_it_does_not_list() -> None:
    some = [RunRow(f"c-{day}", "c", NOW - timedelta(days=day), "settled", NOW, NOW, targeted=1) for day in range(800)]
    view = campaign_view("c", None, some, [], {"c-0"})
    assert [(year, len(lines)) for year, lines in view.years] == [(2026, 317), (2025, 173)]
    assert view.counted == 800
    page = Pages(NOW, lineage=False).campaign(view)
    assert "Older runs that are not listed: 300" in page
    assert page.count('href="../run/') == 2, "in the table and in the chart"
    reached = campaign_view("c", None, some, [], {run.run_id for run in some})
    assert reached.hidden == 0, "every page is in a list"
    assert reached.pageless is None


def test_the_last_delivery_is_first_and_drafts_are_last() -> None:
    def one(name: str, days: int, **more: Any) -> RunRow:
        due = NOW - timedelta(days=days)
        return RunRow(f"{name}-1", name, due, "settled", due, due, targeted=9, rows=9, **more)

    runs = [one("refused", 0), one("old", 9, delivered=9), one("new", 1, delivered=9)]
    declared = {name: Declared(name, name, status="active") for name in ("never", "old", "new", "refused")}
    lines = overview(runs, {"d": Declared("d", "d", status="draft"), **declared}, [], NOW).lines
    assert [line.name for line in lines] == ["new", "old", "never", "refused", "d"]


def test_a_run_that_a_later_gate_holds_has_passed_the_earlier_ones() -> None:
    run = RunRow("c-1", "c", NOW, "held", NOW, NOW, hold="volume")
    assert [name for name in ("approval", "opt_out", "volume", "conflict") if stopped_after(run, name)] == ["approval", "opt_out"]
    assert not stopped_after(replace(run, hold="approval"), "contract")


def test_each_person_counts_once_over_the_waves_of_a_mailing() -> None:
    run = RunRow(
        "c-1", "c", NOW, "settled", NOW, NOW, targeted=100, included=25, excluded={"another_wave": 70, "consent": 5}, rows=25
    )
    wave = replace(run, wave=1, first="c-1")
    left = {"another_wave": 80, "left_audience": 1}
    second = replace(wave, run_id="c-1-w2", wave=2, included=19, excluded=left, rows=19)
    planned = replace(wave, run_id="c-1-w3", wave=3, targeted=None, included=0, excluded={}, rows=0)
    copy = replace(wave, run_id="c-1-r1", copy_of="c-1", targeted=24, included=24, excluded={}, rows=24)
    single = replace(run, run_id="c-2", targeted=30, excluded={"consent": 5})
    sums = total_of_people([single, copy, planned, second, wave])
    assert (sums.targeted, sums.included, sums.exclusions) == (130, 69, 61)
    assert sums.excluded == {"consent": 10, "left_audience": 1, "another_wave": 50}, "the people of the third wave wait"
    assert sums.sends == 93, "copies are printed"
    view = campaign_view("c", None, [single, copy, planned, second, wave], [], set())
    assert view.sums == sums
    page = Pages(NOW, lineage=False).campaign(campaign_view("c", None, [wave], [], set()))
    assert '<dd><span class="en">16.7%' in page, "5 of 30: the people of other waves are not excluded"


def test_each_person_counts_once_over_the_windows_of_a_trigger() -> None:
    first = RunRow("c-1", "c", NOW, "settled", NOW, NOW, targeted=9, included=5, excluded={"consent": 3, "suppressed": 1}, rows=5)
    # Of those who were excluded from the first window, two have consented, one is suppressed now, and one stays suppressed.
    again = {"consent": 3, "suppressed": 1, "included": 1}
    second = replace(first, run_id="c-2", targeted=6, included=3, excluded={"suppressed": 3}, rows=3, counted_before=again)
    sums = total_of_people([second, first])
    assert (sums.targeted, sums.included, sums.excluded) == (10, 7, {"consent": 0, "suppressed": 3})
    assert sums.sends == 8
    assert sums.targeted == sums.included + sums.exclusions


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
        assert "\0" not in redact_people(text)
    assert redact_people(f"x:\n  a: 1, such as that of profile_id {key}\n  b: 2") == "x:\n  a: 1\n  b: 2"
    assert (
        redact_people("3 rows with no profile_id, or with one that another row has")
        == "3 rows with no profile_id, or with one that another row has"
    )


def test_every_state_that_waits_has_a_command() -> None:
    def one(state: str, hold: str | None = None, changed: datetime = NOW, **more: Any) -> RunRow:
        return RunRow("c-1", "c", NOW - timedelta(days=9), state, changed, changed, hold=hold, **more)

    def typed(run: RunRow) -> list[str]:
        found = needs([run], {"c": Declared("c", "c")}, [], NOW)
        return [command.split(" --reason")[0] for need in found for command in need.commands]

    assert typed(one("held", "unknown")) == ["dmail-runner settle c-1 --delivered", "dmail-runner settle c-1 --not-delivered"]
    assert typed(one("held", "opt_out")) == typed(one("held", "conflict")) == typed(one("failed")) == ["dmail-runner resume c-1"]
    decide = ["dmail-runner release c-1", "dmail-runner cancel c-1"]
    assert typed(one("held", "new_gate")) == decide
    assert typed(one("held", "volume")) == ["dmail-runner diff c --slot 2026-11-14T12:00Z", *decide]
    assert typed(one("missed")) == ["dmail-runner run c --slot 2026-11-14T12:00Z"]
    assert typed(one("built")) == []
    assert typed(one("built", changed=NOW - timedelta(days=2))) == ["dmail-runner resume c-1"]
    assert [need.commands for need in needs([one("missed")], {}, [], NOW)] == [], "its campaign is no longer in the project"
    for run, command in (
        (one("failed"), "cancel c-1"),
        (one("held", "volume"), "cancel c-1"),
        (one("failed", delivered=3), "cancel c-1 --rest"),
        (one("held", "unknown"), "settle c-1 --delivered"),
    ):
        (need,) = needs([run], {}, [], NOW)
        assert need.commands[0] == f'dmail-runner {command} --reason "…"'
    late = Declared("c", "c", status="active", last_due=NOW - timedelta(hours=2))
    assert [need.kind for need in needs([one("settled")], {"c": late}, [], NOW)] == ["overdue"]


def test_the_catalogue_is_whole() -> None:
    for key, (en, pt) in words.WORDS.items():
        assert en, key
        assert pt, key
        assert set(re.findall(r"{\w+}", en)) == set(re.findall(r"{\w+}", pt)), key
    used = [
        (template, key) for template in TEMPLATES.glob("*.html") for key in re.findall(r"\bw\(\"(\w+)\"", template.read_text())
    ]
    assert len(used) > 50
    for template, key in used:
        assert key in words.WORDS, f"{template.name}: {key}"


def test_every_event_of_a_run_and_every_reason_has_a_text() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "runner/dmail_runner").rglob("*.py"))
    kinds = set(re.findall(r"\.(?:note|record)\((?:connection, )?(?:run|original|notice)[^\"]*?, \"(\w+)\"", code)) | {*Word}
    assert kinds >= {"notice", "believed", "released", "told", "window"}
    rules = "\n".join(path.read_text() for path in (ROOT / "macros/audience").glob("*.sql"))
    reasons = set(re.findall(r"\"reason\": \"(\w+)\"", rules)) | {"suppressed", "another_wave", "left_audience", "identical_row"}
    assert len(reasons) > 8
    assert [kind for kind in kinds if not {f"event.{kind}", f"state.{kind}"} & words.WORDS.keys()] == []
    assert [reason for reason in reasons if f"reason.{reason}" not in words.WORDS] == []


def test_a_map_is_drawn_where_places_are_known() -> None:
    known = campaign_view("c", None, [], [], set())
    going = (
        RegionCount("US", "CA", 90_000),
        RegionCount("US", "TX", 800),
        RegionCount("DE", "", 12),
        RegionCount("US", "", 3),
        RegionCount("", "", 4),
    )
    drawn = Pages(NOW, lineage=False)
    assert "Nothing was delivered yet." in drawn.campaign(known)
    known = replace(known, delivered=RunRow("c-1", "c", NOW, "settled", NOW, NOW))
    assert "the extract has no column country_code" in drawn.campaign(known)
    page = drawn.campaign(replace(known, regions=going))
    assert "Last delivered run" in page.split('id="regions"')[1], "the latest file may be another one, which never left"
    assert page.index(">US</th>") < page.index(">DE</th>") < page.index("fewer than ten each"), "what has no name is the last"
    assert "<title>" not in page.split('id="map-world"')[1], "few regions are bars"
    assert page.count("fewer than ten each") == 2
    states = zip(("TX", "FL", "NY", "PA", "IL", "OH", "GA"), (40_000, 20_000, 9_000, 5_000, 900, 90, 20), strict=True)
    page = drawn.campaign(replace(known, regions=(*going, *(RegionCount("US", code, count) for code, count in states))))
    assert '<g class="heat4"><title>CA: 90000</title>' in page
    assert '<g class="heat3"><title>TX: 40800</title>' in page
    assert '<g class="heat1"><title>OH: 90</title>' in page
    assert '<g class="heat0"><title>WY: 0</title>' in page
    legend = re.sub(r"<[^>]+>", "", page.split('class="legend"')[1])
    assert "20\N{EN DASH}5,000" in legend, "shades go by the square root, and have the numbers of the map"
    even = tuple(
        RegionCount("US", code, count)
        for code, count in zip(("TX", "FL", "NY", "PA", "IL", "OH", "GA", "CA"), range(111, 199, 11), strict=True)
    )
    page = drawn.campaign(replace(known, regions=even))
    assert {f'"heat{level}"><title>' in page for level in range(5)} == {True}, "numbers that are similar have different shades"


@searching(20, 500)
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
        found = count_regions(connection, Build("extract", ""), Verdicts(total, total, {}), known)
        assert count_regions(connection, Build("extract", ""), Verdicts(total, total, {}), letter()) == ()
    assert sum(place.pieces for place in found) == total
    assert len({(place.country, place.region) for place in found}) == len(found)
    assert all(place.pieces >= MIN_PIECES for place in found if place.region)
    for country in {place.country for place in found if place.country}:
        assert sum(place.pieces for place in found if place.country == country) >= MIN_PIECES
    assert {place.country for place in found} <= {"US", "DE", ""}
    assert all(place.region == "" for place in found if not place.country)


def test_churn_waves_copies_and_approvals_are_told() -> None:
    run = RunRow(
        "c-20270308T110000Z-w2-r1", "c", NOW, "settled", NOW, NOW, targeted=100, included=90, excluded={"consent": 10},
        wave=2, copy_of="c-20270308T110000Z-w2", churn=Churn("c-1", 30, 20), frozen=NOW,
    )  # fmt: skip
    said = [Approval(NOW + timedelta(days=1), "Later", "f" * 64), Approval(NOW - timedelta(days=1), "Ann", "a" * 64)]
    drawn = Pages(NOW, lineage=False)
    page = drawn.run(run_view(run, None, Details(), said))
    for text in (
        "30 added, 20 removed, 60 in both",
        "Wave 2",
        'href="c-20270308T110000Z-w2.html"',
        "Approved by",
        "Ann",
        "a" * 12,
    ):
        assert text in page
    assert "Later" not in page, "nobody had approved it so when it was made"
    campaign = drawn.campaign(campaign_view("c", None, [run], [], {run.run_id}, approvals=said))
    for text in ("30 added, 20 removed, 60 in both", "Wave 2", "Sent again", "Later", "Ann"):
        assert text in campaign
