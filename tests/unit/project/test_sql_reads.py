"""What the SQL of a kept table may depend on."""

import pytest

from dmail_runner.project.sql_reads import other_reads

RELATIONS = {"warehouse.main.people", "warehouse.main.places"}
FILES = {"data/people.csv"}


@pytest.mark.parametrize(
    "code",
    [
        "select * from warehouse.main.people",
        'select * from "warehouse"."main"."People" as people join warehouse.main.places using (id)',
        "with people as (select * from warehouse.main.people) select upper(name) || 'now()' from people",
        "with recursive steps as (select 1 as n union all select n + 1 from steps where n < 3) select * from steps",
        "select * from read_csv('data/people.csv', header = true, columns = {'id': 'varchar'})",
        "select n, age(timestamp '2026-01-02', timestamp '2026-01-01') from range(3) as numbers(n)",
        "select list_transform(words, word -> lower(word)), row_number() over (order by id) from warehouse.main.people",
        "select max(id), case when count(*) = 0 then error('nobody') end from (select * from warehouse.main.people)",
        "select unnest(string_split(name, ' ')) from warehouse.main.people -- today()",
    ],
)
def test_a_query_of_what_it_declares_depends_on_nothing_else(code: str) -> None:
    assert other_reads(code, RELATIONS, FILES) == set()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("select now() from warehouse.main.people", {"now()"}),
        ("select * from warehouse.main.people where born < current_date - 365", {"current_date"}),
        ("select *, list_transform([1], x -> x + random()) from warehouse.main.people", {"random()"}),
        ("select age(born), ago(interval 1 day) from warehouse.main.people", {"age()", "ago()"}),
        ("select getvariable('key'), getenv('HOME'), uuid()", {"getvariable()", "getenv()", "uuid()"}),
        ("select * from (select * from (select * from crm.main.customers))", {"crm.main.customers"}),
        ("select * from customers", {"customers"}),
        ("select * from 'data/other.csv'", {"data/other.csv"}),
        ("select * from read_csv('data/other.csv')", {"read_csv()"}),
        ("select * from read_csv(['data/people.csv', 'data/other.csv'])", {"read_csv()"}),
        ("select * from glob('data/*')", {"glob()"}),
        ("select * from query('select 1')", {"query()"}),
        ("select * from postgres_scan('host=db', 'public', 'people')", {"postgres_scan()"}),
        ("select * from warehouse.main.people using sample 10 rows", {"a sample"}),
        ("select * from warehouse.main.people tablesample 10%", {"a sample"}),
        ("select my_function(name) from warehouse.main.people", {"my_function()"}),
        ("select * from warehouse.main.people where exists (select 1 from secret.main.list)", {"secret.main.list"}),
        ("select * from", {"SQL that DuckDB cannot parse"}),
        ("", {"SQL that DuckDB cannot parse"}),
    ],
)
def test_whatever_else_it_reads_is_found(code: str, found: set[str]) -> None:
    assert other_reads(code, RELATIONS, FILES) == found
