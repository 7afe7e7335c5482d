"""What the mail house reports is compared with what was delivered."""

from datetime import timedelta

import duckdb
import pytest
import yaml

from dmail_runner.cli.run_table import run_table
from dmail_runner.declare.notices import Notices
from dmail_runner.run.answers import mailed_days, reports_of
from dmail_runner.run.decisions import release
from dmail_runner.run.due import Scheduler
from dmail_runner.run.notify import Notice, Notifier
from mailbox_of import Mailbox
from tiny import World, letter
from worlds import DAILY, DAY, HOUR, SAID, states

HEAD = "file_name,status,pieces,happened_at\n"
FILE = "letter_20270302T060000Z.csv"


@pytest.fixture
def mailbox(mailbox: Mailbox) -> Mailbox:
    """A daily letter of twenty pieces, of which the first is delivered."""
    mailbox.declare(
        ack={"route": "answers", "files": "ack/*.csv", "layout": "generic_acknowledgement"},
        bad={"route": "answers", "files": "bad/*.csv", "layout": "generic_rejections"},
        bill={"route": "answers", "files": "bill/*.csv", "layout": "generic_invoice"},
    )
    routes = {"answers": {"type": "folder", "path": "answers"}, "out": {"type": "folder", "path": "outbox"}}
    (mailbox.settings.profiles_dir / "routes.yml").write_text(yaml.safe_dump(routes))
    mailbox.world.campaign = letter(schedule=DAILY)
    mailbox.world.run_due()
    mailbox.world.pass_time(DAY)
    assert mailbox.world.run_due() == []
    assert states(mailbox.world) == [("03-02 06:00", "settled")]
    return mailbox


def next_day(world: World) -> list[str]:
    world.pass_time(DAY)
    return [str(error) for error in world.run_due()]


def test_a_day_of_mailing_is_shown_in_place_of_the_state(mailbox: Mailbox) -> None:
    mailbox.put("ack/one.csv", f"{HEAD}{FILE},received,20,2027-03-02\n{FILE},mailed,12,2027-03-03\n{FILE},mailed,8,2027-03-04\n")
    mailbox.receive()
    runs = mailbox.world.ledger().latest()
    days = mailed_days(mailbox.settings, runs)
    assert list(run_table(runs, None, days))[1].startswith("mailed 2027-03-04")
    assert next_day(mailbox.world) == [], "everything is as delivered"


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (f"{FILE},received,19,2027-03-02\n", "20 rows were delivered, and the mail house has received 19"),
        (f"{FILE},mailed,21,2027-03-04\n", "20 rows were delivered, and the mail house has mailed 21"),
        (f"{FILE},mailed,18,2027-03-04\n{FILE},rejected,3,2027-03-04\n", "has mailed 18, and rejected 3"),
    ],
)
def test_a_difference_holds_the_next_slot_until_it_is_explained(mailbox: Mailbox, lines: str, what: str) -> None:
    mailbox.put("ack/one.csv", HEAD + lines)
    mailbox.receive()
    (held,) = next_day(mailbox.world)
    assert what in held
    assert states(mailbox.world)[-1] == ("03-03 06:00", "held")
    ledger = mailbox.world.ledger()
    (run,) = ledger.waiting("letter")
    assert run.hold == "difference"
    assert release(mailbox.world.job(), run, ledger, SAID).state == "settled"
    assert next_day(mailbox.world) == [], "it concerns one mailing"


def test_a_corrected_file_ends_the_hold(mailbox: Mailbox) -> None:
    mailbox.put("ack/one.csv", f"{HEAD}{FILE},received,19,2027-03-02\n")
    mailbox.receive()
    assert len(next_day(mailbox.world)) == 1
    mailbox.world.pass_time(timedelta(hours=1))
    mailbox.put("ack/two.csv", f"{HEAD}{FILE},received,20,2027-03-02\n")
    mailbox.receive()
    assert mailbox.world.run_due() == []
    assert states(mailbox.world)[-1] == ("03-03 06:00", "settled")


