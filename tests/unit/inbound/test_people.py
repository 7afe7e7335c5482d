"""A person in received files: what is known, and that nothing is left after an erasure."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from dmail_runner.history.forget import forget
from dmail_runner.inbound.stored import require_stored
from dmail_runner.run.access import known_of
from dmail_runner.run.received import forget_received, rows_of
from mailbox_of import HEAD, RETURNS, Mailbox
from shelf import Shelf

SLOT = datetime(2027, 3, 1, 6, tzinfo=UTC)
UPDATES = {
    "route": "answers", "files": "moved/*.csv", "layout": "generic_address_updates",
    "columns": {"change": {"value": "moved"}, "happened_at": {"value": "2027-03-01"}},
}  # fmt: skip
VISITS = {
    "route": "answers", "files": "visits/*.csv", "kind": "responses",
    "columns": {"response_id": "id", "purl": "url", "happened_at": {"value": "2027-03-09"}},
}  # fmt: skip
TOKEN = "upper(substr(md5(profile_id), 1, 20))"


def token(profile: str) -> str:
    (found,) = duckdb.execute(f"select {TOKEN} from (select ? as profile_id)", [profile]).fetchall()[0]
    return str(found)


def printed(profile: str) -> str:
    """The piece_id that the macro prints by default."""
    (found,) = duckdb.execute("select upper(substr(md5('letter|2027-03-01 06:00:00|' || ?), 1, 12))", [profile]).fetchone() or (
        "",
    )
    return str(found)


@pytest.fixture
def filled(tmp_path: Path) -> Mailbox:
    """A contact history, and files about the people in it."""
    mailbox = Mailbox(tmp_path / "world")
    shelf = Shelf(tmp_path / "shelf")
    mailbox.settings.history_dir.mkdir(parents=True)
    for name, columns in (
        ("letter-20270301T060000Z", ""),
        ("letter-20270302T060000Z", f", 'OWN-' || profile_id as piece_id, sha256({TOKEN}) as purl_hash"),
    ):
        folder = mailbox.settings.history_dir / name
        folder.mkdir()
        shelf.rows(folder / "contacts.parquet", name, SLOT, ["anna", "bert"], columns)
    mailbox.declare(back=RETURNS, moved=UPDATES, visits=VISITS)
    lines = "".join(f"{piece},moved,2027-03-09\n" for piece in (printed("anna"), printed("bert"), "OWN-anna", "STRANGE"))
    mailbox.put("back/one.csv", HEAD + lines)
    head = "profile_id,address_line1,address_line2,city,region,postal_code,country_code\n"
    mailbox.put("moved/one.csv", f"{head}anna,Canary Street 1,,Canary City,,12345,US\nbert,Main Street 2,,Town,,12345,US\n")
    mailbox.put(
        "visits/one.csv",
        f"id,url\n1,https://x.example/{token('anna').lower()}?from=mail\n2,{token('bert')}\n3,https://x.example/\n",
    )
    assert [file.state for file in mailbox.receive()] == ["taken"] * 3
    return mailbox


def test_access_says_what_was_received_about_a_person(filled: Mailbox) -> None:
    ledger = filled.world.ledger()
    found = dict(rows_of(filled.settings, ledger, "anna"))
    assert {name: len(rows) for name, rows in found.items()} == {
        "back/one.csv (route answers)": 2, "moved/one.csv (route answers)": 1, "visits/one.csv (route answers)": 1,
    }  # fmt: skip
    known = known_of(filled.settings, ledger, "anna", lambda _: None)
    assert set(found) <= set(known.tables)


def test_a_forgotten_person_is_in_no_byte_of_what_was_received(filled: Mailbox) -> None:
    ledger = filled.world.ledger()
    changed = forget_received(filled.settings, ledger, "anna", "salt")
    assert {file.kind for file in changed} == {"returns", "address_updates", "responses"}
    forget(filled.settings, ledger, "anna", "salt")
    contents = b"".join(path.read_bytes() for path in filled.settings.inbound_dir.rglob("*") if path.is_file())
    gone = (b"anna", b"Canary", printed("anna").encode(), token("anna").encode(), token("anna").lower().encode())
    assert not [word for word in gone if word in contents]
    assert {printed("bert").encode() in contents, token("bert").encode() in contents} == {True}
    require_stored(filled.settings, ledger, ["returns", "address_updates"])
    rows = filled.rows()
    assert len(rows) == 4, "the figures stay as they were"
    contacts = f"read_parquet('{filled.settings.history_dir}/*/contacts.parquet', union_by_name = true)"
    pieces = {piece for (piece,) in duckdb.sql(f"select piece_id from {contacts} where profile_id like 'forgotten-%'").fetchall()}
    assert pieces & {row[0] for row in rows}, "a returned piece is still a piece of that mailing"
    known = f"select purl_hash from {contacts} where profile_id like 'forgotten-%' and purl_hash is not null"
    assert duckdb.sql(known).fetchall() == filled.rows("responses", "purl")[:1], "and so is a visit"
    assert dict(rows_of(filled.settings, ledger, "anna")) == {}
