"""Files of providers: each is read once, completely, and a bad one stops nothing."""

import stat
from datetime import timedelta
from typing import Any

import pytest

from dmail_runner.core.errors import ConfigError
from dmail_runner.declare.inbound import find_inbound
from dmail_runner.inbound import listing
from dmail_runner.inbound.errors import InboundError
from dmail_runner.inbound.stored import accept_stored, require_stored
from dmail_runner.ledger.inbound_files import inbound_of
from dmail_runner.ledger.journal import faults
from mailbox_of import HEAD, RETURNS, Mailbox

ONE = f"{HEAD}A1,moved,2027-03-01\nA2,,2027-03-02\n"


def states(mailbox: Mailbox) -> list[tuple[str, str]]:
    return [(file.name, file.state) for file in mailbox.receive()]


def test_a_file_is_read_once_by_name_and_by_content(mailbox: Mailbox) -> None:
    mailbox.put("back/one.csv", ONE)
    mailbox.put("back/notes.txt", "not for us")
    assert states(mailbox) == [("back/one.csv", "taken")]
    assert mailbox.rows() == [("A1", "moved", "2027-03-01"), ("A2", "other", "2027-03-02")]
    assert states(mailbox) == []
    mailbox.put("back/again.csv", ONE)
    assert states(mailbox) == [("back/again.csv", "duplicate")]
    assert states(mailbox) == []
    mailbox.put("back/one.csv", f"{HEAD}A3,deceased,2027-03-03\n", age=9)
    assert states(mailbox) == [("back/one.csv", "taken")], "the same name with other content is another file"
    assert len(mailbox.rows()) == 3
    ledger = mailbox.world.ledger()
    assert [(file.rows, file.bad_rows, file.state) for file in inbound_of(ledger)] == [
        (2, 0, "taken"), (None, None, "duplicate"), (1, 0, "taken"),
    ]  # fmt: skip
    with ledger.reading() as connection:
        assert list(faults(connection)) == []


def test_what_is_stored_is_private(mailbox: Mailbox) -> None:
    mailbox.put("back/one.csv", ONE)
    mailbox.receive()
    there = [mailbox.settings.inbound_dir, *mailbox.settings.inbound_dir.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in there} == {0}
    assert not list(mailbox.settings.inbound_dir.glob(".work/*"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "it is empty"),
        ("piece,reason,happened_at\nA1,moved,\n", "it does not have the column 'piece_id'"),
        (f"{HEAD}A1,moved\n", "another number of columns"),
        (f'{HEAD}"A1,moved,2027-03-01\n', "cannot be read"),
        (f"{HEAD}A1,lost,2027-03-01\n", "row 1: reason has a value that is not declared"),
        (f"{HEAD}A1,moved,yesterday\n", "1 of 1 rows are not as declared; row 1: happened_at is not a time"),
        (f"{HEAD},moved,2027-03-01\n", "row 1: piece_id is empty"),
        (f"{HEAD}A1,moved,2027-03-01\n".encode("utf-16"), "it is not utf-8 text"),
        (f"{HEAD}A\0,moved,2027-03-01\n", "null characters"),
        ("piece_id,reason,happened_at,piece_id\nA,moved,,B\n", "or has it twice"),
    ],
)
def test_a_bad_file_is_put_aside_and_stops_nothing(mailbox: Mailbox, content: str | bytes, why: str) -> None:
    mailbox.put("back/bad.csv", content)
    mailbox.put("back/good.csv", ONE)
    bad, good = mailbox.receive()
    assert (bad.state, good.state, len(mailbox.rows())) == ("aside", "taken", 2)
    assert why in (bad.error or "")
    assert (mailbox.there / "back/bad.csv").exists()
    assert mailbox.receive() == [], "it is not read again and again"
    mailbox.put("back/bad.csv", f"{HEAD}B1,moved,2027-03-01\n", age=5)
    assert states(mailbox) == [("back/bad.csv", "taken")], "the provider has sent a correct one"


