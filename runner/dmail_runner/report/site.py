"""The report's folder: pages are made beside it, whole, and then take their places; those that say the same as before stay."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from dmail_runner.core.errors import UsageError
from dmail_runner.core.lock import FOREVER, locked
from dmail_runner.core.settings import Settings
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.report.attention import Need, needs
from dmail_runner.report.declared import Declared, Project
from dmail_runner.report.export import write_figures
from dmail_runner.report.lineage import PAGE as LINEAGE
from dmail_runner.report.pages import Pages, page_name
from dmail_runner.report.rows import Approval, RunRow, read_approvals, read_details, read_places, read_runs, read_watched
from dmail_runner.report.views import by_campaign, campaign_view, overview, paged_runs, run_view

INDEX = ".report.json"  # which pages are the report's, and what the runs' pages were made of
STAGING = ".report-"
BATCH = 200


@dataclass(frozen=True)
class Written:
    """How many pages were written, and how many say what they said before."""

    pages: int
    kept: int


class Site:
    """A folder of pages that is being changed; nothing in it changes until `publish`."""

    def __init__(self, folder: Path, staging: Path) -> None:
        self.folder, self.staging = folder, staging
        self.before: dict[str, str] = read_index(folder)
        self.now: dict[str, str] = {}
        self.changed: list[str] = []

    def keep(self, name: str, digest: str) -> bool:
        """Whether a page is there, made of the same; it stays then."""
        same = self.before.get(name) == digest and (self.folder / name).is_file()
        if same:
            self.now[name] = digest
        return same

    def put(self, name: str, text: str, digest: str = "") -> None:
        """A page, made of what `digest` tells."""
        path = self.staging / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.now[name] = digest
        self.changed.append(name)

    def publish(self) -> Written:
        """Let the pages take their places, in the order in which they were put; those that are no more the report's go."""
        for name in self.changed:
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.staging / name).replace(self.folder / name)
        for name in self.before.keys() - self.now.keys():
            (self.folder / name).unlink(missing_ok=True)
        (self.staging / INDEX).write_text(json.dumps(self.now, indent=0))
        (self.staging / INDEX).replace(self.folder / INDEX)
        return Written(len(self.changed), len(self.now) - len(self.changed))


def read_index(folder: Path) -> dict[str, str]:
    """The pages that the report has written into a folder. Raises UsageError where another one's page is in the way."""
    with suppress(OSError, ValueError):
        found = json.loads((folder / INDEX).read_text())
        return {str(name): str(digest) for name, digest in found.items() if ".." not in name and not name.startswith("/")}
    if (folder / "index.html").exists():
        raise UsageError(f"{folder} has an index.html that is no report's", todo="give another --output")
    return {}


@contextmanager
def opened(settings: Settings, folder: Path) -> Iterator[Site]:
    """A site to write into, by one process at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with locked(settings.state_dir / "report.lock", "report", timeout=FOREVER):
        for left in folder.glob(f"{STAGING}*"):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=folder))
        try:
            yield Site(folder, staging)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def write_report(project: Project, ledger: Ledger, folder: Path, limit: int) -> Written:
    """Write the pages of the newest runs and of all campaigns, and the overview last. Raises UsageError, LedgerError and OSError.

    `limit`: how many runs get a page of their own.
    """
    names, now = project.manifest.names, project.now
    declared = {name: project.declared(name) for name in names}
    runs, approvals = read_runs(ledger), read_approvals(ledger)
    todo = needs(runs, declared, route_needs(project), now, read_watched(ledger))
    paged = paged_runs(runs, todo, limit)
    pages = Pages(now, lineage=(folder / LINEAGE).is_file())
    with opened(project.settings, folder) as site:
        write_runs(site, pages, ledger, runs, declared, paged=paged, approvals=approvals)
        grouped = by_campaign(runs)
        going = read_places(ledger, [run.run_id for run in newest_frozen(grouped)])
        for name in dict.fromkeys((*declared, *grouped)):
            view = campaign_view(
                name, declared.get(name), grouped.get(name, []), todo, paged, places=going, approvals=approvals.get(name, [])
            )
            site.put(f"campaign/{page_name(name)}", pages.campaign(view))
        write_figures(runs, ledger, project.settings.figures_dir)
        site.put("index.html", pages.overview(overview(runs, declared, todo, now)))
        return site.publish()


def newest_frozen(grouped: Mapping[str, Sequence[RunRow]]) -> Iterator[RunRow]:
    """Of each campaign the run whose figures are shown."""
    for runs in grouped.values():
        yield from islice((run for run in runs if run.targeted is not None), 1)


def write_runs(
    site: Site,
    pages: Pages,
    ledger: Ledger,
    runs: Sequence[RunRow],
    declared: Mapping[str, Declared],
    *,
    paged: Container[str],
    approvals: Mapping[str, Sequence[Approval]],
) -> None:
    """The pages of those `paged` runs to which something has happened, some at a time, so that they fit into memory."""
    look = look_of(pages)
    todo: list[tuple[str, str, RunRow]] = []
    for run in (run for run in runs if run.run_id in paged):
        name = f"run/{page_name(run.run_id)}"
        one = declared.get(run.campaign)
        label, contractual = (one.label, one.contractual) if one else ("", False)
        digest = digest_of(look, repr(run), label, str(contractual), str(run.copy_of in paged))
        if not site.keep(name, digest):
            todo.append((name, digest, run))
    for start in range(0, len(todo), BATCH):
        batch = todo[start : start + BATCH]
        details = read_details(ledger, [run.run_id for _, _, run in batch])
        for name, digest, run in batch:
            one, said = declared.get(run.campaign), approvals.get(run.campaign, ())
            view = run_view(run, one, details[run.run_id], said, original_paged=run.copy_of in paged)
            site.put(name, pages.run(view), digest)


def look_of(pages: Pages) -> str:
    """What makes all pages look otherwise: this package's own files, and whether there is a lineage to link to."""
    files = sorted(path for path in Path(__file__).parent.rglob("*") if path.suffix in (".py", ".html", ".css", ".js"))
    return digest_of(str(pages.lineage), *(path.read_text(encoding="utf-8") for path in files))


def digest_of(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def route_needs(project: Project) -> Iterator[Need]:
    """What is wrong with routes and keys, as things to do."""
    for fault in project.key_faults():
        kind = "route" if fault.error else "key"
        yield Need(kind, fault.campaign, None, None, fault.text, (f"dmail-runner check {fault.campaign}",))
