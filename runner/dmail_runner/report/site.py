"""Writes the report's folder. Pages are written in a staging folder and then renamed. Unchanged pages are kept."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from dmail_runner.core.errors import UsageError
from dmail_runner.core.lock import FOREVER, locked
from dmail_runner.core.settings import Settings
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.report.addresses import page_name
from dmail_runner.report.attention import Need, needs
from dmail_runner.report.campaign_page import campaign_view
from dmail_runner.report.declared import Declared, Project
from dmail_runner.report.export import write_figures
from dmail_runner.report.lineage import PAGE as LINEAGE
from dmail_runner.report.overview import by_campaign, overview, paged_runs
from dmail_runner.report.pages import Pages
from dmail_runner.report.results import CampaignResults, response_notes
from dmail_runner.report.results_page import results_view
from dmail_runner.report.rows import Approval, RunRow, read_approvals, read_details, read_regions, read_runs, read_watched
from dmail_runner.report.run_page import Neighbours, neighbours, run_view, with_statuses
from dmail_runner.report.supplies import NO_SUPPLIES, Supplies

INDEX = ".report.json"  # the pages of the report, with a digest of the content of runs' pages
STAGING = ".report-"
BATCH = 200
Results = Mapping[str, CampaignResults]


@dataclass(frozen=True)
class Written:
    """The numbers of pages that were written, and of pages that were kept unchanged."""

    pages: int
    unchanged: int


class Site:
    """The folder of the report while it is written. Nothing in it changes before `publish`."""

    def __init__(self, folder: Path, staging: Path) -> None:
        self.folder, self.staging = folder, staging
        self.old_pages: dict[str, str] = read_index(folder)
        self.new_pages: dict[str, str] = {}
        self.changed: list[str] = []

    def keep(self, name: str, digest: str) -> bool:
        """Keep a page if it exists with the same digest. Returns whether it is kept."""
        same = self.old_pages.get(name) == digest and (self.folder / name).is_file()
        if same:
            self.new_pages[name] = digest
        return same

    def put(self, name: str, text: str, digest: str = "") -> None:
        """Write a page into the staging folder. `digest`: the digest of its content, for `keep`."""
        path = self.staging / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.new_pages[name] = digest
        self.changed.append(name)

    def publish(self) -> Written:
        """Move the pages into the folder, in the order in which they were written, and delete the report's other pages."""
        for name in self.changed:
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.staging / name).replace(self.folder / name)
        for name in self.old_pages.keys() - self.new_pages.keys():
            (self.folder / name).unlink(missing_ok=True)
        (self.staging / INDEX).write_text(json.dumps(self.new_pages, indent=0))
        (self.staging / INDEX).replace(self.folder / INDEX)
        return Written(len(self.changed), len(self.new_pages) - len(self.changed))


def read_index(folder: Path) -> dict[str, str]:
    """The pages that the report has written into a folder, with their digests. Raises UsageError if it has another index.html."""
    with suppress(OSError, ValueError):
        found = json.loads((folder / INDEX).read_text())
        return {str(name): str(digest) for name, digest in found.items() if ".." not in name and not name.startswith("/")}
    if (folder / "index.html").exists():
        raise UsageError(f"{folder} has an index.html that the report has not written", todo="use another --output")
    return {}


@contextmanager
def opened(settings: Settings, folder: Path) -> Iterator[Site]:
    """Open the folder for writing. Other processes wait, and the leftovers of killed ones are deleted."""
    folder.mkdir(parents=True, exist_ok=True)
    with locked(settings.state_dir / "report.lock", "report", timeout=FOREVER):
        for leftover in folder.glob(f"{STAGING}*"):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=folder))
        try:
            yield Site(folder, staging)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def write_report(
    project: Project,
    ledger: Ledger,
    folder: Path,
    limit: int,
    *,
    results: Results = MappingProxyType({}),
    statuses: Mapping[str, Mapping[str, int]] = MappingProxyType({}),
    supplies: Supplies = NO_SUPPLIES,
) -> Written:
    """Write the pages of runs and campaigns, the figures as Parquet, and the overview last.

    Args:
        project: the project's declarations.
        ledger: the ledger.
        folder: the report's folder, which is created if it does not exist.
        limit: the number of newest runs that get a page.
        results: what the mailings of campaigns have brought.
        statuses: the number of pieces of runs by their last known status.
        supplies: the pages of costs and of materials.

    Raises:
        UsageError: if the folder has another index.html.
        LedgerError: if the ledger cannot be read.
        OSError: if a page cannot be written.
    """
    declared = {name: project.declared(name) for name in project.manifest.names}
    runs, approvals = read_runs(ledger), read_approvals(ledger)
    todo = needs(runs, declared, route_needs(project), project.now, read_watched(ledger))
    paged = paged_runs(runs, todo, limit)
    pages = Pages(project.now, lineage=(folder / LINEAGE).is_file())
    with opened(project.settings, folder) as site:
        write_runs(site, pages, ledger, runs, declared, paged=paged, approvals=approvals, statuses=statuses)
        grouped = by_campaign(runs)
        regions = read_regions(ledger, [run.run_id for run in newest_delivered(grouped)])
        for name in dict.fromkeys((*declared, *grouped)):
            own, given = grouped.get(name, []), approvals.get(name, [])
            view = campaign_view(name, declared.get(name), own, todo, paged, regions=regions, approvals=given)
            site.put(f"campaign/{page_name(name)}", pages.campaign(replace(view, has_results=name in results)))
        notes = response_notes(project.settings, ledger) if results else ()
        write_results(site, pages, project, declared, results=results, notes=notes)
        write_figures(runs, ledger, project.settings.figures_dir, statuses)
        write_supplies(site, pages, supplies, paged)
        site.put("index.html", pages.overview(replace(overview(runs, declared, todo, project.now), **supplies.links)))
        return site.publish()


