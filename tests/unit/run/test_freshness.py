"""Sources that are too old or incomplete, in whole runs."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dmail_runner.check.sources import check_sources
from dmail_runner.core.errors import Held, SourceError
from dmail_runner.core.extensions import link_extensions
from dmail_runner.declare.source import Source, SourceMeta
from dmail_runner.project.target import Warehouse
from tiny import World
from worlds import DAY, HOUR, states


def exported(world: World, rows: int = 20) -> Path:
    """The source, as it was exported just now."""
    file = world.folder / "people.csv"
    file.write_text("\n".join(["id", *map(str, range(rows))]) + "\n")
    os.utime(file, (0, world.now.timestamp()))
    return file


def reads(world: World, rows: SourceMeta | None = None, **limits: Any) -> None:
    source = Source("crm.people", "crm.yml", "people.csv", "", rows=rows or SourceMeta(), **limits)
    world.campaign = replace(world.campaign, inputs=(source,))


def test_a_run_waits_for_its_source_and_is_tried_again(world: World) -> None:
    reads(world, error_after=2 * DAY)
    exported(world)
    world.pass_time(3 * DAY)
    (fault,) = world.run_due()
    assert isinstance(fault, SourceError)
    assert "crm.people (crm.yml) was loaded 3 days ago" in fault.what
    assert states(world)[-1] == ("03-04 06:00", "failed")
    assert not any(world.built), "dbt was not started"
    exported(world)
    world.pass_time(HOUR)
    assert world.run_due() == []
    assert states(world)[-1] == ("03-04 06:00", "settled")


def test_a_workbook_tells_its_age(tmp_path: Path) -> None:
    link_extensions(["excel"], tmp_path / "extensions")
    warehouse = Warehouse(
        tmp_path / "w.duckdb", {"extension_directory": str(tmp_path / "extensions")}, tmp_path, opening=("load excel",)
    )
    with duckdb.connect(config={"extension_directory": str(tmp_path / "extensions")}) as connection:
        connection.execute("load excel")
        rows = "select 1 as id, '2027-03-01 09:15' as \"Last Modified Date\""
        connection.execute(f"copy ({rows}) to '{tmp_path}/people.xlsx' (format xlsx, header true)")
    source = Source(
        "crm.people", "crm.yml", "people.xlsx", "", loaded_at='cast("Last Modified Date" as timestamp)', warn_after=DAY
    )
    (found,) = check_sources([source], warehouse, tmp_path, datetime(2027, 3, 4, 9, 15, tzinfo=UTC))
    assert found.warning == "crm.people was loaded 3 days ago, more than warn_after, 1 day"


def test_what_is_only_reported_is_in_the_ledger(world: World) -> None:
    reads(world, warn_after=DAY)
    exported(world)
    world.pass_time(2 * DAY)
    assert world.run_due() == []
    run = world.ledger().latest(1)[0]
    assert run.verdicts
    assert run.verdicts.sources[0].warning == "crm.people was loaded 2 days ago, more than warn_after, 1 day"


@pytest.mark.parametrize(("rows", "held"), [(20, False), (17, True), (500, False)])
def test_an_export_with_far_fewer_rows_than_in_the_last_run_waits_for_a_person(world: World, rows: int, held: bool) -> None:
    reads(world, SourceMeta(max_missing=0.1))
    exported(world)
    world.pass_time(DAY)
    assert world.run_due() == []
    exported(world, rows)
    world.pass_time(DAY)
    faults = world.run_due()
    assert bool(faults) == held
    if held:
        assert isinstance(faults[0], Held)
        assert "crm.people has 17 rows, and had 20 in the last run: more are missing than 10%" in str(faults[0])


def test_profiles_that_are_missing_hold_the_run(world: World) -> None:
    world.people = 200
    world.pass_time(DAY)
    assert world.run_due() == []
    world.people = 120
    world.pass_time(DAY)
    (fault,) = world.run_due()
    assert "there are 120 profiles, and 200 in the last run: more are missing than max_missing_profiles, 20%" in str(fault)
