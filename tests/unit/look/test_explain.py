"""What `explain` says where no rule has decided: the audience's conditions, waves, and rows that are printed identically."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dmail_runner.declare.campaign import Column
from dmail_runner.look.compiled import CompiledModels
from dmail_runner.look.explain import identical, mailing, wave_opinions
from dmail_runner.look.outside import false_conditions
from dmail_runner.plan.planner import open_slot
from tiny import World, letter

AUDIENCE = """
with buyers as (select * from people)
select * from buyers where /* audience if */ not is_test and (orders > 0 and (city = 'a' or vip)) /* audience end */
"""


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("create table people (profile_id varchar, is_test boolean, orders integer, city varchar, vip boolean)")
    connection.execute("insert into people values ('p1', false, 0, 'b', false), ('p2', false, null, 'a', null)")
    return connection


def outcomes(connection: duckdb.DuckDBPyConnection, profile: str, audience: str = AUDIENCE) -> dict[str, bool]:
    return dict(false_conditions(connection, audience, profile))


def test_each_condition_of_an_audience_is_tried_alone(connection: duckdb.DuckDBPyConnection) -> None:
    assert outcomes(connection, "p1") == {"NOT is_test": False, "orders > 0": True, "(city = 'a') OR vip": True}
    assert outcomes(connection, "p2") == {"NOT is_test": False, "orders > 0": True, "(city = 'a') OR vip": False}, (
        "null is not true"
    )
    assert outcomes(connection, "p3") == {"the models that the audience reads have the profile": True}


def test_an_audience_without_the_macro_is_not_taken_apart(connection: duckdb.DuckDBPyConnection) -> None:
    assert outcomes(connection, "p1", "select * from people where orders > 0") == {}
    assert (
        outcomes(connection, "p1", f"{AUDIENCE} union all {AUDIENCE.replace('with buyers as (select * from people)', '')}") == {}
    )


def test_a_wave_is_known_by_its_slot(tmp_path: Path) -> None:
    world = World(tmp_path / "world", letter())
    sizes = [{"share": "50%"}, {"after": "2d"}]
    campaign = letter(schedule={"at": ["2027-03-02T06:00"]}, waves={"sizes": sizes})
    job, ledger, slot = replace(world.job(), campaign=campaign), world.ledger(), world.now.replace(day=2, hour=6)
    assert mailing(job, slot, ledger) is not None
    open_slot(campaign, slot, ledger)
    second = mailing(job, slot + timedelta(days=2), ledger)
    assert second
    assert second.run_id == "letter-20270302T060000Z-w2"
    (opinion,) = wave_opinions({"wave_number": 1}, second)
    assert (opinion.out, opinion.looked_at) == (True, "wave: 1, of this slot: 2")
    assert wave_opinions({"wave_number": None}, second) == ()


def test_a_row_that_is_printed_like_another_is_explained(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    connection.execute("create table file (profile_id varchar, name varchar, is_seed boolean)")
    connection.execute(
        "insert into file values ('p1', 'Ann', false), ('p2', 'Ann', false), ('p3', null, false), ('p4', '', false), ('p0', 'Ann', true)"
    )
    columns = (Column("profile_id", "profile_id", False), Column("name", "Name", True), Column("is_seed", "is_seed", False))
    job = replace(World(tmp_path / "world", letter()).job(), campaign=replace(letter(), extract="file", columns=columns))
    node: dict[str, Any] = {"relation_name": "file"}
    found = {name: identical(connection, CompiledModels({"file": node}), job, name) for name in ("p1", "p2", "p3", "p4")}
    assert {name: opinion.looked_at for name, (opinion, *_) in ((n, o) for n, o in found.items() if o)} == {
        "p2": "printed like: p1", "p4": "printed like: p3",
    }  # fmt: skip
