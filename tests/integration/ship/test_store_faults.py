"""Object stores that refuse, answer late or not at all."""

import hashlib
import re
import socket
from collections.abc import Iterator
from io import FileIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from deliveries import NAME
from dmail_runner.core.errors import DeliveryError, Stopped
from dmail_runner.core.values import Part, Spooled
from dmail_runner.ship import part_delivery
from dmail_runner.ship.answers import Lost, Refused, Spoiled, Taken, Unheard
from dmail_runner.ship.fitting import judge
from dmail_runner.ship.interface import Content
from dmail_runner.ship.object_store import SINGLE, object_store
from sshd import free_port
from stores import LARGE, SMALL, Server, Wire, answer, between, bytes_of, create, names, own_s3, sizes, there, told

# Servers and lines that fail.


def gives_the_name(head: bytes) -> bool:
    """The one request that counts: a conditional PUT, the completion of a conditional multipart copy, a conditional Copy Blob."""
    return b"if-none-match: *" in head.lower()


def puts(head: bytes) -> bool:
    return head.startswith((b"PUT", b"POST"))


@sizes
def test_an_answer_that_is_lost_after_it_was_made(server: Server, size: int) -> None:
    """The store has done it: it is not asked again by itself, and who looks sees it."""
    content = bytes_of(size)
    place = server.route(server.port)
    spoil = Wire(lambda _: None, lambda head, found: b"" if gives_the_name(head) else found)
    asked: list[bytes] = []
    with between(server.port, spoil) as port:
        with pytest.raises(Lost, match="the connection was lost") as lost:
            create(server.route(port, retries=3), content)
        asked = [line for line in spoil.seen if line.startswith((b"PUT", b"POST"))]
    told(lost, place)
    assert not isinstance(lost.value, Unheard)
    assert len(asked) == len(set(asked)), "a request that changes something was repeated"
    with object_store(place) as store:
        assert b"".join(store.read(NAME)) == content


def test_what_the_provider_takes_at_once_is_not_delivered_again(server: Server) -> None:
    place = server.route(server.port)

    def take(head: bytes, found: bytes) -> bytes:
        if not gives_the_name(head):
            return found
        with object_store(place) as store:
            store.remove(NAME)
        return b""

    with between(server.port, Wire(lambda _: None, take)) as port, pytest.raises(Lost):
        create(server.route(port, retries=5), bytes_of(SMALL))
    assert names(place) == []


@sizes
def test_a_fault_of_the_server_at_the_name_is_not_repeated(server: Server, size: int) -> None:
    """Nobody knows what comes after a 500."""
    spoil = Wire(lambda head: answer("500 Internal Server Error", "InternalError") if gives_the_name(head) else None)
    with between(server.port, spoil) as port:
        with pytest.raises(Lost, match="500 InternalError") as lost:
            create(server.route(port), bytes_of(size))
        told(lost, server.route(server.port))
    assert not isinstance(lost.value, Unheard)


@pytest.mark.parametrize("code", ["SlowDown", "ServerBusy"])
@sizes
def test_a_server_that_puts_it_off_is_asked_again(server: Server, size: int, code: str) -> None:
    off = [b"once", b"twice"]

    def spoil(head: bytes) -> bytes | None:
        return answer("503 Service Unavailable", code) if gives_the_name(head) and off and off.pop() else None

    with between(server.port, Wire(spoil)) as port:
        create(server.route(port), bytes_of(size))
    assert not off
    with object_store(server.route(server.port)) as store:
        assert b"".join(store.read(NAME)) == bytes_of(size)


def test_a_fault_of_the_server_before_the_name_passes(server: Server) -> None:
    """Any request that does not count may be made again: of each kind, the first fails."""
    seen: set[bytes] = set()

    def spoil(head: bytes) -> bytes | None:
        kind = re.sub(rb"(?<=[=/])[\w-]{20,}", b"", head.split(b" HTTP")[0])
        if gives_the_name(head) or head.startswith(b"DELETE") or kind in seen:
            return None
        seen.add(kind)
        return answer("500 Internal Server Error", "InternalError")

    with between(server.port, Wire(spoil)) as port:
        create(server.route(port), bytes_of(LARGE))
    assert len(seen) > 3
    with object_store(server.route(server.port)) as store:
        assert b"".join(store.read(NAME)) == bytes_of(LARGE)