def test_a_file_that_was_put_aside_is_read_again_as_it_is_then_declared(mailbox: Mailbox) -> None:
    mailbox.put("back/one.csv", "Nr;Grund;Tag\n A1 ;9;1.3.2027\n")
    assert states(mailbox) == [("back/one.csv", "aside")]
    columns = {
        "piece_id": "Nr", "reason": {"header": "Grund", "codes": {"9": "deceased"}}, "happened_at": {"header": "Tag", "format": "%d.%m.%Y"},
    }  # fmt: skip
    mailbox.declare(back={**RETURNS, "format": {"type": "csv", "delimiter": ";"}, "columns": columns})
    assert states(mailbox) == [("back/one.csv", "taken")]
    assert mailbox.rows() == [("A1", "deceased", "2027-03-01")]


def test_a_notice_names_the_file_and_the_error_has_no_values(mailbox: Mailbox) -> None:
    mailbox.put("back/bad.csv", f"{HEAD}A1,Jane Roe,2027-03-01\n")
    found = mailbox.fetch()
    assert [file.name for file in found.aside] == ["back/bad.csv"]
    assert "Jane" not in str(found.aside)


def test_a_few_bad_rows_are_left_out_and_counted(mailbox: Mailbox) -> None:
    mailbox.declare(back={**RETURNS, "max_bad_rows": "40%"})
    mailbox.put("back/one.csv", f"{HEAD}A1,moved,\nA2,lost,\nA3,moved,\n")
    (file,) = mailbox.receive()
    assert (file.state, file.rows, file.bad_rows) == ("taken", 2, 1)
    assert [row[0] for row in mailbox.rows()] == ["A1", "A3"]


