"""What can change a byte of the file, or a recipient, changes the fingerprint; and what cannot does not."""

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from effort import SOAK
from project import DONE, SLOT, WRONG, Project

CAMPAIGN = "models/campaigns/spring_catalog"
MODELS = f"{CAMPAIGN}/_spring_catalog__models.yml"
TRIES = 40 if SOAK else 2
Edit = Callable[[Project], object]


def fingerprint(project: Project, **environment: str) -> str:
    done = project.call("approve", "spring_catalog", "--request", **environment)
    assert done.returncode == DONE, done.stderr
    return re.findall(r"^fingerprint (\w{64})$", done.stdout, re.MULTILINE)[0]


def write(file: str, text: str) -> Edit:
    return lambda project: (project.path / file).write_text(text)


def edit(file: str, old: str, new: str) -> Edit:
    return lambda project: project.edit(file, old, new)


def configure(**entries: object) -> Edit:
    """Add entries to dbt_project.yml."""

    def change(project: Project) -> None:
        file = project.path / "dbt_project.yml"
        file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **entries}, sort_keys=False))

    return change


def remove_tests(project: Project) -> None:
    file = project.path / "models/staging/_staging__models.yml"
    content = yaml.safe_load(file.read_text())
    for model in content["models"]:
        model.pop("data_tests", None)
    file.write_text(yaml.safe_dump(content, sort_keys=False))


def forge(project: Project) -> None:
    """A hook that gives everybody but the seeds another name: found by a review, and delivered at the time."""
    hook = "post_hook: \"update {{ this }} set full_name = 'Forged'\""
    project.edit(
        MODELS,
        "description: \"{{ doc('extract') }}\"\n    config:\n",
        f"description: \"{{{{ doc('extract') }}}}\"\n    config:\n      {hook}\n",
    )


CHANGES: dict[str, Edit] = {
    "a source's location": edit("models/staging/_crm__sources.yml", "data/suppressions.csv", "data/others.csv"),
    "the target's settings": edit("profiles/profiles.yml", "TimeZone: UTC", "TimeZone: UTC\n        default_null_order: nulls_first"),
    "another warehouse": edit("profiles/profiles.yml", ".dmail/warehouse.duckdb", ".dmail/other.duckdb"),
    "tests that are gone": remove_tests,
    "tests that only warn": configure(data_tests={"+severity": "warn"}),
    "a variable": configure(vars={"home_country": "DE"}),
    "where macros are looked up": configure(dispatch=[{"macro_namespace": "dmail", "search_order": ["dmail", "dbt"]}]),
    "a seed": lambda project: (project.path / "seeds/seed_addresses.csv").open("a").write("s99,X,,Ann Example,,1 Main St,,Ames,IA,50010,US,en\n"),
    "a macro of dbt's": write("macros/own.sql", "{% macro default__create_table_as(temporary, relation, sql) %}create table x as select 1{% endmacro %}"),
    "a materialization of dbt's": write("macros/own.sql", "{% materialization table, adapter='duckdb' %}{{ return({}) }}{% endmaterialization %}"),
    "the schema's name": write("macros/own.sql", "{% macro generate_schema_name(name, node) %}other{% endmacro %}"),
    "a builtin of dbt's": write("macros/own.sql", "{% macro ref() %}{{ return(builtins.ref(*varargs)) }}{% endmacro %}"),
    "a macro": edit("macros/format/clean_text.sql", "{%- endmacro %}", "{# another text #}\n{%- endmacro %}"),
    "a column's label": edit(MODELS, "label: Full Name", "label: Name"),
    "the label that notes print": edit(f"{CAMPAIGN}/_spring_catalog__exposures.yml", "label: Spring catalog", "label: Summer catalog"),
    "the guard": edit(f"{CAMPAIGN}/_spring_catalog__exposures.yml", "status: active", "guard: {min_rows: 1}\n          status: active"),
    "the provider": edit("profiles/providers.yml", "acme_print:\n", "acme_print:\n  prefix: X_\n"),
    "the policy": write("profiles/policy.yml", "require_approval: one\n"),
    "an SQL file that is not a model": write("packages.yml", "packages: []\n"),
}  # fmt: skip


@pytest.mark.soak
def test_whatever_can_change_the_file_changes_the_fingerprint(project: Project) -> None:
    seen = {fingerprint(project): "nothing"}
    for variables in (
        {"DMAIL_PROFILES": "other.csv"},
        {"DMAIL_HISTORY": "elsewhere"},
        {"DMAIL_WAREHOUSE": "w.duckdb"},
        {"TZ": "Asia/Tokyo"},
    ):
        found = fingerprint(project, **variables)
        assert found not in seen, f"{variables} leaves it as it was with {seen.get(found)}"
    for number, (name, change) in enumerate(CHANGES.items()):
        change(project)
        if number % 4 and not SOAK:
            continue
        found = fingerprint(project)
        assert found not in seen, f"{name} leaves it as it was with {seen.get(found)}"
        seen[found] = name


def test_what_changes_no_letter_needs_no_approval(project: Project) -> None:
    before = fingerprint(project)
    (project.path / "models/campaigns/welcome_letter/welcome_letter__audience.sql").open("a").write("-- another campaign\n")
    project.edit("profiles/profiles.yml", "threads: 2", "threads: 4")
    (project.path / "notes.md").write_text("nothing")
    (project.path / "macros/unused.sql").write_text("{% macro nobody_calls_this() %}1{% endmacro %}")
    assert fingerprint(project, DMAIL_MEMORY_LIMIT="1GB", LANG="C", HOME="/tmp") == before


