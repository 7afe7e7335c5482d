"""`addresses export`: asks an address service about the addresses that changed, or whose answer is too old.

The file is complete on this disk before anything of it is recorded, and recorded before it is delivered. After a killed process,
the next export therefore continues with the same file under the same name. Which addresses were asked for is stored beside the
answers, so that none is sent twice while its answer is waited for.
"""

import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from dmail_runner.core.errors import BuildError, ConfigError, Problem, UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import Part, Receipt, Spooled
from dmail_runner.declare.answers import REQUESTS
from dmail_runner.declare.campaign import KEY
from dmail_runner.declare.file_format import CsvFormat
from dmail_runner.declare.inbound import FILE, AddressRequests, find_inbound
from dmail_runner.declare.route import FILE as ROUTES
from dmail_runner.declare.route import AnyRoute, find_route
from dmail_runner.extract.envelope import Seal
from dmail_runner.extract.keys import findings
from dmail_runner.extract.part_file import PartFile
from dmail_runner.inbound.stored import lock_inbound, require_stored
from dmail_runner.ledger.inbound_files import inbound_of
from dmail_runner.ledger.intents import Intents
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.tables import inbound_files
from dmail_runner.project.dbt_process import RunDbt
from dmail_runner.project.manifest import Manifest
from dmail_runner.project.warehouse import literal, lock_warehouse, session
from dmail_runner.run.address_questions import COLUMNS, Asking, open_questions
from dmail_runner.run.address_record import record_requests
from dmail_runner.ship import DeliveryCallbacks, ship

LOCK_TIMEOUT = 600  # seconds to wait for a fetch
BATCH = 10_000  # rows
CONTENT, ROWS, PLAN = "content.part", "requests.parquet", "export.json"


@dataclass(frozen=True)
class Export:
    """One file with questions, as it is on this disk.

    Attributes:
        entry: the entry of profiles/inbound.yml.
        name: its path on the route.
        route: the route.
        rows: the number of addresses.
        bytes: the size, as delivered.
        sha256: the SHA-256, as delivered.
        asked_at: when it was made, ISO 8601 in UTC.
    """

    entry: str
    name: str
    route: str
    rows: int
    bytes: int
    sha256: str
    asked_at: str


def export_addresses(
    settings: Settings, manifest: Manifest, ledger: Ledger, entry: str, run_dbt: RunDbt, *, tell: Callable[[str], None]
) -> tuple[Export, Receipt] | None:
    """Ask an address service about addresses. If an earlier export did not finish, it is finished, and nothing else is asked.

    Args:
        entry: the entry of profiles/inbound.yml.
        tell: shows a line of progress.

    Returns:
        The export and its receipt; None if there is no address to ask about.

    Raises:
        UsageError: if the entry asks nothing.
        ConfigError: if the route is a draft, if nothing can be encrypted to its keys, or if the project has no model to read.
        BuildError: if dbt cannot build it.
        DeliveryError: if the file was not delivered. The same command delivers it.
    """
    asking = Asking(entry, *declared(settings, entry), now=ledger.now())
    with lock_inbound(settings, f"addresses export {entry}", LOCK_TIMEOUT):
        folder = settings.state_dir / "requests" / entry
        shutil.rmtree(folder.with_name(f".{entry}.new"), ignore_errors=True)
        if folder.exists():
            tell(f"continue an export of {entry} that did not finish")
        else:
            usable(settings, asking.route, asking.now)
            require_stored(settings, ledger, ("address_updates", REQUESTS))
            with built(settings, manifest, run_dbt, asking.now, tell) as (connection, services, suppressed):
                query = open_questions(asking, services, suppressed, stored_requests(settings, ledger, entry))
                if not make(settings, connection, query, folder, asking):
                    return None
        export = Export(**json.loads((folder / PLAN).read_text(encoding="utf-8")))
        record_requests(settings, ledger, entry, folder / ROWS, asdict(export))
        route = usable(settings, export.route, ledger.now())
        receipt = deliver(export, folder / CONTENT, route, tell)
        with ledger.writing() as connection:
            ledger.record(connection, "inbound", "addresses_asked", f"{entry}: {export.rows:,} addresses in {receipt.location}")
        shutil.rmtree(folder)
        return export, receipt


def declared(settings: Settings, entry: str) -> tuple[AddressRequests, str]:
    """What an entry asks, and by which route. Raises UsageError."""
    found = find_inbound(settings)
    if entry not in found or found[entry].requests is None:
        known = ", ".join(name for name, one in found.items() if one.requests) or "none"
        raise UsageError(f"{FILE} has no entry {entry} with `requests`; entries with it: {known}")
    requests = found[entry].requests
    assert requests is not None
    return requests, requests.route or found[entry].route


