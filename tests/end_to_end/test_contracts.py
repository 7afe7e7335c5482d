"""A provider's contract in a whole project: found by `check`, kept by `run`."""

import csv
import json
import re
from typing import Any

import duckdb
import pytest
import yaml

from contracts import SHIPPED, settings_of
from dmail_runner.core.errors import ConfigError
from dmail_runner.declare.provider import find_provider
from project import DONE, FAILED, FILE, SLOT, WRONG, Project


def columns_of(project: Project, **keys: Any) -> None:
    file = project.path / "profiles/providers.yml"
    entries = yaml.safe_load(file.read_text())
    entries["acme_print"].update(keys)
    file.write_text(yaml.safe_dump(entries))


def test_check_finds_the_faults_of_a_contract_without_a_database(project: Project) -> None:
    columns_of(project, contract="lob", columns={"Full Name": {"max_length": 40}})
    refused = project.call("check", "spring_catalog")
    assert refused.returncode == WRONG
    file = (
        "models/campaigns/spring_catalog/_spring_catalog__models.yml: models.spring_catalog__extract.columns: acme_print requires"
    )
    assert f"{file} a column with the label 'name'; allowed: now Customer ID, Full Name," in refused.stderr
    assert f"{file} a column with the label 'address_zip'" in refused.stderr
    assert not (project.path / ".dmail/warehouse.duckdb").exists()


def test_a_fault_of_a_contract_is_told_in_the_file_that_has_it(project: Project) -> None:
    def told() -> str:
        with pytest.raises(ConfigError) as refused:
            find_provider(settings_of(project.path), "acme_print")
        return str(refused.value)

    columns_of(project, contract="lob", columns={"Full Name": {"pattern": "("}})
    assert told().startswith("profiles/providers.yml: acme_print.columns.Full Name.pattern: is not a regular expression of RE2")
    columns_of(project, contract="lobb", columns={})
    assert (
        told()
        == f"profiles/providers.yml: acme_print.contract: there is no profiles/contracts/lobb.yml; allowed: {', '.join(SHIPPED)}"
    )
    columns_of(project, contract="lob")
    for text, fault in (
        ("columns: {name: {max: 4}}", "columns.name.max: unknown key; allowed: required, min_length"),
        (
            "label: Lob",
            "label: unknown key; allowed: columns, required_one_of, max_columns, extra_columns, on_breach, compared, format",
        ),
        ("columns: {name: {pattern: '{{ 1 }}'}}", "columns.name.pattern: only {{ env_var('NAME') }} is supported here"),
    ):
        (project.path / "profiles/contracts/lob.yml").write_text(text)
        assert told().startswith(f"profiles/contracts/lob.yml: {fault}")


def test_a_breach_stops_the_run_and_nothing_is_left(project: Project) -> None:
    columns_of(project, columns={"Full Name": {"max_length": 14}, "Country Code": {"allowed": ["US"]}})
    failed = project.run()
    assert failed.returncode == FAILED
    for what in (
        r"Full Name: [\d,]+ values are longer than 14 characters \(max_length\)",
        r"Country Code: [\d,]+ values are not among the allowed values .+",
    ):
        assert re.search(what + r", such as that of profile_id \d{10}\n", failed.stderr)
    assert "extract  " not in failed.stderr
    assert project.delivered == project.private_leftovers() == []
    assert project.status()[0]["state"] == "failed"


def test_what_breaches_is_left_out_and_counted(project: Project) -> None:
    columns_of(project, on_breach="exclude", columns={"Country Code": {"allowed": ["US"]}, "Full Name": {"max_length": 14}})
    done = project.run()
    assert done.returncode == DONE, done.stderr
    (run,) = project.status()
    with duckdb.connect(str(project.path / ".dmail/warehouse.duckdb"), read_only=True) as warehouse:
        everybody = warehouse.sql(
            "select profile_id, country_code, full_name from spring_catalog__extract where not is_seed"
        ).fetchall()
    abroad = sum(country != "US" for _, country, _ in everybody)
    long = sum(country == "US" and len(name or "") > 14 for _, country, name in everybody)
    out = {reason: count for reason, count in run["excluded"].items() if reason.startswith("contract:")}
    assert out == {"contract:Country Code:allowed": abroad, "contract:Full Name:max_length": long}
    assert run["included"] == len(everybody) - abroad - long > 0
    assert run["targeted"] == run["included"] + sum(run["excluded"].values())

    with (project.path / "outbox" / FILE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == run["included"] + run["seeds"]
    assert all(row["Country Code"] == "US" and len(row["Full Name"]) <= 14 for row in rows)
    # The other seeds live in Berlin, or have a long name.
    assert [row["Full Name"] for row in rows if row["Customer ID"].startswith("seed-")] == ["Ms Paula Proof"]
    mailed = f"select profile_id from '{project.path}/.dmail/contact_history/*/*.parquet' where cell = 'mailed'"
    assert {key for (key,) in duckdb.sql(mailed).fetchall()} == {key["Customer ID"] for key in rows} - {"seed-001"}
    left_out = next(key for key, country, _ in everybody if country != "US")
    told = json.loads(project.call("explain", "spring_catalog", left_out, "--slot", SLOT, "--json").stdout)
    assert told["reason"] == "contract:Country Code:allowed"
    assert told["opinions"][-1]["rule"] == "contract"
    assert told["opinions"][-1]["looked_at"].startswith("Country Code: allowed")
    # The figures stand in one column, however long a reason is.
    lines = done.stdout[done.stdout.index("  targeted") : done.stdout.index("  file")].splitlines()
    funnel = [line for line in lines if line[-1].isdigit()]
    assert len(funnel) > 5
    assert len({len(line) for line in funnel}) == 1