def test_hooks_are_refused_unless_the_project_allows_them_by_name(project: Project) -> None:
    before = fingerprint(project)
    forge(project)
    header = {"dmail": {"staging": {"+sql_header": "set threads = 1;"}, "campaigns": {"+materialized": "table"}}}
    configure(**{"on-run-start": ["select 1"], "models": header})(project)
    refused = project.call("run", "spring_catalog", "--slot", SLOT)
    assert refused.returncode == WRONG
    for name in ("spring_catalog__extract", "dmail.on-run-start", "stg_profiles"):
        assert (
            f"the hooks or the sql_header of {name}, which no preview shows; allowed: remove them, or list `{name}` here"
            in refused.stderr
        )
    assert project.delivered == []
    (project.path / "profiles/policy.yml").write_text(
        "allow_hooks: [spring_catalog__extract, dmail.on-run-start, stg_profiles, stg_suppressions]\n"
    )
    assert fingerprint(project) != before


def test_check_reports_the_errors_of_the_policy(project: Project) -> None:
    (project.path / "profiles/policy.yml").write_text("require_approval: three\napprovers: {ann: {}}\n")
    checked = project.call("check")
    assert checked.returncode == WRONG
    for fault in ("require_approval: unknown value", "approvers.ann: needs an `account` or a `key`"):
        assert checked.stderr.count(f"profiles/policy.yml: {fault}") == 1
    (project.path / "profiles/policy.yml").write_text("source_folders: [exports]\n")
    refused = project.call("run", "spring_catalog", "--slot", SLOT)
    assert refused.returncode == WRONG
    assert (
        "does not have the location of the source crm.profiles, which spring_catalog reads: 'data/profiles.csv'" in refused.stderr
    )
    (project.path / "profiles/policy.yml").write_text("source_folders: [data]\n")
    assert project.call("check").returncode == DONE


def mutate(project: Project, number: int) -> str:
    """Change one word, number or line of a file that somebody could edit; the file and what was changed."""
    chance = random.Random(number)
    folders = ("models", "macros", "seeds", "profiles", "tests")
    files = sorted(
        path for folder in folders for path in (project.path / folder).rglob("*.*") if path.suffix in (".sql", ".yml", ".csv")
    )
    path = chance.choice([*files, project.path / "dbt_project.yml"])
    lines = path.read_text().splitlines()
    index = chance.randrange(len(lines))
    old = lines[index]
    new = chance.choice([
        re.sub(r"\d+", lambda number: str(int(number[0]) + 1), old, count=1),
        re.sub(r"\b(and|or|asc|desc|true|false|left|inner)\b", lambda word: {"and": "or", "or": "and", "true": "false"}.get(word[0], "true"), old, count=1),
        re.sub(r"'([A-Za-z]+)'", r"'\1x'", old, count=1),
        "",
    ])  # fmt: skip
    lines[index] = new
    path.write_text("\n".join(lines) + "\n")
    return f"{path.relative_to(project.path)}:{index + 1}: {old.strip()!r} -> {new.strip()!r}"


# Settings of the host. Those that reach a build are in the fingerprint, and the others must not change a byte.
VARIABLES = {
    "DMAIL_AS_OF": "2020-01-01 00:00:00", "DMAIL_EXPLAIN": "1", "DMAIL_EXTENSIONS": "elsewhere", "DMAIL_FIGURES": "elsewhere",
    "DMAIL_MEMORY_LIMIT": "900MB", "DMAIL_ORIGINAL": '{"file": "x"}', "DMAIL_SLOT": "2020-01-01 00:00:00",
    "DMAIL_SUPPRESSIONS": "data/none.csv", "DMAIL_TEMP": "elsewhere", "DMAIL_TEST_PROFILES": "1", "DMAIL_WAVE": '{"number": 2}',
    "DMAIL_WAREHOUSE": ".dmail/w.duckdb", "DMAIL_WINDOW_START": "2020-01-01 00:00:00", "DBT_FULL_REFRESH": "1",
    "DBT_VARS": "{home_country: DE}", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo",
}  # fmt: skip


def built(project: Project, **environment: str) -> str | None:
    """The SHA-256 of the file that would be mailed; None if there is none."""
    made = project.call("run", "spring_catalog", "--slot", SLOT, "--dry-run", "--json", **environment)
    if made.returncode != DONE:
        return None
    return str(json.loads(made.stdout)["runs"][0]["parts"][0]["sha256"])


@pytest.mark.soak
def test_no_random_change_of_a_file_changes_the_letter_unseen(project: Project) -> None:
    """Where the fingerprint stays, the bytes must stay. Where it changes, an approval is asked for, whatever is built."""
    before, expected = fingerprint(project), None
    for number in range(TRIES):
        spoilt = Project(Path(shutil.copytree(project.path, project.path.with_name(f"spoilt{number}"))))
        setting = dict([random.Random(number).choice([*VARIABLES.items()])] if number % 3 == 1 else [])
        changed = str(setting) if setting else mutate(spoilt, number)
        asked = spoilt.call("approve", "spring_catalog", "--request", **setting)
        if asked.returncode == DONE and before in asked.stdout:
            expected = expected or built(project)
            assert built(spoilt, **setting) in (expected, None), f"{changed}: another file, and the same fingerprint"