def usable(settings: Settings, name: str, now: datetime) -> AnyRoute:
    """A route that can deliver. Raises ConfigError if it is a draft, or if nothing can be encrypted to its keys."""
    route = find_route(settings, name)
    faults = [Problem(ROUTES, f"{name}.status", "is draft: it delivers nothing", "active")] if route.status == "draft" else []
    if route.encryption:
        later = now + timedelta(days=1)
        found = findings(settings.keys_dir, route.encryption, (ROUTES, f"{name}.encryption"), now, later)
        faults += [finding.problem for finding in found if finding.error]
    if faults:
        raise ConfigError(faults)
    return route


@contextmanager
def built(
    settings: Settings, manifest: Manifest, run_dbt: RunDbt, now: datetime, tell: Callable[[str], None]
) -> Iterator[tuple[duckdb.DuckDBPyConnection, str, str]]:
    """Build the model of the answers and the suppressed profiles. Yields a session, and both relations. Raises BuildError."""
    models = [manifest.roles.player("address_services"), manifest.roles.player("suppressed_profiles")]
    work = settings.work_dir / "addresses"
    with lock_warehouse(settings, "addresses export", tell) as warehouse:
        tell(f"build    {models[0].name}")
        select = ["build", "--exclude-resource-type", "unit_test", "--select", *(f"+{model.selector}" for model in models)]
        try:
            outcome = run_dbt(settings, select, work, {"DMAIL_SLOT": f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S}"})
        finally:
            shutil.rmtree(work, ignore_errors=True)
        if outcome.exit_code != 0:
            raise BuildError("dbt could not build the addresses:\n" + "\n".join(outcome.errors))
        services, suppressed = (manifest.nodes[model.id]["relation_name"] for model in models)
        with session(warehouse) as connection:
            yield connection, services, suppressed


def stored_requests(settings: Settings, ledger: Ledger, entry: str) -> list[str]:
    """The stored files with the addresses that an entry has asked for."""
    own = (inbound_files.c.entry == entry, inbound_files.c.kind == REQUESTS, inbound_files.c.state == "taken")
    return [str(settings.inbound_dir / (file.stored or "")) for file in inbound_of(ledger, *own)]


def make(settings: Settings, connection: duckdb.DuckDBPyConnection, query: str, folder: Path, asking: Asking) -> bool:
    """Write the file, the keys of its questions and a plan into a folder, which appears by a rename.

    Returns:
        False if there is no address to ask about.
    """
    new = folder.with_name(f".{asking.entry}.new")
    new.mkdir(mode=0o700, parents=True)
    route = find_route(settings, asking.route)
    seal = Seal(route.encryption, settings.keys_dir) if route.encryption else None
    connection.execute(f"create or replace temp table dmail_requests as {query}")
    file = PartFile(new / CONTENT, CsvFormat(), seal)
    for lines, count in chunks(connection.execute("select * from dmail_requests")):
        file.write(file.encode(lines))
        file.rows += count
    file.end()
    content = file.content()
    if not content.rows:
        shutil.rmtree(new)
        return False
    numbered = f"select row_number() over (order by request_id) as row_number, {KEY}, request_id"
    keys = f"{numbered}, {literal(asking.entry)} as entry, timestamp {literal(asking.at)} as asked_at from dmail_requests"
    connection.execute(f"copy ({keys}) to {literal(str(new / ROWS))} (format parquet, compression zstd)")
    name = f"{asking.requests.stamped(asking.now)}{route.encryption.suffix if route.encryption else ''}"
    plan = Export(asking.entry, name, asking.route, content.rows, content.bytes, content.sha256, asking.at)
    (new / PLAN).write_text(json.dumps(asdict(plan)), encoding="utf-8")
    for path in (new / PLAN, new / ROWS, new):
        synced(path)
    new.rename(folder)
    synced(folder.parent)
    return True


def chunks(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[bytes, int]]:
    """The records of the file in UTF-8, the header first, each with the number of addresses."""
    rows: list[tuple[str | None, ...]] = [COLUMNS]
    count = 0
    while rows:
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        yield text.getvalue().encode(), count
        rows = result.fetchmany(BATCH)
        count = len(rows)


def synced(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def deliver(export: Export, content: Path, route: AnyRoute, tell: Callable[[str], None]) -> Receipt:
    """Deliver the file. A file of that name with the same content, of a process that was killed, counts as delivered."""
    part = Part(1, export.name, export.rows, export.bytes, export.sha256, export.route)
    receipts: list[Receipt] = []
    record = Intents()  # the same bytes under the same name may arrive twice, and ask the same
    ship([Spooled(part, content)], route, DeliveryCallbacks(lambda _: record, lambda _, receipt: receipts.append(receipt), tell))
    return receipts[0]
