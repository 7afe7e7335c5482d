"""Lists, ids and consents in whole runs: what is held, what a person may let pass, and what the ledger keeps."""

from dataclasses import replace

import pytest

from dmail_runner.core.errors import Held, UsageError
from dmail_runner.run.decisions import release, resume
from tiny import World
from worlds import DAY, SAID, declared

LISTED = "insert into stg_suppressions (list_name, profile_id) values "


def held(world: World) -> str:
    """Run what is due, which is held; the message."""
    (fault,) = world.run_due()
    assert isinstance(fault, Held)
    assert world.mailed() == {} or len(world.mailed()) == len([run for run in world.ledger().latest() if run.state == "settled"])
    return f"{fault.hold}: {fault.what}"


def test_somebody_on_a_list_is_held_and_the_list_is_named(world: World) -> None:
    world.changed = f"{LISTED} ('deceased', 'p3'), ('returned', 'p3'), ('deceased', 'p4')"
    world.pass_time(DAY)
    text = held(world)
    assert text.startswith("opt_out: letter: 2 people in the file are on a suppression list: ")
    assert "2 on deceased by profile_id" in text
    assert "1 on returned by profile_id" in text


def test_an_entry_that_no_longer_applies_is_not_counted(world: World) -> None:
    past = "timestamp '2020-01-01'"
    world.changed = (
        f"insert into stg_suppressions (list_name, profile_id, valid_until) values ('old', 'P3', {past}), ('old', 'p99', null)"
    )
    world.pass_time(DAY)
    assert world.run_due() == []
    (run,) = world.ledger().latest()
    assert run.verdicts
    assert run.verdicts.baseline
    assert [str(entry) for entry in run.verdicts.baseline.lists] == [
        "do_not_mail: 0 of 1 entry matches a profile",
        "old: 0 of 1 entry matches a profile",
    ]


def test_a_list_whose_ids_a_spreadsheet_has_changed_is_held_until_it_is_corrected(world: World) -> None:
    world.changed = f"{LISTED} ('do_not_mail', ' P3'), ('do_not_mail', '''p4')"
    world.pass_time(DAY)
    assert held(world).startswith("ids: letter: no profile matches, but one has the same id except for a spreadsheet's changes")
    ledger = world.ledger()
    (run,) = ledger.latest()
    with pytest.raises(UsageError, match="may mail people who have opted out"):
        release(world.job(), run, ledger, SAID)
    with pytest.raises(Held):
        resume(world.job(), ledger.known(run.run_id), ledger)
    world.changed = f"{LISTED} ('do_not_mail', 'p90')"
    assert resume(world.job(), ledger.known(run.run_id), ledger).state == "settled"


def test_ids_that_differ_like_this_can_be_declared(world: World) -> None:
    world.changed = f"{LISTED} ('do_not_mail', 'P3')"
    declared(world, guard={"near_matches": "tell"})
    world.pass_time(DAY)
    assert world.run_due() == []
    (run,) = world.ledger().latest()
    assert run.verdicts
    assert run.verdicts.baseline
    assert str(run.verdicts.baseline.lists[0]) == "do_not_mail: 0 of 2 entries match a profile, 1 nearly"


def test_profiles_whose_ids_have_changed_are_not_mailed_again(world: World) -> None:
    world.pass_time(DAY)
    assert world.run_due() == []
    world.changed = "update stg_profiles set profile_id = upper(profile_id)"
    world.pass_time(DAY)
    text = held(world)
    assert text.startswith(
        "ids: letter: the contact history has 20 people of the file only with an id that a spreadsheet has changed"
    )


def test_people_with_similar_ids_are_mailed(world: World) -> None:
    world.pass_time(DAY)
    assert world.run_due() == []
    world.changed = "insert into stg_profiles select upper(profile_id), full_name, null, null from stg_profiles"
    world.pass_time(DAY)
    assert world.run_due() == []


def test_lists_that_are_empty_wait_for_a_person(world: World) -> None:
    world.changed = "delete from stg_suppressions"
    world.pass_time(DAY)
    assert held(world) == "exclusions: letter: the suppression lists have no entry: nothing was delivered"
    ledger = world.ledger()
    (run,) = ledger.latest()
    assert release(world.job(), run, ledger, SAID).state == "settled"


def test_a_consent_column_that_goes_blank_waits_for_a_person(world: World) -> None:
    for number in range(3):
        world.opt_out(number)
    world.pass_time(DAY)
    assert world.run_due() == []
    world.changed = "update stg_profiles set postal_mail_consent = null"
    world.pass_time(DAY)
    assert "postal_mail_consent has no answer at all, and had 3 in the last run" in held(world)
    assert len(world.mailed()) == 1
    ledger = world.ledger()
    (run,) = [run for run in ledger.latest() if run.state == "held"]
    assert run.hold == "exclusions"
    assert release(world.job(), run, ledger, SAID).state == "settled"
    world.pass_time(DAY)
    assert world.run_due() == [], "what a person has let pass is usual from then on"


def test_a_letter_that_nobody_can_refuse_has_no_lists(world: World) -> None:
    world.campaign = replace(
        world.campaign, opt_outs=None, mail=world.campaign.mail.model_copy(update={"purpose": "contractual"})
    )
    world.changed = "delete from stg_suppressions"
    world.pass_time(DAY)
    assert world.run_due() == []
    (run,) = world.ledger().latest()
    assert run.verdicts
    assert run.verdicts.baseline is None
