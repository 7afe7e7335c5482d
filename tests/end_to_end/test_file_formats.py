"""File formats in a whole project: side files, headers, encodings, configuration errors."""

import csv
import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from project import DONE, FAILED, WRONG, Project
from sorted_file import sort_by_plan

EXPOSURE = "models/campaigns/spring_catalog/_spring_catalog__exposures.yml"


def check_plan(project: Project, parts: list[str], manifest: dict[str, Any]) -> None:
    """The parts have the order of the plan, and the manifest its counts."""
    rows = [row for part in parts for row in csv.DictReader((project.path / "outbox" / part).open(newline=""))]
    assert [int(row["post_sequence"]) for row in rows] == list(range(1, len(rows) + 1))
    assert [int(row["post_container"]) for row in rows] == sorted(int(row["post_container"]) for row in rows)
    pieces = Counter(row["post_level"] for row in rows)
    containers = {level: len({row["post_container"] for row in rows if row["post_level"] == level}) for level in pieces}
    counted = [{"level": level, "pieces": count, "containers": containers[level]} for level, count in pieces.items()]
    assert manifest["sort_plan"] == {"name": "us_presort", "levels": counted}
    assert list(pieces) == ["5_digit", "area", "mixed"]
    assert {row["post_level"] for row in rows if row["Country Code"] != "US"} == {"mixed"}


def refuse_missing_plan(project: Project) -> None:
    """A plan needs its macro and its columns."""
    project.edit(EXPOSURE, "sort_by: [country_code, postal_code]", "sort_by: post:us_presort")
    refused = project.call("check", "spring_catalog").stderr
    assert (
        "file.sort_by: the extract has no column post_level, post_container, post_sequence, which dmail.us_presort() adds"
        in refused
    )
    assert "no model of the campaign calls dmail.us_presort()" in refused
    project.edit(EXPOSURE, "sort_by: post:us_presort", "sort_by: [country_code, postal_code]")


def refuse_late_slot(project: Project) -> None:
    """A slot must make the in-home date."""
    cron, dated = 'schedule: {cron: "0 6 * * mon",', 'in_home: 2031-03-12\n          schedule: {at: ["2031-03-04T06:00"],'
    project.edit(EXPOSURE, cron, dated)
    late = project.call("check", "spring_catalog")
    assert late.returncode == WRONG
    assert (
        "the slot on 2031-03-04 is delivered by 2031-03-14, after the in-home date 2031-03-12: the latest slot is on 2031-03-02"
        in late.stderr
    )
    project.edit(EXPOSURE, dated, cron)


def check_dates(project: Project, run_id: str) -> None:
    """The calendar and the pages have the dates by the provider's lead times, and the run's page the levels of the plan."""
    calendar = project.call("calendar", "--weeks", "2")
    assert re.search(r"slot \(UTC\) +as scheduled +campaign +drop +in home", calendar.stdout), calendar.stderr
    assert re.search(r"Mon \d{4}.*spring_catalog +\w{3} \d{4}-\d\d-\d\d +\w{3} \d{4}-\d\d-\d\d", calendar.stdout)
    assert project.call("report").returncode == DONE
    page = (project.path / "site/campaign/spring_catalog.html").read_text()
    assert "Drop date" in page
    timeline = (project.path / f"site/run/{run_id}.html").read_text()
    assert re.search(r"sort plan.*?5_digit: [\d,]+ pieces in [\d,]+ containers; area: ", timeline, re.DOTALL)
    assert re.search(r"<td>\d{4}-\d\d-\d\d</td><td>\d{4}-\d\d-\d\d</td></tr>", page)


