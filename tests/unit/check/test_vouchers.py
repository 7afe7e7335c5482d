"""What the gate of voucher codes finds, and which runs share a code by the contact history."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dmail_runner.check.vouchers import check_vouchers
from dmail_runner.core.errors import Held
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.declare.campaign import Column
from dmail_runner.history.vouchers import given_vouchers, shares_vouchers
from voucher_world import COLUMNS, with_vouchers

SLOT = "2027-03-01 06:00:00"
LETTER, COPY, CARD = "letter-20270301T060000Z", "letter-20270301T060000Z-r1", "card-20270301T060000Z"
Row = tuple[str, bool, str | None, str | None]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A contact history: a run, its copy, a run of an earlier version of the runner, and one of another campaign."""
    for run, column, *pieces in (
        (LETTER, "voucher", ("p1", "c1"), ("p2", "c2")),
        (COPY, "voucher", ("p1", "c1")),
        ("old-20260301T060000Z", "key_code", ("p1", "c5")),
        (CARD, "voucher", ("p3", "c9")),
    ):
        (tmp_path / run).mkdir()
        rows = ", ".join(f"('{profile}', '{code}')" for profile, code in pieces)
        duckdb.execute(
            f"copy (select '{run}' as run_id, '{run.split('-')[0]}' as campaign, timestamp '{SLOT}' as slot, * "
            f"from (values {rows}) as t (profile_id, {column})) to '{tmp_path}/{run}/contacts.parquet' (format parquet)"
        )
    return Settings(tmp_path, tmp_path, tmp_path, None, None)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([("p2", False, "c2", "spring"), ("p5", False, "c5", "spring")], "vouchers of spring: 2 pieces, 8 codes are left"),
        ([("p5", False, "c5", "spring"), ("p6", False, None, None)], "vouchers of spring: 1 piece, 8 codes are left"),
        ([("p1", False, "c2", "spring")], "the file has 1 piece whose code a mailed piece has"),
        ([("p5", False, "c9", "spring")], "the file has 1 piece whose code a mailed piece has"),
        ([("p5", False, "c5", "spring"), ("p6", False, "c5", "spring")], "the file has 1 piece whose code another piece of it has"),
        ([("p5", False, "zz", "spring"), ("p6", False, "c6", "autumn")], "the file has 2 pieces whose code is not in the piece's pool"),
        ([("s", True, "c7", "spring"), ("p6", False, "c6", "spring")], "the file has 1 seed address with a code of a pool"),
        ([("p6", False, None, "spring"), ("p5", False, "c5", "spring")], "no code is left for 1 of 2 pieces of spring"),
    ],
)  # fmt: skip
def test_each_piece_has_a_code_of_its_own(settings: Settings, rows: list[Row], found: str) -> None:
    campaign = replace(with_vouchers("letter"), columns=(*COLUMNS, Column("is_seed", "is_seed", export=False)))
    build, given = Build("extract", "", vouchers="codes"), f"({given_vouchers(settings)})"
    with duckdb.connect() as connection:
        connection.execute("create table extract (profile_id varchar, is_seed boolean, voucher varchar, voucher_pool varchar)")
        connection.execute(
            "create table codes as select 'spring' as pool, 'c' || range as code, null::timestamp as valid_until from range(12)"
        )
        connection.executemany("insert into extract values (?, ?, ?, ?)", [*rows, ("seed", True, "SPECIMEN", "spring")])
        try:
            (text,) = map(str, check_vouchers(connection, build, Verdicts(1, 1, {}), campaign, slot=SLOT, given=given))
        except Held as hold:
            text = hold.what
    assert found in text


def test_a_copy_may_have_the_codes_of_its_original_and_no_other_run_may(settings: Settings) -> None:
    assert [shares_vouchers(settings, run) for run in (LETTER, COPY, CARD)] == [None, None, None]
    file = settings.history_dir / CARD / "contacts.parquet"
    row = f"'{CARD}' as run_id, 'card' as campaign, timestamp '{SLOT}' as slot, 'p1' as profile_id, 'c1' as voucher"
    duckdb.execute(f"copy (select {row}) to '{file}' (format parquet)")
    assert [shares_vouchers(settings, run) for run in (LETTER, COPY, CARD)] == [CARD, CARD, LETTER]