def write_results(
    site: Site, pages: Pages, project: Project, declared: Mapping[str, Declared], *, results: Results, notes: tuple[str, ...]
) -> None:
    """Write the pages of results. `notes`: what people must know about the responses."""
    for name, found in results.items():
        site.put(f"results/{page_name(name)}", pages.results(results_view(name, declared.get(name), found, project.now, notes)))


def export_figures(settings: Settings, ledger: Ledger, statuses: Mapping[str, Mapping[str, int]]) -> None:
    """Write the figures for the models of results, which are built before the pages. `statuses`: as for `write_report()`."""
    write_figures(read_runs(ledger), ledger, settings.figures_dir, statuses)


def write_supplies(site: Site, pages: Pages, supplies: Supplies, paged: Iterable[str]) -> None:
    """Write the pages of costs and of materials. `paged`: the ids of the runs with a page."""
    if supplies.costs:
        site.put("costs.html", pages.costs(replace(supplies.costs, paged=frozenset(paged))))
    if supplies.stock:
        site.put("stock.html", pages.stock(supplies.stock))


def newest_delivered(grouped: Mapping[str, Sequence[RunRow]]) -> Iterator[RunRow]:
    """The newest run of each campaign of which something was delivered."""
    for runs in grouped.values():
        yield from islice((run for run in runs if run.delivered), 1)


def write_runs(
    site: Site,
    pages: Pages,
    ledger: Ledger,
    runs: Sequence[RunRow],
    declared: Mapping[str, Declared],
    *,
    paged: Container[str],
    approvals: Mapping[str, Sequence[Approval]],
    statuses: Mapping[str, Mapping[str, int]],
) -> None:
    """Write the pages of runs that have changed, in batches that fit into memory. `paged`: the ids of the runs with a page."""
    design = design_digest(pages)
    beside: dict[str, Neighbours] = {}
    for campaign, some in by_campaign(runs).items():
        beside |= neighbours(some, paged, declared[campaign].apart if campaign in declared else timedelta())
    todo: list[tuple[str, str, RunRow]] = []
    for run in (run for run in runs if run.run_id in paged):
        name = f"run/{page_name(run.run_id)}"
        one = declared.get(run.campaign)
        shown = (one.label, one.zone, one.contractual) if one else ()
        digest = digest_of(
            design, repr(run), repr(shown), str(run.copy_of in paged), repr((beside[run.run_id], statuses.get(run.run_id)))
        )
        if not site.keep(name, digest):
            todo.append((name, digest, run))
    for start in range(0, len(todo), BATCH):
        batch = todo[start : start + BATCH]
        details = read_details(ledger, [run.run_id for _, _, run in batch])
        for name, digest, run in batch:
            one = declared.get(run.campaign)
            view = run_view(
                run, one, details[run.run_id], approvals.get(run.campaign, ()), original_paged=run.copy_of in paged,
                beside=beside[run.run_id],
            )  # fmt: skip
            site.put(name, pages.run(with_statuses(view, statuses.get(run.run_id))), digest)


def design_digest(pages: Pages) -> str:
    """A digest that changes with the design of all pages: of this package's files, and of whether pages link to the lineage."""
    files = sorted(path for path in Path(__file__).parent.rglob("*") if path.suffix in (".py", ".html", ".css", ".js"))
    return digest_of(str(pages.lineage), *(path.read_text(encoding="utf-8") for path in files))


def digest_of(*texts: str) -> str:
    """The SHA-256 of texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def route_needs(project: Project) -> Iterator[Need]:
    """The needs of routes and keys."""
    for fault in project.key_faults():
        kind = "route" if fault.error else "key"
        yield Need(kind, fault.campaign, None, None, fault.text, (f"dmail-runner check {fault.campaign}",))
