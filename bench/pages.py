"""How long a browser takes to load the report's pages about 200 campaigns and 10,000 runs: `python -m bench.pages`.

The result is the time from the navigation to the first frame after the load event, and the CPU seconds of the page's thread.
Each is the best of several loads, because other programs use the processor, too.
"""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, cast

import typer
from tests.support.browser import Browser, chromium

from bench.growth import RESULTS
from dmail_runner.cli.report import PAGES
from dmail_runner.core.settings import Settings, find_settings
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.tables import exclusions, parts, runs
from dmail_runner.report.declared import Declared, Project
from dmail_runner.report.site import write_report

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 27, 14, tzinfo=UTC)
# A frame has been drawn when a task runs that was posted in the frame's callback.
DRAWN = "new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()), 0)))"
CAMPAIGN = "campaign/campaign_000.html"


class Declarations:
    """The declarations of campaigns that have nothing but a name."""

    def __init__(self, settings: Settings, names: list[str]) -> None:
        self.settings, self.now, self.manifest = settings, NOW, SimpleNamespace(names=names)

    def declared(self, name: str) -> Declared:
        return Declared(name, f"The {name}", status="active", provider="acme", provider_label="Acme Print")

    def key_faults(self) -> tuple[()]:
        return ()


def site_of(folder: Path, campaigns: int, each: int) -> Path:
    """The report about a number of campaigns with a number of runs each. One run in fifty has failed, and needs a person."""
    project = folder / "project"
    shutil.copytree(ROOT / "profiles", project / "profiles")
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, project)
    settings = find_settings(project, None)
    settings.prepare()
    ledger = Ledger(settings, lambda: NOW)
    names = [f"campaign_{number:03}" for number in range(campaigns)]
    rows = [made_up(name, number) for name in names for number in range(each)]
    with ledger.engine.begin() as connection:
        for table in (runs, exclusions, parts):
            connection.execute(table.insert(), [row[table.name] for row in rows])
    written = write_report(cast(Project, Declarations(settings, names)), ledger, folder / "site", PAGES)
    assert written.pages > PAGES
    return folder / "site"


def made_up(name: str, number: int) -> dict[str, dict[str, Any]]:
    """The rows of a run, by table."""
    run_id, at = f"{name}-{number}", f"{NOW - timedelta(hours=6 * number):%Y-%m-%dT%H:%M:%S+00:00}"
    times = {"slot": at, "created_at": at, "updated_at": at, "frozen_at": at}
    failed = number % 50 == 7
    state = "failed" if failed else "settled"
    figures = {"targeted": 1_000 + number % 90, "included": 900, "seeds": 3, "cost": "1,234.50 USD"}
    part = {"number": 1, "name": f"{run_id}.csv", "rows": 903, "bytes": 9, "sha256": "0" * 64, "route": "outbox"}
    return {
        "runs": {"run_id": run_id, "campaign": name, "state": state, **times, **figures},
        "exclusions": {"run_id": run_id, "reason": "consent", "profiles": 100 + number % 90},
        "parts": {"run_id": run_id, "delivered_at": None if failed else at, **part},
    }


def load(browser: Browser, page: Path) -> tuple[float, float]:
    """Load a page. Returns the milliseconds until it is drawn, and the CPU seconds of its process."""
    browser.open(Path("/dev/null"))
    before = cpu(browser)
    browser.open(page)
    drawn = browser.run(DRAWN)
    return float(drawn), cpu(browser) - before


def cpu(browser: Browser) -> float:
    """The CPU seconds of the page's process."""
    metrics = browser.ask("Performance.getMetrics")["metrics"]
    return next(float(metric["value"]) for metric in metrics if metric["name"] == "TaskDuration")


def measured(browser: Browser, page: Path, loads: int) -> Iterator[str]:
    """The cells of a page's row."""
    times = [load(browser, page) for _ in range(loads)]
    yield f"{page.stat().st_size / 1_000:,.0f} kB"
    yield f"{min(drawn for drawn, _ in times) / 1_000:.2f} s"
    yield f"{min(seconds for _, seconds in times):.2f} s"


def main(loads: Annotated[int, typer.Option(help="Loads of each page.")] = 8) -> None:
    """Write the reports, and measure their pages."""
    lines = ["| page | size | drawn after | CPU |", "| --- | ---: | ---: | ---: |"]
    with tempfile.TemporaryDirectory(prefix="dmail-pages-") as name, chromium() as browser:
        many, one = site_of(Path(name, "many"), 200, 50), site_of(Path(name, "one"), 1, 10_000)
        browser.screen(1280, "light")
        browser.ask("Performance.enable")
        for title, page in (
            ("overview of 200 campaigns and 10,000 runs", many / "index.html"),
            ("campaign with 50 runs", many / CAMPAIGN),
            ("run", many / "run/campaign_000-0.html"),
            ("campaign with 10,000 runs, of which 5,000 have pages", one / CAMPAIGN),
        ):
            lines.append(f"| {title} | {' | '.join(measured(browser, page, loads))} |")
    text = "\n".join(lines) + "\n"
    (RESULTS / "pages.md").write_text(f"# Loading the report's pages\n\n{text}")
    typer.echo(text)


if __name__ == "__main__":
    typer.run(main)
