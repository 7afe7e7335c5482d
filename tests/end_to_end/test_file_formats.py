"""File formats in a whole project: side files, headers, encodings, configuration errors."""

import hashlib
import json
import re
from pathlib import Path

import duckdb
import pytest

from project import DONE, FAILED, WRONG, Project

EXPOSURE = "models/campaigns/spring_catalog/_spring_catalog__exposures.yml"


def test_side_files_are_delivered_last(project: Project) -> None:
    entry = 'route: outbox\n  split: {rows: 700}\n  side_files: [done, sha256, manifest]\n  prefix: "4711_"\n  format: {type: csv, line_end: crlf}'
    project.edit("profiles/providers.yml", "route: outbox\n  format: {type: csv, line_end: crlf}", entry)
    project.edit(EXPOSURE, "inbound/spring_catalog.csv", "inbound/{slot:%Y%m%d|America/New_York}.csv")
    project.edit(EXPOSURE, "timestamp: true", "timestamp: false")
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
    for part in parts:
        told, name = (project.path / "outbox" / f"{part}.sha256").read_text().split()
        assert (told, name) == (hashlib.sha256((project.path / "outbox" / part).read_bytes()).hexdigest(), Path(part).name)
    order = sorted(project.delivered, key=lambda name: (project.path / "outbox" / name).stat().st_mtime_ns)
    assert order == parts + sides
    assert project.private_leftovers() == []


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
