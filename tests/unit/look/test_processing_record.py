"""The record of processing: what is declared, what the last run has shown, and what a person must add."""

from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any, cast

from dmail_runner.declare.register import Register, SuppressionList
from dmail_runner.ledger.tables import places, runs
from dmail_runner.look.processing_record import ProcessingRecord, page, processing_record
from dmail_runner.project.manifest import Manifest
from tiny import World, letter

NORWAY = Register("no_reservations", "NO", "Reservasjonsregisteret", "required")
DENMARK = Register("dk_robinson", "DK", "Robinsonlisten", "required", ("consent",))
BRITAIN = Register("gb_mps", "GB", "Mailing Preference Service", "recommended")
POLICY = "controller: {name: 'Shop Ltd, 1 High St', contact: privacy@example.com, data_protection_officer: Ann}\n"


def record(world: World, *lists: SuppressionList, countries: tuple[str, ...] = (), **mail: Any) -> ProcessingRecord:
    campaign = replace(letter(**mail), registers=(NORWAY, DENMARK, BRITAIN), lists=lists, audience="model.tiny.letter__audience")
    ledger = world.ledger()
    with ledger.writing() as connection:
        connection.execute(runs.delete())
        values = {
            "run_id": "letter-1",
            "campaign": "letter",
            "slot": "2027",
            "state": "settled",
            "created_at": "",
            "updated_at": "",
        }
        connection.execute(runs.insert().values(values))
        for country in countries:
            connection.execute(places.insert().values(run_id="letter-1", country=country, region="", pieces=20))
    nodes = {"model.tiny.letter__audience": {"description": "Members\nof the club."}}
    manifest = cast("Manifest", SimpleNamespace(names=["letter"], campaign=lambda _: campaign, nodes=nodes))
    return processing_record(world.settings, manifest, ledger, lambda given: replace(world.job(), campaign=given))


def test_a_record_has_what_the_articles_ask_for(world: World) -> None:
    (world.folder / "profiles/policy.yml").write_text(POLICY)
    norway = SuppressionList(name="norway", register="no_reservations")
    found = record(
        world, norway, countries=("NO", "GB", "DK"), legal_basis="consent", processor="Acme, contract of 2027-01-02",
        exempt_from={"gb_mps": "own members only"},
    )  # fmt: skip
    text = "\n".join(page(found))
    for line in (
        "- data protection officer: Ann",
        "- legal basis: consent",
        "- people: Members of the club.",
        "- data: profile_id; full_name",
        "- recipients: Acme, contract of 2027-01-02; Acme, by the route out",
        "- countries: DK; GB; NO",
        "NO: Reservasjonsregisteret (required): consulted, as the list norway",
        "DK: Robinsonlisten (required): not consulted: the legal basis is consent",
        "GB: Mailing Preference Service (recommended): not consulted: own members only",
        "the file is not encrypted",
        "- transfers to third countries, and the safeguards for them",
    ):
        assert line in text
    assert "legal_basis of letter" not in text
    assert asdict(found)["activities"][0]["countries"] == ("DK", "GB", "NO")


def test_a_record_names_what_is_not_declared(world: World) -> None:
    text = "\n".join(page(record(world)))
    for line in (
        "the controller: `controller` in profiles/policy.yml",
        "legal_basis of letter",
        "processor of letter",
        "description of",
    ):
        assert f"- {line}" in text
    assert "## letter" not in "\n".join(page(record(world, status="draft")))