def test_side_files_are_delivered_last(project: Project) -> None:
    refuse_missing_plan(project)
    sort_by_plan(project)
    entry = 'route: outbox\n  lead_times: {country: US, production_days: 3, delivery_days: 5}\n  split: {rows: 700}\n  side_files: [done, sha256, manifest]\n  prefix: "4711_"\n  format: {type: csv, line_end: crlf}'
    project.edit("profiles/providers.yml", "route: outbox\n  format: {type: csv, line_end: crlf}", entry)
    project.edit(EXPOSURE, "inbound/spring_catalog.csv", "inbound/{slot:%Y%m%d|America/New_York}.csv")
    project.edit(EXPOSURE, "timestamp: true", "timestamp: false")
    refuse_late_slot(project)
    done = project.run()
    assert done.returncode == DONE, done.stderr
    base = "inbound/4711_20261102"
    parts = [f"{base}_{number:04}.csv" for number in (1, 2)]
    sides = [f"{part}.sha256" for part in parts] + [f"{base}.csv.json", f"{base}.csv.done"]
    assert project.delivered == sorted(parts + sides)
    (run,) = project.status()
    assert [part["name"] for part in run["parts"]] == parts
    assert [part["rows"] for part in run["parts"]] == [700, run["included"] + run["seeds"] - 700]
    assert run["side_files"] == sides
    manifest = json.loads((project.path / "outbox" / f"{base}.csv.json").read_text())
    assert [file["sha256"] for file in manifest["files"]] == [part["sha256"] for part in run["parts"]]
    check_plan(project, parts, manifest)
    for part in parts:
        told, name = (project.path / "outbox" / f"{part}.sha256").read_text().split()
        assert (told, name) == (hashlib.sha256((project.path / "outbox" / part).read_bytes()).hexdigest(), Path(part).name)
    order = sorted(project.delivered, key=lambda name: (project.path / "outbox" / name).stat().st_mtime_ns)
    assert order == parts + sides
    assert project.private_leftovers() == []
    check_dates(project, run["run_id"])


def test_a_character_that_the_encoding_lacks_is_named(project: Project) -> None:
    project.edit("profiles/providers.yml", "type: csv, line_end: crlf", "type: csv, encoding: latin-1")
    done = project.run()
    assert done.returncode == FAILED
    assert re.search(r"iso8859-1 (has no|lacks [\d,]+ characters)", done.stderr)
    assert re.search(r"full_name has it in [\d,]+ values?, such as that of profile_id", done.stderr)
    assert project.delivered == []
    assert project.private_leftovers() == []


def test_a_header_alone_where_the_provider_wants_it(project: Project) -> None:
    project.edit(
        "profiles/providers.yml",
        "route: outbox\n  format: {type: csv",
        "route: outbox\n  empty: header_only\n  format: {type: csv",
    )
    nobody, profiles = project.path / "data/nobody.csv", f"read_csv('{project.path}/data/profiles.csv', all_varchar = true)"
    duckdb.sql(f"copy (select * replace ('0' as orders_count) from {profiles}) to '{nobody}'")
    assert project.run(DMAIL_PROFILES="data/nobody.csv").returncode == DONE
    (run,) = project.status()
    assert (run["state"], run["included"]) == ("settled", 0)
    (name,) = project.delivered
    assert (project.path / "outbox" / name).read_text().startswith("Customer ID,Full Name")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("type: delimited, delimiter: \"|\"", "type: delimited, delimiter: \"||\"", "format.delimiter: must be one ASCII character"),
        ("type: delimited, delimiter: \"|\"", "type: delimited, delimiter: \"|\", encoding: utf-9", "format.encoding: is not a text encoding"),
        ("type: delimited, delimiter: \"|\"", "type: xml", "format.type: unknown type"),
        ("label: Offerworks", "label: Offerworks\n  split: {rows: 5, size: 1 MB}", "split: needs either `rows` or `size`"),
        ("label: Offerworks", "label: Offerworks\n  split: {size: 1 furlong}", "split.size: must be a number of bytes, or a size such as `500 MB`"),
        ("label: Offerworks", "label: Offerworks\n  side_files: [sha1]", "side_files.0: unknown value"),
        ("label: Formpress", "label: Formpress\n  records: {header: '{sum}'}", "formpress.records.header: has the unknown placeholder {sum}"),
    ],
)  # fmt: skip
def test_wrong_formats_are_told(project: Project, old: str, new: str, told: str) -> None:
    project.edit("profiles/providers.yml", old, new)
    done = project.call("check")
    assert done.returncode == WRONG
    assert "profiles/providers.yml: " in done.stderr
    assert told in done.stderr


def test_a_fixed_width_file_needs_widths(project: Project) -> None:
    project.edit("profiles/providers.yml", "type: csv, line_end: crlf", "type: fixed_width")
    done = project.call("check")
    assert done.returncode == WRONG
    assert "models.spring_catalog__extract.columns.full_name.config.meta.width: is required" in done.stderr
