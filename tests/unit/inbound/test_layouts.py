"""The layouts that are shipped are taken, and read what their sources describe."""

import csv
import io

import pytest

from dmail_runner.declare.inbound import find_inbound
from mailbox_of import Mailbox
from project import ROOT

LAYOUTS = sorted(path.stem for path in (ROOT / "profiles/inbound_layouts").glob("*.yml"))


def acs(code: str, keyline: str) -> str:
    """A record of a fulfillment file: type, sequence, participant, keyline, date, move type, deliverability code."""
    return f"{'2':<1}{1:08}{'BXBBBBB':<7}{keyline:<16}{'202703':<6}{'I':<1}{code:<1}".ljust(427)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_taken(mailbox: Mailbox, layout: str) -> None:
    mailbox.declare(one={"route": "answers", "files": "x/*", "layout": layout})
    entry = find_inbound(mailbox.settings)["one"]
    assert entry.what
    if entry.format.type == "csv":
        header = io.StringIO()
        csv.writer(header).writerow([column.header for column in entry.columns.values() if column.header])
        mailbox.put("x/empty.csv", header.getvalue())
        (file,) = mailbox.receive()
        assert (file.state, file.rows) == ("taken", 0)


def test_acs_records_become_reasons(mailbox: Mailbox) -> None:
    mailbox.declare(acs={"route": "answers", "files": "acs/*", "layout": "usps_acs_nixie"})
    records = ["H" + " " * 426, acs("K", "A1"), acs("P", "A2"), acs("N", "A3"), acs(" ", "A4"), acs("W", "A5")]
    mailbox.put("acs/one.dat", "\r\n".join([*records, ""]))
    (file,) = mailbox.receive()
    assert (file.state, file.error) == ("taken", None)
    assert mailbox.rows(columns="piece_id, reason") == [
        ("A1", "moved"), ("A2", "deceased"), ("A3", "no_such_address"), ("A4", "moved"), ("A5", "temporary"),
    ]  # fmt: skip


@pytest.mark.parametrize(("records", "why"), [
    ([acs("K", "A1"), acs("P", "A2")[:-1]], "the line has not 427 characters"),
    ([acs("?", "A1")], "reason has a code that is not declared"),
    ([acs("K", "")], "piece_id is empty"),
])  # fmt: skip
def test_other_records_are_put_aside(mailbox: Mailbox, records: list[str], why: str) -> None:
    mailbox.declare(acs={"route": "answers", "files": "acs/*", "layout": "usps_acs_nixie"})
    mailbox.put("acs/one.dat", "\n".join([*records, ""]))
    (file,) = mailbox.receive()
    assert file.state == "aside"
    assert why in (file.error or "")


def test_return_codes_become_changes(mailbox: Mailbox) -> None:
    mailbox.declare(ncoa={"route": "answers", "files": "ncoa/*", "layout": "ncoalink"})
    head = "profile_id,return_code,address_line1,address_line2,city,region,postal_code,move_date\n"
    mailbox.put("ncoa/one.csv", f"{head}1,A,1 New St,,Town,MA,02134,202701\n2,02,,,,,,202611\n3,00,,,,,,\n4,03,,,,,,\n")
    (file,) = mailbox.receive()
    assert (file.state, file.error) == ("taken", None)
    assert mailbox.rows("address_updates", "profile_id, change, happened_at::date::varchar") == [
        ("1", "moved", "2027-01-01"), ("2", "no_forwarding", "2026-11-01"), ("3", "confirmed", None), ("4", "address_closed", None),
    ]  # fmt: skip
