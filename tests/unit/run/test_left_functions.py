"""A function in the warehouse takes the place of DuckDB's own in every later build, and no approval covers it."""

from dataclasses import replace

import duckdb
import pytest

from dmail_runner.core.errors import BuildError
from dmail_runner.project.functions import foreign_functions
from dmail_runner.run.approval import approve
from tiny import World
from worlds import DAY, declared, states

FORGED = """create or replace macro lower(value) as 'forged'"""


def warehouse(world: World, sql: str) -> None:
    with duckdb.connect(str(world.settings.state_dir / "warehouse.duckdb")) as connection:
        connection.execute(sql)


def test_a_function_that_other_sql_has_left_mails_nothing(world: World) -> None:
    declared(world, approval="required")
    approve(world.job(), world.ledger(), "ann")
    warehouse(world, FORGED)
    world.pass_time(DAY)
    (fault,) = world.run_due()
    assert isinstance(fault, BuildError)
    assert "the warehouse has the functions lower, which nothing that was approved for letter creates" in str(fault)
    assert world.mailed() == {}
    warehouse(world, "drop macro lower")
    world.pass_time(DAY / 24)
    assert world.run_due() == []
    assert states(world) == [("03-02 06:00", "settled")]


def test_without_an_approval_nothing_is_asked(world: World) -> None:
    warehouse(world, FORGED.replace("lower", "own"))
    world.pass_time(DAY)
    assert world.run_due() == []


@pytest.mark.parametrize(
    ("name", "text", "foreign"),
    [
        ("model tiny.letter", "select lower(full_name)", ["lower"]),
        ("macro tiny.lower", "{% macro lower(value) %}1{% endmacro %}", ["lower"]),
        ("hook on-run-start", FORGED, []),
        ("hook on-run-start", 'CREATE FUNCTION main."lower"(value) AS 1', []),
        ("hook on-run-start", "create macro lower_case(value) as 1", ["lower"]),
        ("function tiny.lower", "value || ''", []),
    ],
)
def test_a_function_belongs_to_the_text_that_creates_it(world: World, name: str, text: str, foreign: list[str]) -> None:
    warehouse(world, FORGED)
    assert foreign_functions(replace(world.settings), {name: text}) == foreign
