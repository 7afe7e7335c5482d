"""Pages compare a run with the last settled one, whether it is frozen, held with figures, or held with none."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from dmail_runner.core.money import Money
from dmail_runner.core.values import Churn, Comparison, Limit, Verdicts
from dmail_runner.declare.schedule import Schedule
from dmail_runner.report.campaign_page import campaign_view
from dmail_runner.report.declared import Declared
from dmail_runner.report.figures import costs
from dmail_runner.report.pages import Pages
from dmail_runner.report.rows import Details, Event, RunRow
from dmail_runner.report.run_page import neighbours, run_view
from reports import NOW, commands


def run(number: int, state: str = "settled", **more: Any) -> RunRow:
    """A run so many weeks ago."""
    due = NOW - timedelta(weeks=number)
    frozen = {"targeted": 100 + number, "included": 90, "excluded": {"consent": 10 + number}, "rows": 90, "delivered": 90}
    return RunRow(f"c-{number}", "c", due, state, due, due, **(more or frozen))


def page_of(view: Any) -> str:
    return Pages(NOW, lineage=False).run(view)


def test_a_held_run_shows_its_figures_the_change_and_the_limit() -> None:
    held = Comparison(
        Verdicts(1_000, 600, {"consent": 400}, churn=Churn("c-1", 0, 40)),
        "c-1",
        Verdicts(1_010, 950, {"consent": 60}),
        (Limit("max_change", "included", 665),),
    )
    one = run(0, "held", hold="volume", held_figures=held)
    beside = neighbours([one, run(1)], {"c-0", "c-1"})["c-0"]
    view = run_view(one, Declared("c", "C"), Details(), beside=beside)
    assert [(stage.kind, stage.count, stage.beside, stage.limits) for stage in view.stages] == [
        ("targeted", 1_000, 1_010, ()),
        ("excluded", 400, 60, ()),
        ("included", 600, 950, (665,)),
        ("came", 0, None, ()),
        ("went", 40, None, ()),
    ]
    page = page_of(view)
    assert '<line class="limit" x1="665.0"' in page
    assert "-350 " in page
    assert 'href="c-1.html"' in page
    diff, *others = commands(page)
    assert diff.startswith("dmail-runner diff c --slot")
    assert others[0].startswith("dmail-runner release c-0")
    assert "Limit max_change: at least 665, drawn as a line" in page
    above = replace(held, limits=(Limit("max_rows", "included", 5_000),))
    assert {stage.scale for stage in run_view(replace(one, held_figures=above), None, Details()).stages} == {5_000}
    over = replace(held, limits=(Limit("max_rows", "included", 500), Limit("max_churn", "went", 30)))
    page = page_of(run_view(replace(one, held_figures=over), None, Details()))
    assert "Limit max_rows: at most 500" in page
    reason = replace(held, limits=(Limit("max_reason_change", "excluded:consent", 120),))
    view = run_view(replace(one, held_figures=reason), None, Details())
    assert [stage.limits for stage in view.stages if stage.kind == "excluded"] == [(880,)], "exclusions are drawn from the right"
    assert "Limit max_reason_change (consent): at most 120" in page_of(view)
    waited = (Event(NOW, "held", "approval: c waits"), Event(NOW, "held", "exclusions: c: consent"))
    approved = run_view(replace(one, hold="exclusions", held_figures=reason), None, Details(waited))
    assert next((gate.name, gate.verdict) for gate in approved.gates) == ("approval", "passed"), "a later gate holds it"
    fell = replace(reason, limits=(Limit("max_reason_change", "excluded:consent", 500),))
    page_fell = page_of(run_view(replace(one, held_figures=fell), None, Details()))
    assert "Limit max_reason_change (consent): at least 500" in page_fell
    assert "Limit max_churn: at most 30" in page


def test_a_run_of_which_nothing_was_built_shows_the_last_delivered_one() -> None:
    runs = [run(0, "held", hold="approval"), run(1, "failed"), run(2)]
    beside = neighbours(runs, {one.run_id for one in runs})
    view = run_view(runs[0], None, Details(), beside=beside["c-0"])
    assert (view.stages, view.last) == ((), "c-2")
    assert view.last_stages[0].count == 102
    waiting = page_of(run_view(runs[0], None, Details((Event(NOW, "held", "approval: c waits"),)), beside=beside["c-0"]))
    assert "Nothing is built before the approval" in waiting
    assert waiting.index("The campaign is approved as it is defined") < waiting.index("The extract has exactly"), "the first gate"
    assert "Nothing was built" in page_of(run_view(replace(runs[0], hold="person"), None, Details(), beside=beside["c-0"]))
    failed = run_view(runs[1], None, Details(), beside=beside["c-1"])
    assert [stage.beside for stage in failed.stages if stage.kind == "targeted"] == [102]


def test_runs_lead_to_their_neighbours_with_pages() -> None:
    runs = [run(number) for number in range(4)]
    found = neighbours(runs, {"c-0", "c-1", "c-3"})
    assert (found["c-1"].older, found["c-1"].newer, found["c-1"].last_paged) == ("c-3", "c-0", False)
    assert (found["c-3"].older, found["c-3"].newer, found["c-3"].last) == (None, "c-1", None)
    waves = [replace(run(0), wave=2), replace(run(1), wave=1), replace(run(2), wave=2)]
    last = neighbours(waves, set())["c-0"].last
    assert last
    assert last.run_id == "c-2", "waves are compared with the same wave"


def test_times_are_in_the_campaigns_zone_and_the_pointer_shows_utc() -> None:
    declared = Declared("c", "C", schedule=Schedule(cron="0 6 * * mon", timezone="America/New_York"))
    events = (
        Event(NOW, "planned", ""),
        Event(NOW + timedelta(seconds=5), "held", "volume: c: 4 people in the file have said no: nothing was delivered"),
    )
    page = page_of(run_view(run(0, "held", hold="volume"), declared, Details(events)))
    assert re.search(r'title="2026-11-23 12:00:00 UTC">2026-11-23<br>07:00:00<', page)
    assert "Times are in the zone America/New_York" in page
    assert "c: pessoas no arquivo que disseram não: 4: nada foi entregue" in page.partition('id="timeline"')[2]
    campaign = Pages(NOW, lineage=False).campaign(campaign_view("c", declared, [run(0)], [], set()))
    assert re.search(r'title="2026-11-23 12:00 UTC">2026-11-23 07:00<', campaign)
    assert "Times are in UTC" in page_of(run_view(run(0), None, Details()))


def test_a_run_that_only_waits_shows_no_gates_and_files() -> None:
    planned = Details((Event(NOW, "planned", ""),))
    page = page_of(run_view(run(0, "planned"), None, planned))
    assert [name for name in ("gates", "decisions", "parts") if f'id="{name}"' in page] == []
    begun = page_of(run_view(run(0, "planned"), None, Details((*planned.events, Event(NOW, "told", "hold by ann: wait")))))
    assert 'id="decisions"' in begun


def test_the_figures_of_a_campaign_as_csv() -> None:
    runs = [run(0, "held", hold="volume"), replace(run(1), cost=Money(Decimal("55.50"), "USD"))]
    view = campaign_view("c", None, runs, [], {"c-1"})
    head, _, text = view.figures_file.partition(",")
    assert head == "data:text/csv;charset=utf-8"
    first, second = csv.DictReader(io.StringIO(unquote(text)))
    assert (first["run_id"], first["targeted"]) == ("c-0", "")
    assert (second["slot"], second["targeted"], second["exclusions"], second["delivered"], second["cost"]) == (
        "2026-11-16T12:00:00Z", "101", "11", "90", "55.50",
    )  # fmt: skip
    assert campaign_view("c", None, [], [], set()).figures_file == ""


def test_what_was_not_delivered_costs_nothing() -> None:
    money = Money(Decimal(50), "USD")
    runs = [replace(run(0), cost=money), replace(run(1, "failed"), cost=money, delivered=0), replace(run(2, "held"), cost=money)]
    runs[2] = replace(runs[2], delivered=0)
    assert costs(runs) == [money]
    page = Pages(NOW, lineage=False).campaign(campaign_view("c", None, runs, [], set()))
    assert page.count('<td class="n"><span class="en">50.00') == 1, "of three runs in the table, that of the delivered one"
    assert "Estimated cost of a delivery" in page_of(run_view(runs[1], None, Details()))
    assert page_of(run_view(runs[0], None, Details())).count("Estimated cost of a delivery") == 0


def test_a_wave_that_waits_says_until_when_and_why() -> None:
    first = replace(run(1), run_id="c-1", wave=1, first="c-1")
    second = run(0, "planned", wave=2, first="c-1")
    declared = Declared("c", "C", apart=timedelta(days=10))
    drawn = Pages(NOW, lineage=False)
    found = neighbours([second, first], {"c-0", "c-1"}, declared.apart)
    page = page_of(run_view(second, declared, Details(), beside=found["c-0"]))
    assert re.search(r"Waits until <time[^>]*>2026-11-26 12:00</time>, which is 10 d after the end of wave 1", page)
    campaign = drawn.campaign(campaign_view("c", declared, [second, first], [], {"c-0"}))
    assert re.search(r"after wave 1, not before <time[^>]*>2026-11-26 12:00<", campaign)
    held = neighbours([second, replace(first, state="held")], {"c-0", "c-1"}, declared.apart)
    assert "Waits for the end of wave 1" in page_of(run_view(second, declared, Details(), beside=held["c-0"]))
    assert neighbours([replace(second, state="settled"), first], set())["c-0"].wait is None
