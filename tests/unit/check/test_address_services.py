"""The gate of address services: who has no answer that is new enough, by country and service."""

from dataclasses import replace
from typing import Any

import duckdb
import pytest

from dmail_runner.check.address_services import check_address_services, service_faults
from dmail_runner.core.errors import Held
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.declare.campaign import Campaign, Column
from dmail_runner.declare.policy import Policy
from dmail_runner.report.words.messages import portuguese
from tiny import letter

BUILD = Build("extract", "recipients", as_of="2027-03-01 12:00:00", address_services="services")
POLICY = Policy(approvers={}, address_services={"US": {"ncoa": "95d", "cass": "365d"}})
TABLES = """
create table extract as from (values
    ('old', 'US', false), ('new', 'US', false), ('never', 'us', false), ('german', 'DE', false), ('seed', 'US', true)
) as t(profile_id, country_code, is_seed);
create table services as from (values
    ('old', 'ncoa', timestamp '2026-11-01'), ('old', 'cass', timestamp '2026-11-01'),
    ('new', 'ncoa', timestamp '2027-02-01'), ('new', 'cass', timestamp '2027-02-01'),
    ('never', null, null)
) as t(profile_id, entry, answered_at);
"""


def campaign() -> Campaign:
    columns = tuple(Column(name, name, export=True) for name in ("profile_id", "country_code", "is_seed"))
    return replace(letter(), columns=columns)


def held(build: Build = BUILD, policy: Policy = POLICY, connection: Any = None) -> str:
    with pytest.raises(Held) as error:
        check_address_services(connection, build, Verdicts(4, 4, {}), campaign(), policy)
    assert error.value.hold == "address_services"
    assert portuguese(error.value.what), "it is translated"
    return error.value.what.removeprefix("letter: ").removesuffix(": nothing was delivered")


def test_people_without_a_new_answer_are_counted(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(TABLES)
    text = held(connection=connection)
    assert text == "2 people in US: no answer of ncoa in the last 95d; 1 person in US: no answer of cass in the last 365d"
    connection.execute("update services set entry = 'ncoa', answered_at = timestamp '2027-02-27'")
    connection.execute("insert into services select profile_id, 'cass', answered_at from services")
    check_address_services(connection, BUILD, Verdicts(4, 4, {}), campaign(), POLICY)


def test_a_campaign_that_reads_no_answers_is_held_only_for_these_countries(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(TABLES)
    alone = replace(BUILD, address_services=None)
    assert held(alone, connection=connection).startswith(
        "3 people in US: no answer of ncoa in the last 95d, whose answers no rule of the campaign reads"
    )
    check_address_services(connection, alone, Verdicts(4, 4, {}), campaign(), Policy(approvers={}))
    connection.execute("update extract set country_code = 'CA'")
    check_address_services(connection, alone, Verdicts(4, 4, {}), campaign(), POLICY)


def test_a_service_that_asks_nothing_is_an_error() -> None:
    assert list(service_faults(campaign(), POLICY, ["ncoa", "cass"])) == []
    (unknown,) = service_faults(campaign(), POLICY, ["ncoa"])
    assert str(unknown).startswith("profiles/policy.yml: address_services.US.cass: profiles/inbound.yml has no entry cass with")
    (lacking,) = service_faults(letter(), POLICY, ["ncoa", "cass"])
    assert "has no country_code" in str(lacking)
