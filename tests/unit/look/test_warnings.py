"""Warnings of `check` about declarations that may not be intended."""

from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dmail_runner.declare.provider import Provider
from dmail_runner.declare.register import Register, SuppressionList
from dmail_runner.look.warnings import contract_warnings, register_warnings
from dmail_runner.run.job import Job
from tiny import World, letter


@pytest.mark.parametrize(
    ("keys", "file"),
    [
        ({}, None),
        ({"compared": date(2026, 3, 1)}, None),
        ({"compared": date(2026, 2, 27)}, "profiles/providers.yml: p.compared: is 2026-02-27, more than a year ago"),
    ],
)
def test_a_contract_is_compared_with_its_documents_every_year(keys: dict[str, Any], file: str | None) -> None:
    provider = Provider(label="Lob", route="r", **keys)
    job = cast("Job", SimpleNamespace(provider=provider, campaign=SimpleNamespace(mail=SimpleNamespace(provider="p"))))
    found = [str(problem) for problem in contract_warnings(job, datetime(2027, 3, 1, tzinfo=UTC))]
    assert [text[: len(file or "")] for text in found] == ([file] if file else [])


def test_the_warning_names_the_file_of_a_shared_contract() -> None:
    provider = Provider(label="Lob", route="r", contract="lob").model_copy(update={"compared": date(2025, 1, 1)})
    job = cast("Job", SimpleNamespace(provider=provider, campaign=SimpleNamespace(mail=SimpleNamespace(provider="p"))))
    (problem,) = contract_warnings(job, datetime(2027, 3, 1, tzinfo=UTC))
    assert str(problem).startswith("profiles/contracts/lob.yml: compared: ")


def test_check_warns_of_registers_of_the_last_run_and_of_licences(world: World) -> None:
    registers = (
        Register("dk", "DK", "Robinsonlisten", "required"),
        Register("gb", "GB", "MPS", "recommended"),
        Register("no", "NO", "R", "required"),
    )
    lists = (SuppressionList(name="danes", register="dk", licensed_until=date(2027, 3, 20)),)
    job = replace(world.job(), campaign=replace(letter(), registers=registers, lists=lists))
    now = datetime(2027, 3, 1, tzinfo=UTC)
    texts = [str(problem) for problem in register_warnings(job, {"DK", "GB", "US"}, now)]
    key = "letter.yml: exposures.letter.config.meta.direct_mail: "
    assert texts == [
        f"{key}the trade recommends gb (MPS) in GB, and no suppression list is a copy of it; allowed: `register: gb` of a list, or `exempt_from`",
        f"{key}the licence of the list danes ends on 2027-03-20",
    ]
    assert [str(problem) for problem in register_warnings(job, set(), datetime(2027, 1, 1, tzinfo=UTC))] == []
    assert list(register_warnings(replace(job, campaign=replace(job.campaign, lists=())), {"NO"}, now)) == [], (
        "nothing is declared"
    )