@sizes
def test_a_server_that_forbids_is_not_asked_again(server: Server, size: int) -> None:
    spoil = Wire(lambda head: answer("403 Forbidden", "AccessDenied") if puts(head) else None)
    with between(server.port, spoil) as port:
        with pytest.raises(Refused, match="403 AccessDenied") as refused:
            create(server.route(port), bytes_of(size))
        told(refused, server.route(server.port)) if size == SMALL else None
    assert not isinstance(refused.value, Taken)
    assert sum(line.startswith((b"PUT", b"POST")) for line in spoil.seen) <= (1 if size == SMALL else 4)
    assert names(server.route(server.port)) == []


@pytest.mark.parametrize(
    "refusal", [("403 Forbidden", "AccessDenied"), ("412 Precondition Failed", "LeaseIdMissing")], ids=["forbidden", "leased"]
)
def test_a_store_that_lets_nobody_remove(server: Server, refusal: tuple[str, str]) -> None:
    """The name is given; that the temporary object stays is no reason to say that it was not."""
    spoil = Wire(lambda head: answer(*refusal) if head.startswith(b"DELETE") or b"comp=batch" in head else None)
    place = server.route(server.port)
    with between(server.port, spoil) as port:
        create(server.route(port), bytes_of(LARGE))
    assert [name.endswith(".part") for name in names(place)].count(False) == 1


def test_a_conflict_that_does_not_mean_that_it_exists(server: Server) -> None:
    """Somebody else is at it, and this request has made nothing: it is made again, and then the name is taken, or is not."""
    conflicts = [b"once"]

    def spoil(head: bytes) -> bytes | None:
        return (
            answer("409 Conflict", "ConditionalRequestConflict")
            if gives_the_name(head) and conflicts and conflicts.pop()
            else None
        )

    with between(server.port, Wire(spoil)) as port:
        create(server.route(port), bytes_of(SMALL))
    assert not conflicts
    assert there(server.route(server.port)) == bytes_of(SMALL)


def test_an_upload_whose_end_is_not_answered(server: Server) -> None:
    """The temporary object is complete, and the store does not know the upload any more when it is asked again."""
    lost = [b"once"]

    def cut(head: bytes, found: bytes) -> bytes:
        ends = (b"uploadId=" in head and head.startswith(b"POST")) or b"comp=blocklist" in head
        return b"" if ends and not gives_the_name(head) and lost and lost.pop() else found

    place = server.route(server.port)
    with between(server.port, Wire(lambda _: None, cut)) as port:
        try:
            create(server.route(port), bytes_of(LARGE))
        except DeliveryError:
            assert names(place) == [], "the next attempt begins anew"
            create(server.route(port), bytes_of(LARGE))
    assert not lost
    assert there(place) == bytes_of(LARGE)
    assert len(names(place)) == 1


def test_an_answer_that_nobody_understands_is_not_quoted(server: Server) -> None:
    page = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 40\r\n\r\n<html>s3cretcanary?sig=1&Signature=2</h1>"[:-1]
    spoil = Wire(lambda head: page if puts(head) else None)
    with between(server.port, spoil) as port, pytest.raises(Refused, match="403 Forbidden") as refused:
        create(server.route(port), bytes_of(SMALL))
    told(refused, server.route(server.port))


def test_nobody_answers() -> None:
    place = own_s3(free_port(), retries=1)
    with pytest.raises(Unheard, match="nobody answers") as lost:
        create(place, b"x")
    told(lost, place)


def test_an_upload_that_is_lost_has_made_nothing(server: Server) -> None:
    spoil = Wire(lambda head: answer("500 X", "InternalError") if b"partNumber=1" in head or b"comp=block&" in head else None)
    with between(server.port, spoil) as port, pytest.raises(Lost, match="500"):
        create(server.route(port, retries=1), bytes_of(LARGE))
    assert names(server.route(server.port)) == []


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Lost, match="no answer in time"):
        create(own_s3(silent.getsockname()[1], retries=0, timeout=0.5), b"x")


