"""Texts for people: zones and notices."""

from datetime import UTC, datetime

from dmail_runner.cli.text import calendar_row
from dmail_runner.look.calendar import Entry
from dmail_runner.run.notify import Notice

AT = datetime(2027, 3, 1, 6, tzinfo=UTC)


def test_zones_are_printed_as_they_are_called() -> None:
    assert calendar_row(Entry(AT, "2027-03-01T15:00 Asia/Tokyo", "c"))[1] == "2027-03-01 15:00 Asia/Tokyo"
    assert calendar_row(Entry(AT, "2027-03-01T06:00 UTC", "c"))[1] == "2027-03-01 06:00 UTC"


def test_a_notice_reads_well_as_plain_text() -> None:
    notice = Notice("held", "c", "The number of pieces is unusual.", "dmail-runner release c-1", "c-1", AT)
    assert notice.text.split("\n\n") == [
        "The number of pieces is unusual.",
        "This means: this mailing waits until a person has decided.",
        "Next: dmail-runner release c-1",
        "Run: c-1\nSlot: 2027-03-01 06:00 UTC",
    ]