def test_a_file_that_still_grows_is_left_for_the_next_fetch(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    path = mailbox.put("back/one.csv", f"{HEAD}A1,moved,\n")
    real = listing.download

    def grows(place: Any, found: Any, target: Any) -> Any:
        copy = real(place, found, target)
        with path.open("a") as file:
            file.write("A2,moved,\n")
        return copy if listing.settled(place, found) else None

    monkeypatch.setattr(listing, "download", grows)
    assert mailbox.receive() == []
    monkeypatch.undo()
    assert states(mailbox) == [("back/one.csv", "taken")]
    assert len(mailbox.rows()) == 2


def test_a_marker_says_that_a_file_is_complete(mailbox: Mailbox) -> None:
    mailbox.declare(back={**RETURNS, "marker": "{name}.done"})
    mailbox.put("back/one.csv", ONE)
    assert mailbox.receive() == []
    mailbox.put("back/one.csv.done", "")
    assert states(mailbox) == [("back/one.csv", "taken")]


@pytest.mark.parametrize("afterwards", ["move", "remove"])
def test_a_stored_file_is_moved_or_removed(mailbox: Mailbox, afterwards: str) -> None:
    way = {"afterwards": afterwards, **({"move_to": "back/old"} if afterwards == "move" else {})}
    mailbox.declare(back={**RETURNS, **way})
    for content in (ONE, f"{HEAD}A9,moved,\n"):
        mailbox.put("back/one.csv", content)
        mailbox.put("back/bad.csv", "nothing")
        mailbox.receive()
    left = sorted(path.relative_to(mailbox.there).as_posix() for path in mailbox.there.rglob("*.csv*"))
    assert left[0] == "back/bad.csv", "a file that was put aside stays"
    assert len(left) == (3 if afterwards == "move" else 1), "and no file replaces another one"
    assert len(mailbox.rows()) == 3


def test_a_fetch_that_was_killed_after_it_stored_is_repeated(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox.put("back/one.csv", ONE)
    with monkeypatch.context() as patched:
        patched.setattr("dmail_runner.inbound.fetch.record_inbound", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            mailbox.receive()
    assert states(mailbox) == [("back/one.csv", "taken")]
    assert len(mailbox.rows()) == 2


def test_stored_rows_that_are_lost_or_changed_are_noticed(mailbox: Mailbox) -> None:
    mailbox.put("back/one.csv", ONE)
    mailbox.receive()
    ledger = mailbox.world.ledger()
    require_stored(mailbox.settings, ledger, ["returns"])
    (file,) = mailbox.settings.inbound_dir.glob("returns/*.parquet")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    require_stored(mailbox.settings, ledger, ["stock"])
    with pytest.raises(InboundError, match="was changed since it was stored"):
        require_stored(mailbox.settings, ledger, ["returns"])
    assert len(accept_stored(mailbox.settings, ledger, "by ann")) == 1
    require_stored(mailbox.settings, ledger, ["returns"])
    assert states(mailbox) == [("back/one.csv", "taken")], "it is received again"


def test_content_expires(mailbox: Mailbox) -> None:
    mailbox.declare(back={**RETURNS, "retention_days": 30})
    mailbox.put("back/one.csv", ONE)
    mailbox.fetch()
    mailbox.world.pass_time(timedelta(days=29))
    mailbox.fetch()
    assert len(mailbox.rows()) == 2
    mailbox.world.pass_time(timedelta(days=2))
    assert mailbox.fetch().files == (), "nor is it read again"
    assert mailbox.rows() == []


def test_the_service_looks_as_often_as_declared(mailbox: Mailbox) -> None:
    mailbox.declare(back={**RETURNS, "every": "1h"})
    mailbox.put("back/one.csv", ONE)
    assert len(mailbox.fetch(due=True).files) == 1
    mailbox.put("back/two.csv", f"{HEAD}A9,moved,\n")
    mailbox.world.pass_time(timedelta(minutes=59))
    assert mailbox.fetch(due=True).files == ()
    mailbox.world.pass_time(timedelta(minutes=2))
    assert len(mailbox.fetch(due=True).files) == 1


def test_a_route_that_cannot_be_read_stops_no_other(mailbox: Mailbox) -> None:
    (mailbox.settings.profiles_dir / "routes.yml").write_text(
        '{"answers": {"type": "folder", "path": "answers"}, "gone": {"type": "folder", "path": "gone", "retries": 0}}'
    )
    mailbox.declare(a={**RETURNS, "route": "gone", "files": "back/*.csv"}, back=RETURNS)
    (mailbox.world.folder / "gone").write_text("a file, and no folder")
    mailbox.put("back/one.csv", ONE)
    found = mailbox.fetch()
    assert ([file.state for file in found.files], len(found.errors)) == (["taken"], 1)


def test_a_link_is_no_file(mailbox: Mailbox) -> None:
    mailbox.put("elsewhere.csv", ONE)
    (mailbox.there / "back").mkdir()
    (mailbox.there / "back/one.csv").symlink_to("../elsewhere.csv")
    assert mailbox.receive() == []


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ({"route": "answers", "files": "*.csv"}, "back.kind: is required"),
        ({**RETURNS, "files": "../*.csv"}, "must stay below"),
        ({**RETURNS, "files": "a*/b.csv"}, "wildcards in its last part only"),
        ({**RETURNS, "layout": "generic_return"}, "did you mean generic_returns?"),
        ({**RETURNS, "columns": {"piece": "x"}}, "returns has no such column; allowed: piece_id"),
        ({**RETURNS, "columns": {"reason": {"header": "x", "codes": {"A": "gone"}}}}, "'gone' is no value of reason"),
        ({**RETURNS, "columns": {"piece_id": {"start": 1, "length": 3}}}, "is not for this format"),
        ({**RETURNS, "columns": {"piece_id": {"start": 1}}}, "needs `start` and `length` together"),
        ({**RETURNS, "afterwards": "move"}, "needs `move_to`"),
        ({"route": "answers", "files": "x", "kind": "returns", "columns": {"reason": "r"}}, "needs one of piece_id, profile_id"),
        ({"route": "answers", "files": "x", "kind": "stock", "columns": {"item": "i"}}, "back.columns.on_hand: is required"),
    ],
)
def test_a_wrong_declaration_is_an_error(mailbox: Mailbox, entry: dict[str, Any], what: str) -> None:
    mailbox.declare(back=entry)
    with pytest.raises(ConfigError) as caught:
        find_inbound(mailbox.settings)
    assert what in str(caught.value)