@sizes
def test_a_store_that_does_not_know_the_condition_and_says_so(server: Server, size: int) -> None:
    """A 501 has made nothing: the run fails, and is not held until somebody has asked the provider."""
    spoil = Wire(lambda head: answer("501 Not Implemented", "NotImplemented") if gives_the_name(head) else None)
    with between(server.port, spoil) as port, pytest.raises(Refused, match="501 NotImplemented") as refused:
        create(server.route(port), bytes_of(size))
    assert "If-None-Match" in str(refused.value)
    assert names(server.route(server.port)) == []


# What `route test` finds out.


def probes(folder: Path) -> Iterator[Spooled]:
    for number in count():
        path = folder / f"probe-{number}"
        path.write_bytes(bytes_of(SMALL, number))
        yield Spooled(
            Part(number, f"probes/{number}.csv", 1, SMALL, hashlib.sha256(bytes_of(SMALL, number)).hexdigest(), "r"), path
        )


def test_a_store_that_replaces_nothing_is_found_out(server: Server, tmp_path: Path) -> None:
    """Neither by one request, nor by the copy that gives large files their names."""
    given = probes(tmp_path)
    found = judge(server.route(server.port), lambda _: next(given))
    assert (found.needs, found.overwriting.replaces, found.overwriting.no_copy, found.left) == ({}, False, None, ())
    assert names(server.route(server.port)) == []


@pytest.mark.parametrize("way", [b"PUT", b"POST"], ids=["one request", "the copy"])
def test_a_store_that_replaces_objects_is_found_out(moto: int, s3: Any, way: bytes, tmp_path: Path) -> None:
    """It does not know the condition, and ignores it."""

    def forget(asked: bytes) -> bytes:
        return re.sub(rb"(?i)\r\nif-none-match: *\*", b"", asked) if asked.startswith(way) else asked

    given = probes(tmp_path)
    with between(moto, Wire(change=forget)) as port:
        found = judge(own_s3(port), lambda _: next(given))
    assert (found.needs, found.overwriting.replaces, found.overwriting.no_copy, found.left) == ({}, True, None, ())
    assert names(own_s3(moto)) == []


def test_a_store_that_does_not_copy_is_found_out(server: Server, tmp_path: Path) -> None:
    """Files that fit into one request are delivered all the same."""
    given = probes(tmp_path)
    copies = (b"x-amz-copy-source", b"x-ms-copy-source")
    spoil = Wire(lambda head: answer("403 Forbidden", "AccessDenied") if any(name in head.lower() for name in copies) else None)
    with between(server.port, spoil) as port:
        found = judge(server.route(port), lambda _: next(given))
    assert (found.needs, found.overwriting.replaces, found.left) == ({}, False, ())
    assert "403 AccessDenied" in str(found.overwriting.no_copy)


# What the file, the process and the machine do.


def test_a_file_that_is_shorter_than_was_said(server: Server) -> None:
    place = server.route(server.port)
    for size in (SMALL, LARGE):
        with pytest.raises(Spoiled, match=r"were to be sent|fewer bytes than"):
            create(place, bytes_of(size)[:-1], size=size)
    assert names(place) == []


@sizes
@pytest.mark.parametrize("fault", [OSError(5, "Input/output error"), Stopped(15)], ids=["a disk", "a signal"])
def test_a_fault_while_the_file_is_read(server: Server, size: int, fault: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    class Faulty(FileIO):
        def read(self, amount: int | None = -1, /) -> bytes:
            if self.tell() > SINGLE - 1 or size == SMALL:
                raise fault
            return super().read(amount)

    class FaultyContent(Content, Faulty):
        pass

    place = server.route(server.port)
    monkeypatch.setattr(part_delivery, "Content", FaultyContent)
    with pytest.raises((DeliveryError, Stopped)) as raised:
        create(place, bytes_of(size))
    if isinstance(fault, OSError):
        assert "the file to send cannot be read: Input/output error" in str(raised.value)
    else:
        assert raised.value is fault
    assert names(place) == []
