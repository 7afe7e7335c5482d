"""A delivered file is recalled: what the mail house gets, what the ledger knows, and who counts as mailed."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
import yaml

from dmail_runner.core.errors import DmailError, UsageError
from dmail_runner.history.contacts import find_contacts
from dmail_runner.inbound.acknowledged import Acknowledged
from dmail_runner.ledger.journal import faults
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, Run
from dmail_runner.report.attention import needs
from dmail_runner.report.rows import read_runs
from dmail_runner.run.answers import differences
from dmail_runner.run.decisions import resend
from dmail_runner.run.recall import answer, hold_later_waves, recall
from sshd import Sshd
from tiny import World, letter
from worlds import DAILY, DAY, HOUR, SAID

RECALL_FILE = {"name": "recall_{run}.csv", "header": "file,rows", "line": "{file},{rows}"}
PROVIDER = {
    "label": "Acme",
    "route": "out",
    "recall_until": "6h",
    "recall_contact": "Ann Lee, +1 555 0100",
    "recall_file": RECALL_FILE,
}
FILE = "letter_20270302T060000Z.csv"
RECALL = "recall_letter-20270302T060000Z.csv"


@pytest.fixture
def world(world: World) -> World:
    """A daily letter of twenty pieces that was just delivered to a mail house that accepts recalls for six hours."""
    declare(world)
    world.campaign = letter(schedule=DAILY)
    world.run_due()
    world.pass_time(DAY)
    assert world.run_due() == []
    return world


def declare(world: World, **changes: object) -> None:
    values = {name: value for name, value in {**PROVIDER, **changes}.items() if value is not None}
    (world.folder / "profiles/providers.yml").write_text(yaml.safe_dump({"acme": values}))


def newest(ledger: Ledger) -> Run:
    return ledger.latest()[0]


def cells(world: World, run: Run) -> dict[str, int]:
    contacts = find_contacts(world.settings, run.run_id)
    assert contacts
    return dict(duckdb.sql(f"select cell, count(*) from {contacts.rows} group by all").fetchall())


def ask(world: World, ledger: Ledger) -> Run:
    return recall(world.settings, newest(ledger), ledger, SAID, lambda _: None)[0]


def test_a_recall_is_a_file_and_only_the_answer_returns_the_people(world: World) -> None:
    ledger = world.ledger()
    asked = ask(world, ledger)
    assert (world.outbox / RECALL).read_bytes() == f"file,rows\n{FILE},20\n".encode()
    assert (asked.state, asked.recall) == ("settled", "asked")
    assert ledger.details(asked, "recall_asked") == [str(SAID)]
    assert all(entry.location for entry in asked.parts), "the recall file has a receipt"
    assert cells(world, asked) == {"mailed": 20}, "who is not known to be spared counts as mailed"
    (need,) = needs(read_runs(ledger), {}, (), world.now)
    assert need.kind == "recall"
    assert need.commands[0].startswith(f"dmail-runner recall {asked.run_id} --answer accepted")
    with pytest.raises(UsageError, match="asked already, and not answered") as again:
        ask(world, ledger)
    assert "Ann Lee, +1 555 0100" in str(again.value.todo)
    with pytest.raises(UsageError, match="could be mailed twice"):
        resend(world.job(), asked, ledger, SAID)
    accepted = answer(world.settings, asked, ledger, SAID, accepted=True)
    assert accepted.recall == "accepted"
    assert cells(world, accepted) == {"recalled": 20}
    assert needs(read_runs(ledger), {}, (), world.now) == []
    assert list(differences(accepted, Acknowledged(received=20), timedelta(), world.now + DAY)) == []
    (mailed,) = differences(accepted, Acknowledged(mailed=7), timedelta(), world.now + DAY)
    assert mailed == "the mail house has accepted the recall of the file, and reports 7 as mailed"
    assert world.run_due() == [], "the slot is done, and nothing is mailed again by itself"
    assert set(world.mailed()) == {FILE, RECALL}
    copy = resend(world.job(), accepted, ledger, SAID)
    assert copy.verdicts
    assert copy.verdicts.included == 20, "a copy goes to the people of the recalled file"
    refused = answer(world.settings, accepted, ledger, SAID, accepted=False)
    assert refused.recall == "refused"
    assert cells(world, refused) == {"mailed": 20}, "a mail house that has mailed after all"
    with ledger.reading() as connection:
        assert list(faults(connection)) == []


def test_the_answer_also_reaches_the_file_of_a_week(world: World) -> None:
    ledger = world.ledger()
    asked = ask(world, ledger)
    for _ in range(30):
        world.pass_time(DAY)
        assert world.run_due() == []
    contacts = find_contacts(world.settings, asked.run_id)
    assert contacts
    assert contacts.run_id, "it was compacted with other runs"
    answer(world.settings, asked, ledger, SAID, accepted=True)
    assert cells(world, asked) == {"recalled": 20}
    other = duckdb.sql(f"select count(*) from '{contacts.file}' where cell = 'mailed' and run_id <> '{asked.run_id}'").fetchone()
    assert other
    assert other[0] > 0, "other runs of the week stay mailed"
    world.pass_time(DAY)
    assert world.run_due() == [], "the history is as recorded"


def test_a_recall_that_could_not_leave_leaves_once(world: World) -> None:
    ledger = world.ledger()
    aside = world.outbox.rename(world.outbox.with_suffix(".aside"))
    world.outbox.write_text("in the way")
    with pytest.raises(DmailError) as failed:
        ask(world, ledger)
    assert "call Ann Lee, +1 555 0100 now" in str(failed.value.todo)
    assert newest(ledger).recall == "asked", "who decides next sees that somebody wanted it stopped"
    world.outbox.unlink()
    aside.rename(world.outbox)
    declare(world, recall_file={**RECALL_FILE, "line": "{file}"})
    with pytest.raises(UsageError, match="was changed since the recall was asked"):
        ask(world, ledger)
    declare(world)
    ask(world, ledger)
    assert Counter(path.name for path in world.files()) == {FILE: 1, RECALL: 1}
    assert not list(Path(world.settings.spool_dir).iterdir())


def test_a_recall_leaves_once_by_a_real_server_that_was_away(world: World, sshd: Sshd) -> None:
    ledger = world.ledger()
    route = {"type": "sftp", "host": "127.0.0.1", "port": 1, "user": sshd.user, "private_key": str(sshd.key)}
    routes = world.folder / "profiles/routes.yml"
    routes.write_text(yaml.safe_dump({"out": {**route, "host_key": sshd.fingerprint}}))
    with pytest.raises(DmailError):
        ask(world, ledger)
    routes.write_text(yaml.safe_dump({"out": {**route, "port": sshd.port, "host_key": sshd.fingerprint}}))
    asked = ask(world, ledger)
    assert [path.name for path in sshd.root.iterdir()] == [RECALL]
    assert (sshd.root / RECALL).read_bytes() == f"file,rows\n{FILE},20\n".encode()
    assert all(entry.location for entry in asked.parts)


def test_after_the_window_the_command_names_whom_to_call(world: World) -> None:
    ledger = world.ledger()
    world.pass_time(7 * HOUR)
    with pytest.raises(UsageError, match=r"could be recalled until 2027-03-02 \d\d:00 UTC; nothing was sent") as late:
        ask(world, ledger)
    assert "call Ann Lee, +1 555 0100" in str(late.value.todo)
    assert newest(ledger).recall is None
    declare(world, recall_until=None, recall_file=None, recall_contact=None)
    with pytest.raises(UsageError, match="Acme has no `recall_until`"):
        ask(world, ledger)
    # The call is answered.
    done = answer(world.settings, newest(ledger), ledger, SAID, accepted=True)
    assert ledger.details(done, "recall_asked") == [f"outside of the runner {SAID}"]
    assert cells(world, done) == {"recalled": 20}


def test_without_a_file_people_call_the_mail_house(world: World) -> None:
    declare(world, recall_file=None)
    ledger = world.ledger()
    asked, contact = recall(world.settings, newest(ledger), ledger, SAID, lambda _: None)
    assert (asked.recall, contact) == ("asked", "Ann Lee, +1 555 0100")
    assert set(world.mailed()) == {FILE}


def test_the_later_waves_of_a_recalled_one_wait_for_a_person(world: World) -> None:
    ledger = world.ledger()
    first = newest(ledger).run_id
    for number in (1, 2, 3):
        ledger.open(Planned(f"other-w{number}", "other", world.now + number * DAY, wave=number, first="other-w1"))
    hold_later_waves(ledger.known("other-w1"), ledger, SAID)
    later = [ledger.known(f"other-w{number}") for number in (2, 3)]
    assert [(wave.state, wave.hold) for wave in later] == [("held", "person")] * 2
    assert f"held with the recall of other-w1 {SAID}" in (later[0].error or "")
    assert ledger.known("other-w1").state == "planned"
    assert ledger.known(first).state == "settled", "another campaign"


def test_a_line_may_have_the_hash_of_the_file(world: World) -> None:
    declare(world, recall_file={**RECALL_FILE, "line": "{sha256}"})
    asked = ask(world, world.ledger())
    (digest,) = (entry.part.sha256 for entry in asked.parts if not entry.part.side)
    assert (world.outbox / RECALL).read_text() == f"file,rows\n{digest}\n"


def test_what_was_not_delivered_is_not_recalled(world: World) -> None:
    world.outbox.rename(world.outbox.with_suffix(".aside"))
    world.outbox.write_text("in the way")
    world.pass_time(DAY)
    world.run_due()
    with pytest.raises(UsageError, match="only what was delivered can be recalled") as wrong:
        ask(world, world.ledger())
    assert "dmail-runner cancel" in str(wrong.value.todo)
