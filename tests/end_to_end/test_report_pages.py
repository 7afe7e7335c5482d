"""The report's pages in a browser, and how they are written."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from browser import Browser, axe_source, chromium
from dmail_runner.core.settings import find_settings
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.tables import exclusions, parts, runs
from dmail_runner.report.attention import needs
from dmail_runner.report.declared import Declared
from dmail_runner.report.overview import overview
from dmail_runner.report.pages import Pages
from dmail_runner.report.rows import read_runs
from project import DONE, FAILED, WRONG, Project
from reports import FAILED_RUN, HELD_RUN, NOW, SETTLED, Tables, commands, pages
from sample_supplies import sample_supplies
from wait import until

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


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


def test_nothing_is_cut_off_on_paper(done: Path, browser: Browser) -> None:
    """The width of A4 without its margins, in both languages. The names are the longest of the sample campaigns."""
    browser.screen(703, "dark")
    browser.ask("Emulation.setEmulatedMedia", media="print")
    try:
        for page in pages(done):
            browser.open(page)
            for language in ("l-pt", "l-en"):
                browser.run(f"document.getElementById('{language}').click()")
                assert browser.run(WIDER) == 0, f"{page.name} is wider than the paper"
                assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    finally:
        browser.ask("Emulation.setEmulatedMedia", media="")
        browser.run("localStorage.clear()")


def test_pages_of_costs_and_materials_can_be_read_by_everybody(tmp_path: Path, browser: Browser) -> None:
    found, shown = sample_supplies(NOW), Pages(NOW, lineage=False)
    assert found.costs
    assert found.stock
    axe = axe_source()
    for name, text in (("costs", shown.costs(found.costs)), ("stock", shown.stock(found.stock))):
        page = tmp_path / f"{name}.html"
        page.write_text(text)
        for width, theme, media in ((390, "dark", ""), (1120, "light", ""), (703, "light", "print")):
            browser.screen(width, theme)
            browser.ask("Emulation.setEmulatedMedia", media=media)
            browser.open(page)
            assert media or browser.axe(axe) == [], (name, width, theme)
            for language in ("l-pt", "l-en"):
                browser.run(f"document.getElementById('{language}').click()")
                assert browser.run(WIDER) == 0, f"{name} is wider than the screen or the paper: {width}, {language}"
            assert browser.told == []
    browser.ask("Emulation.setEmulatedMedia", media="")


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

    def remembered() -> bool:
        browser.open(done / "site/campaign/renewal_notice.html")
        return bool(browser.run("document.querySelector('h2#figures').innerText") == "Do p\u00fablico-alvo \u00e0 entrega")

    # A page of another process sees what a page has stored a little later.
    until(remembered, "the next page remembers")
    browser.run("localStorage.clear()")


def test_a_filter_hides_rows_and_each_command_can_be_copied(done: Path, browser: Browser) -> None:
    browser.screen(1280, "light")
    browser.open(done / "site/index.html")
    filtered = """(text => {
        const input = document.querySelector("[data-filter]");
        input.value = text;
        input.dispatchEvent(new Event("input"));
        return [...document.querySelectorAll("tbody tr")].filter(row => row.checkVisibility()).length;
    })"""
    assert [browser.run(f"{filtered}({text!r})") for text in ("", "RENEWAL", "held", "nothing")] == [4, 1, 1, 0]
    assert browser.run("document.querySelectorAll('code.cmd').length === document.querySelectorAll('button.copy').length")
    assert browser.run("document.querySelectorAll('button.copy').length") > 1
    browser.run("document.querySelector('button.copy').click()")
    assert browser.told == [], "the content security policy allows it"


# One stop for each link, button and scrolled table that is shown, and one for each group of switches.
REACHABLE = """(() => {
    const some = "a:not([tabindex]), button, summary, input[type=search], .scroll";
    const shown = [...document.querySelectorAll(some)].filter(element => element.checkVisibility());
    return shown.length + new Set([...document.querySelectorAll("input[type=radio]")].map(input => input.name)).size;
})()"""
FOCUSED = """(() => {
    const at = document.activeElement;
    const shown = at.matches(".switches input") ? at.nextElementSibling : at;
    const style = getComputedStyle(shown);
    const box = shown.getBoundingClientRect();
    return {
        tag: at.tagName, name: at.id || at.className || at.getAttribute("href") || at.innerText,
        outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        visible: box.width > 2 && box.height > 2 && box.bottom > 0 && box.top < innerHeight,
        top: box.top + scrollY,
    };
})()"""


def press(browser: Browser, key: str, code: int, text: str = "") -> None:
    for kind in ("keyDown", "keyUp"):
        more = {"text": text} if text and kind == "keyDown" else {}
        browser.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)


def test_the_keyboard_alone_reaches_everything(done: Path, browser: Browser) -> None:
    """Every stop of the Tab key is visible and has an outline, from top to bottom; its key filters, copies, opens and switches."""
    browser.screen(1280, "light")
    for name in ("index.html", "campaign/renewal_notice.html", f"run/{HELD_RUN}.html"):
        browser.open(done / "site" / name)
        browser.run("localStorage.clear()")
        stops = []
        while True:
            press(browser, "Tab", 9)
            stop = browser.run(FOCUSED)
            if stop["tag"] == "BODY" or len(stops) > 200:
                break
            assert stop["outlined"], (name, stop)
            assert stop["visible"], (name, stop)
            stops.append(stop)
        assert stops[0]["name"] == "skip"
        tops = [stop["top"] for stop in stops[1:] if stop["tag"] == "BUTTON"]
        assert tops == sorted(tops), "in the order of the page"
        assert len(stops) == browser.run(REACHABLE), name


def test_the_keyboard_alone_filters_copies_and_switches(done: Path, browser: Browser) -> None:
    browser.screen(1280, "light")
    browser.open(done / "site/index.html")
    go_to(browser, "document.activeElement.type === 'search'")
    browser.ask("Input.insertText", text="renewal")
    assert browser.run("[...document.querySelectorAll('tbody tr')].filter(row => row.checkVisibility()).length") == 1
    browser.open(done / "site/index.html")
    go_to(browser, "document.activeElement.className === 'copy'")
    press(browser, "Enter", 13, "\r")
    assert browser.run("new Promise(done => setTimeout(() => done(document.activeElement.innerText), 100))") == "Copied"
    go_to(browser, "document.activeElement.name === 'language'", times=300)
    press(browser, "ArrowRight", 39)
    assert browser.run("document.documentElement.lang") == "pt-BR"
    browser.run("localStorage.clear()")


def go_to(browser: Browser, where: str, times: int = 100) -> None:
    """Press the Tab key until the focus is somewhere."""
    for _ in range(times):
        press(browser, "Tab", 9)
        if browser.run(where):
            return
    raise AssertionError(f"the Tab key never comes to {where}")


def test_only_what_has_changed_is_written(done: Path, tmp_path: Path) -> None:
    project = Project(Path(shutil.copytree(done, tmp_path / "project")))
    assert "5 pages written, 3 unchanged" in project.call("report").stdout
    assert project.call("hold", HELD_RUN, "--reason", "ask ann@example.com").returncode == DONE
    assert "6 pages written, 2 unchanged" in project.call("report").stdout
    page = (project.path / f"site/run/{HELD_RUN}.html").read_text()
    assert "ask " in page
    assert "ann@" not in page
    (project.path / ".dmail/ledger.sqlite").unlink()
    assert "5 pages written, 0 unchanged" in project.call("report").stdout
    assert list((project.path / "site/run").iterdir()) == [], "a run that the ledger does not have has no page"
    assert (project.path / "site/lineage.html").exists()


def test_a_page_of_somebody_else_is_not_replaced(done: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    refused = Project(done).call("report", "--output", str(tmp_path))
    assert refused.returncode == WRONG
    assert "has an index.html that the report has not written" in refused.stderr
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


def test_two_hundred_campaigns_are_shown(ledger: Ledger, tmp_path: Path, browser: Browser) -> None:
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
    browser.open(page)
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
    assert "dmail-runner show gone-2" in commands(page)
    listed = Tables(project.path / "site/campaign/gone.html")
    assert listed.find("2026-05-04")[2:4] == ["1029", "129"], "a run without a page has its row"
    targeted = str(sum(1000 + number for number in range(30)))
    assert listed.find("Targeted")[-1] == targeted, "the people of a copy are those of its original"
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
