"""Pictures of the report's pages, from a ledger of made-up runs: `python -m pictures FOLDER`."""

import base64
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from browser import Browser, chromium
from dmail_runner.core.settings import find_settings
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Run
from dmail_runner.project.dbt_process import run_dbt
from dmail_runner.project.manifest import load_manifest
from dmail_runner.report.declared import Project
from dmail_runner.report.site import write_report
from project import surroundings
from recording import as_svg, record
from sample_ledger import NOW, fill
from sample_results import sample_results
from sample_supplies import sample_supplies

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "outbox", "data", "site", "target", "logs", "tests", "docs", "bench")
TALLEST = 1_600  # pixels: longer pages are cut off
HEIGHTS = {"overview": 1_345, "campaign": 900, "held": 1_130}
OF_README = ("overview", "campaign", "held")
WIDE, PHONE, TALLEST_ON_PHONE = 1120, 390, 1_400  # pixels
PAPER, PAPER_TALL = 703, 1_032  # pixels: A4 without its margins


def sample_project(folder: Path) -> Path:
    """A copy of this project without data."""
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    shutil.copytree(ROOT / "tests/dbt", folder / "tests/dbt")
    return folder


def write_sample_report(project: Path, site: Path, *, limit: int = 5_000, lineage: bool = True) -> Ledger:
    """The report about the made-up runs. Returns their ledger. `lineage`: whether pages link to dbt's documentation."""
    settings = find_settings(project, None)
    settings.prepare()
    manifest = load_manifest(settings, run_dbt)
    ledger = fill(settings, manifest)
    site.mkdir(parents=True, exist_ok=True)
    if lineage:
        (site / "lineage.html").touch()
    sample = Project(settings, manifest, run_dbt, NOW)
    write_report(sample, ledger, site, limit, results=sample_results(), supplies=sample_supplies(NOW))
    return ledger


def photograph(browser: Browser, page: Path, picture: Path, tallest: int = TALLEST, language: str = "l-en") -> None:
    """Write a picture of a page as wide as the screen. `language`: the id of its switch."""
    browser.open(page)
    browser.run(f"document.getElementById({language!r}).click()")
    width = browser.run("innerWidth")
    height = min(browser.run("document.documentElement.scrollHeight"), tallest)
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = browser.ask("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
    picture.write_bytes(base64.b64decode(shot["data"]))


def record_run(project: Path) -> str:
    """A recording of the campaign spring_catalog for sample profiles."""
    runner = str(Path(sys.executable).with_name("dmail-runner"))
    environment = {name: value for name, value in surroundings().items() if name != "NO_COLOR"} | {"TERM": "xterm-256color"}
    for words in (["sample-data", "--rows", "100000"], ["list"]):
        subprocess.run([runner, *words], cwd=project, env=environment, check=True, capture_output=True)
    line = "dmail-runner run spring_catalog"
    return as_svg(record([runner, *line.split()[1:]], line, project, environment))


def pages_of(ledger: Ledger) -> dict[str, str]:
    """The page of each state, by the name of its picture."""
    latest = ledger.latest(1_000)

    def page(chosen: Callable[[Run], bool]) -> str:
        return f"run/{next(run.run_id for run in latest if chosen(run))}.html"

    return {
        "overview": "index.html",
        "campaign": "campaign/spring_catalog.html",
        "held": page(lambda run: run.hold == "volume"),
        "approval": page(lambda run: run.hold == "approval"),
        "failed": page(lambda run: run.state == "failed"),
        "waves": page(lambda run: run.wave == 3),
        "delivered": page(lambda run: run.state == "settled" and run.campaign == "spring_catalog"),
    }


def photograph_all(browser: Browser, site: Path, pages: Mapping[str, str], folder: Path) -> None:
    """Every page, in English and light; those of the README also dark and on paper; each also in Portuguese, dark, on a phone."""
    for name, page in pages.items():
        browser.screen(WIDE, "light")
        photograph(browser, site / page, folder / f"{name}-light.png", HEIGHTS.get(name, TALLEST))
        if name in OF_README:
            browser.screen(WIDE, "dark")
            photograph(browser, site / page, folder / f"{name}-dark.png", HEIGHTS.get(name, TALLEST))
            browser.screen(PAPER, "light")
            browser.ask("Emulation.setEmulatedMedia", media="print")
            photograph(browser, site / page, folder / f"{name}-paper.png", PAPER_TALL)
            browser.ask("Emulation.setEmulatedMedia", media="")
        browser.screen(PHONE, "dark")
        photograph(browser, site / page, folder / f"{name}-phone.png", TALLEST_ON_PHONE, "l-pt")


def main(folder: Path) -> None:
    """Photograph the pages, and record a run."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        (folder / "run.svg").write_text(record_run(sample_project(Path(temporary, "project"))))
    with tempfile.TemporaryDirectory() as temporary, chromium() as browser:
        project = sample_project(Path(temporary, "project"))
        ledger = write_sample_report(project, project / "site")
        photograph_all(browser, project / "site", pages_of(ledger), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
