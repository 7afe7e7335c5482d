"""The last gate fails closed: whoever it cannot look up is not mailed."""

import duckdb
import pytest

from dmail_runner.check.opt_outs import check_opt_outs
from dmail_runner.core.errors import BuildError, Held
from dmail_runner.core.values import Build
from tiny import letter

TABLES = """
create table extract as select unnest(['1', '2', '3']) as profile_id;
create table profiles as select profile_id, 'y' as postal_mail_consent, null::varchar as marketing_consent from extract;
create table suppressed (profile_id varchar, list_name varchar, matched_by varchar);
"""
BUILD = Build("extract", "recipients", profiles="profiles", suppressions="suppressions", suppressed="suppressed")


@pytest.fixture
def session(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute(TABLES)
    return connection


def test_everybody_may_be_mailed(session: duckdb.DuckDBPyConnection) -> None:
    check_opt_outs(session, BUILD, letter())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "delete from profiles where profile_id = '2'",
            "1 person in the file is not in the model with the role profiles, such as",
        ),
        ("update profiles set marketing_consent = 'n' where profile_id <> '2'", "2 people in the file have said no, such as"),
        ("update profiles set postal_mail_consent = 'perhaps'", "3 people in the file have said no"),
        (
            "insert into suppressed values ('3', 'deceased', 'person'), ('3', 'moved', 'address'), ('9', 'moved', 'address')",
            "1 person in the file is on a suppression list: 1 on moved by address, 1 on deceased by person, such as profile_id 3",
        ),
    ],
)
def test_a_file_with_somebody_who_must_not_be_in_it_is_held(session: duckdb.DuckDBPyConnection, change: str, told: str) -> None:
    session.execute(change)
    with pytest.raises(Held, match=told) as held:
        check_opt_outs(session, BUILD, letter())
    assert held.value.hold == "opt_out"
    check_opt_outs(session, BUILD, letter(purpose="contractual"))


@pytest.mark.parametrize("relation", ["profiles", "suppressions", "suppressed"])
def test_a_relation_that_was_not_built_is_an_error(session: duckdb.DuckDBPyConnection, relation: str) -> None:
    lacking = Build(**{**vars(BUILD), relation: None})
    with pytest.raises(BuildError, match="were not built"):
        check_opt_outs(session, lacking, letter())


@pytest.mark.parametrize("column", ["profiles.postal_mail_consent", "profiles.marketing_consent", "suppressed.profile_id"])
def test_a_column_that_is_missing_is_an_error(session: duckdb.DuckDBPyConnection, column: str) -> None:
    table, _, name = column.partition(".")
    session.execute(f"alter table {table} drop column {name}")
    with pytest.raises(duckdb.Error):
        check_opt_outs(session, BUILD, letter())
