"""Twenty mailings of a real project with a mail house and a shop whose truth is known. For `make soak` alone: it takes twenty builds."""

import csv
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
import yaml

from effort import SOAK
from project import DONE, Project

__test__ = bool(SOAK)
SLOTS, EVERY = 20, timedelta(weeks=5)  # apart from each other, so that the frequency cap keeps nobody out
FIRST = datetime(2025, 1, 6, 6, tzinfo=ZoneInfo("America/New_York"))
RATE, LIFT, REJECTED, RETURNED = 0.1, 0.1, 0.002, 0.03
CONTACTS = """
    create table contacts as
    select *, md5_number_lower('{seed}' || run_id || profile_id) / 2.0 ** 64 as draw,
        md5_number_lower('order' || profile_id) / 2.0 ** 64 as order_draw, slot + interval 1 day as mailed_at
    from read_parquet('.dmail/contact_history/{run_id}/contacts.parquet')
"""
ANSWERS = {
    "acknowledgement": """
        select '{file}' as file_name, status, pieces, (select min(mailed_at)::date from contacts) as happened_at
        from (values ('received', {pieces}), ('mailed', {pieces} - {rejected}), ('rejected', {rejected})) as reports (status, pieces)
    """,
    "invoice": """
        select 'I-{run_id}' as invoice_id, '{file}' as file_name, {pieces} - {rejected} as pieces, 0.3 * pieces as production,
            0.4 * pieces as postage, 0.7 * pieces as amount, 'USD' as currency, (select min(mailed_at)::date from contacts) as happened_at
    """,
    "returns": """
        select piece_id, 'moved' as reason, slot::date + 9 as happened_at
        from contacts where cell = 'mailed' and draw between {rejected_share} and {rejected_share} + {returned_share}
    """,
    # Each person orders at most once, after the first mailing in which the campaign had them.
    "responses": """
        select 'r' || profile_id as response_id, profile_id, null as piece_id, null as key_code, 100 as amount, 'USD' as currency,
            mailed_at + interval 20 day as happened_at
        from contacts
        where {is_first} and order_draw < {rate} + if(cell = 'mailed', {lift}, 0)
    """,
}


@pytest.mark.soak
def test_after_twenty_mailings_the_models_give_back_the_truth(project: Project) -> None:
    project.edit("models/campaigns/spring_catalog/spring_catalog__recipients.sql", "holdout(percent=5)", "holdout(percent=30)")
    entries = {kind: {"route": "outbox", "files": f"answers/{kind}_*.csv", "layout": f"generic_{kind}"} for kind in ANSWERS}
    (project.path / "profiles/inbound.yml").write_text(yaml.safe_dump(entries))
    back, seen, again = set[str](), set[str](), Counter[str]()
    for number in range(SLOTS):
        slot = (FIRST + number * EVERY).astimezone(UTC)
        run_id = f"spring_catalog-{slot:%Y%m%dT%H%M%SZ}"
        if number == SLOTS // 2:
            moved = set(sorted(back)[::2])
            move(project.path / "data/profiles.csv", moved)
            back -= moved
        done = project.call(
            "run", "spring_catalog", "--slot", f"{slot:%Y-%m-%dT%H:%MZ}", "--accept", "volume", "--accept", "exclusions"
        )
        assert done.returncode == DONE, f"{run_id}\n{done.stdout}\n{done.stderr}"
        mailed = people(project.path / f"outbox/inbound/{run_id.replace('-', '_')}.csv")
        assert not back & mailed, f"{run_id}: returned mail goes out again"
        again.update(moved & mailed if number >= SLOTS // 2 else ())
        back |= answer(project.path, run_id, seen)
        fetched = project.call("fetch")
        assert fetched.returncode == DONE, fetched.stdout
    assert len(back) > SLOTS, "mail was returned"
    assert again, "who has another address is mailed again"
    assert all(
        f"mailed {(FIRST + number * EVERY + timedelta(days=1)):%Y-%m-%d}" in project.call("status").stdout
        for number in (0, SLOTS - 1)
    )
    assert project.call("report", "--results").returncode == DONE
    check_results(project.path)


def people(file: Path) -> set[str]:
    """Who is in a file, without the seed addresses."""
    with file.open() as content:
        return {row["Customer ID"] for row in csv.DictReader(content) if row["Customer ID"].isdigit()}


def move(profiles: Path, who: set[str]) -> None:
    """Give some people another address."""
    changed = profiles.with_suffix(".new")
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select * replace (if(list_contains(?, profile_id), profile_id[-4:] || ' New Road', address_line1) as address_line1)
                from read_csv('{profiles}', all_varchar = true)
            ) to '{changed}' (header true)
            """,
            [sorted(who)],
        )
    shutil.move(changed, profiles)


def answer(project: Path, run_id: str, seen: set[str]) -> set[str]:
    """Put down the answers about a run. Returns whose mail came back; adds to `seen` whom the campaign has had."""
    folder = project / "outbox/answers"
    folder.mkdir(exist_ok=True)
    file = f"inbound/{run_id.replace('-', '_')}.csv"
    with duckdb.connect() as connection:
        connection.execute(f"set file_search_path = '{project}'")
        connection.execute(CONTACTS.format(run_id=run_id, seed=1))
        connection.execute("create table seen as select unnest(?::varchar[]) as profile_id", [sorted(seen)])
        pieces, rejected = connection.execute(
            f"select (select count(*) from read_csv('outbox/{file}', all_varchar = true)), count(*) from contacts where cell = 'mailed' and draw < {REJECTED}"
        ).fetchall()[0]
        values = {"file": file, "run_id": run_id, "pieces": pieces, "rejected": rejected, "rate": RATE, "lift": LIFT}
        values |= {"rejected_share": REJECTED, "returned_share": RETURNED, "is_first": "profile_id not in (from seen)"}
        for kind, query in ANSWERS.items():
            connection.execute(f"copy ({query.format(**values)}) to '{folder}/{kind}_{run_id}.csv' (header true)")
        seen.update(
            row[0] for row in connection.execute("select profile_id from contacts where cell in ('mailed', 'holdout')").fetchall()
        )
        returned = f"select profile_id from contacts semi join read_csv('{folder}/returns_{run_id}.csv', all_varchar = true) using (piece_id)"
        return {row[0] for row in connection.execute(returned).fetchall()}


def check_results(project: Path) -> None:
    """Compare the results with the truth."""
    with duckdb.connect(project / ".dmail/warehouse.duckdb", read_only=True) as connection:
        connection.execute(f"set file_search_path = '{project}'")
        query = "select cell, units, responders, verdict, lift_low, lift_high from rpt_results order by cell"
        (_, control, *_), (_, units, responders, verdict, low, high) = connection.execute(query).fetchall()
        assert verdict == "measured"
        assert 0 < low <= LIFT <= high, "the interval covers the true effect"
        assert responders > RATE * units
        assert control > 100