def test_reports_of_another_campaigns_file_change_nothing(mailbox: Mailbox) -> None:
    mailbox.put(
        "ack/other.csv",
        f"{HEAD}autumn_20270302T060000Z.csv,received,3,2027-03-02\nautumn_20270302T060000Z.csv,rejected,3,2027-03-02\n",
    )
    bill = "invoice_id,file_name,pieces,production,postage,amount,currency,happened_at"
    mailbox.put("bill/other.csv", f"{bill}\nI-1,autumn_20270302T060000Z.csv,900,10,5,15,EUR,2027-03-02\n")
    mailbox.put("bad/other.csv", "piece_id,reason,happened_at\nSTRANGE,no address,2027-03-02\n")
    assert [file.state for file in mailbox.receive()] == ["taken"] * 3
    assert reports_of(mailbox.settings, mailbox.world.ledger().latest()) == {}
    assert next_day(mailbox.world) == []


def test_more_pieces_are_billed_than_were_delivered(mailbox: Mailbox) -> None:
    mailbox.put(
        "bill/one.csv",
        f"invoice_id,file_name,pieces,production,postage,amount,currency,happened_at\nI-1,{FILE},25,10,5,15,EUR,2027-03-02\n",
    )
    mailbox.receive()
    (held,) = next_day(mailbox.world)
    assert "20 rows were delivered, and 25 are billed" in held


def late(world: World) -> list[str]:
    """What differs in the eyes of a provider that must report within two days; and the notices that are sent."""
    ledger, sent = world.ledger(), []

    class Kept(Notifier):
        def announce(self, notice: Notice) -> None:
            sent.append(f"{notice.kind}: {notice.what}")

    job = world.job()
    object.__setattr__(job, "provider", job.provider.model_copy(update={"acknowledge_within": timedelta(days=2)}))
    Scheduler(ledger, Kept(Notices(), ledger, lambda _: None)).announce_difference(job)
    return sent


def test_a_missing_acknowledgement_is_a_difference(mailbox: Mailbox) -> None:
    assert late(mailbox.world) == []
    mailbox.world.pass_time(2 * DAY + HOUR)
    (notice,) = late(mailbox.world)
    assert "difference: The mail house has not acknowledged the file" in notice
    mailbox.put("ack/one.csv", f"{HEAD}{FILE},mailed,19,2027-03-03\n")
    mailbox.receive()
    assert "has mailed 19" in late(mailbox.world)[0]
    mailbox.put("ack/two.csv", f"{HEAD}{FILE},rejected,1,2027-03-03\n")
    mailbox.receive()
    assert late(mailbox.world) == []


def test_no_report_is_no_difference_without_a_limit(mailbox: Mailbox) -> None:
    assert next_day(mailbox.world) == []
    assert mailed_days(mailbox.settings, mailbox.world.ledger().latest()) == {}


def test_single_rejections_are_not_counted_beside_their_number(mailbox: Mailbox) -> None:
    """The letters of this project have no piece_id, so that the history is given one."""
    (contacts,) = mailbox.settings.history_dir.glob("*/contacts.parquet")
    duckdb.execute(
        f"copy (select * replace ('P' || profile_id as piece_id) from read_parquet('{contacts}')) to '{contacts}.new' (format parquet)"
    )
    contacts.with_name(f"{contacts.name}.new").replace(contacts)
    mailbox.put("bad/one.csv", "piece_id,reason,happened_at\nPp1,no address,2027-03-02\nPp2,,2027-03-02\nSTRANGE,,2027-03-02\n")
    mailbox.receive()
    ledger = mailbox.world.ledger()
    (report,) = reports_of(mailbox.settings, ledger.latest()).values()
    assert (report.rejected, report.mailed) == (2, None)
    mailbox.put("ack/one.csv", f"{HEAD}{FILE},mailed,18,2027-03-03\n{FILE},rejected,2,2027-03-03\n")
    mailbox.receive()
    (report,) = reports_of(mailbox.settings, ledger.latest()).values()
    assert (report.rejected, report.mailed) == (2, 18)
