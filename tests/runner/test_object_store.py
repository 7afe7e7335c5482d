"""Delivery to object stores: moto's S3 server and Azurite."""

import base64
import hashlib
import hmac
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import boto3
import obstore
import pytest
from botocore.config import Config
from pydantic import ValidationError
from sshd import free_port
from test_ship import CONTENT, NAME, Ledgerish, send, spooled

from dmail_runner.core.errors import DeliveryError, Held, Stopped
from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare import object_route
from dmail_runner.declare.route import AzureRoute, S3Route
from dmail_runner.ship import destination
from dmail_runner.ship.delivery import Lost, Refused, Spoiled, Taken, Unheard
from dmail_runner.ship.object_store import SINGLE, ObjectStore, object_store

__all__ = ["spooled"]

ACCOUNT = "devstoreaccount1"
# The emulator's own, which everybody knows.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
# moto looks whether a name is taken, and then gives it: what the real one does in one step, it does only for one at a time.
MOTO = """
import sys, threading
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

lock, moto = threading.Lock(), DomainDispatcherApplication(create_backend_app)

def one_at_a_time(environment, start):
    with lock:
        return moto(environment, start)

run_simple("127.0.0.1", int(sys.argv[1]), one_at_a_time, threaded=True, request_handler=MotoRequestHandler)
"""


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), timeout=1)):
            return
        assert process.poll() is None, "the server has ended"
        time.sleep(0.1)
    pytest.fail("the server does not answer")


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment})
    try:
        wait_for(port, process)
        yield
    finally:
        process.kill()
        process.wait()


def s3_route(port: int, **changes: Any) -> S3Route:
    entry = {"type": "s3", "bucket": "letters", "prefix": "acme/in", "endpoint": f"http://127.0.0.1:{port}", "allow_http": True}
    keys = {"access_key_id": "AKIDCANARY", "secret_access_key": "s3cretcanary"}
    return S3Route.model_validate(entry | keys | {"timeout": 2, "retries": 2} | changes)


@pytest.fixture(scope="module")
def moto() -> Iterator[int]:
    port = free_port()
    with running([sys.executable, "-c", MOTO, str(port)], port):
        yield port


def bucket(port: int) -> Any:
    config = Config(s3={"addressing_style": "path"})
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    return boto3.resource("s3", endpoint_url=f"http://127.0.0.1:{port}", config=config, **keys).Bucket("letters")


@pytest.fixture
def s3(moto: int) -> Any:
    found = bucket(moto)
    found.create()
    found.objects.all().delete()
    return found


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureRoute]:
    program = shutil.which("azurite-blob") or pytest.skip("Azurite is not installed")
    port, folder = free_port(), tmp_path_factory.mktemp("azurite")
    options = ["--blobPort", str(port), "--location", str(folder), "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    with running([program, *options], port):
        endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
        text = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint};"
        route = AzureRoute(type="azure", container="letters", connection_string=text, allow_http=True, timeout=5)
        make_container(endpoint)
        yield route


def make_container(endpoint: str) -> None:
    """Azurite makes none by itself, and the library that delivers cannot: a request signed by hand."""
    import urllib.request

    date = formatdate(usegmt=True)
    resource = f"/{ACCOUNT}/{ACCOUNT}/letters\nrestype:container"
    text = "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:" + date + "\nx-ms-version:2021-08-06\n" + resource
    sign = base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()).decode()
    headers = {
        "x-ms-date": date,
        "x-ms-version": "2021-08-06",
        "Authorization": f"SharedKey {ACCOUNT}:{sign}",
        "Content-Length": "0",
    }
    request = urllib.request.Request(f"{endpoint}/letters?restype=container", method="PUT", headers=headers)
    urllib.request.urlopen(request, timeout=10).close()


@pytest.fixture(params=["s3", "azure"])
def route(request: pytest.FixtureRequest) -> S3Route | AzureRoute:
    if request.param == "azure":
        azure: AzureRoute = request.getfixturevalue("azurite")
        return azure.model_copy(update={"prefix": request.node.name.split("[")[0]})
    request.getfixturevalue("s3")
    return s3_route(request.getfixturevalue("moto"))


def there(route: S3Route | AzureRoute, name: str = NAME) -> bytes | None:
    with destination(route) as place:
        return None if place.size(name) is None else b"".join(place.read(name))


def test_a_part_arrives_whole_and_alone(spooled: Spooled, route: S3Route | AzureRoute) -> None:
    ledger = Ledgerish()
    receipt = send(spooled, route, ledger)
    assert there(route) == CONTENT
    assert there(route, f"{NAME}.part") is None
    assert ledger.seen == ["declared"]
    assert receipt.location.endswith(NAME)
    assert send(spooled, route).adopted


def test_what_stands_under_the_name_is_not_touched(spooled: Spooled, route: S3Route | AzureRoute) -> None:
    with object_store(route) as store:
        store.create(NAME, io.BytesIO(b"somebody else's"), 15)
    ledger = Ledgerish()
    with pytest.raises(Held, match="exists already, with other content"):
        send(spooled, route, ledger)
    assert not ledger.declared
    assert there(route) == b"somebody else's"


def test_of_two_that_publish_at_once_one_wins(spooled: Spooled, azurite: AzureRoute) -> None:
    """S3 promises the same; moto looks first and writes then, so that two at once may both win there."""
    route = azurite.model_copy(update={"prefix": "race"})
    barrier, outcomes = threading.Barrier(2), []

    def publish(number: int) -> None:
        with object_store(route) as store, spooled.path.open("rb") as content:
            barrier.wait(20)
            try:
                store.create("one", content, len(CONTENT))
                outcomes.append("won")
            except DeliveryError:
                outcomes.append("lost")

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["lost", "won"]


def test_a_large_part_goes_in_pieces(route: S3Route | AzureRoute, tmp_path: Path) -> None:
    path = tmp_path / "large"
    content = os.urandom(1 << 20) * 40
    path.write_bytes(content)
    part = Part(1, "large.csv", 1, len(content), hashlib.sha256(content).hexdigest(), "r")
    receipt = send(Spooled(part, path), route.model_copy(update={"verify": "hash"}))
    assert not receipt.adopted


def test_a_bucket_that_is_not_there(spooled: Spooled, moto: int, s3: Any) -> None:
    with pytest.raises(Refused, match="s3://nowhere/acme/in/") as refused:
        send(spooled, s3_route(moto, bucket="nowhere"))
    assert "canary" not in str(refused.value).lower()


def test_a_wrong_key_is_refused_and_told_to_nobody(spooled: Spooled, azurite: AzureRoute) -> None:
    wrong = (
        "AccountName=devstoreaccount1;AccountKey=c2VjcmV0Y2FuYXJ5;"
        + (azurite.connection_string.get_secret_value().split(";")[-2])
    )
    route = AzureRoute(type="azure", container="letters", connection_string=wrong, allow_http=True, retries=0)
    with pytest.raises(Refused) as refused:
        send(spooled, route)
    assert "c2VjcmV0Y2FuYXJ5" not in str(refused.value)
    assert "secretcanary" not in str(refused.value)


@dataclass
class Wire:
    """What a proxy does to the requests that it notes: `before` answers one itself, `after` says what becomes of an answer."""

    before: Callable[[bytes], bytes | None] = lambda _: None
    after: Callable[[bytes, bytes], bytes] = lambda _, found: found
    seen: list[bytes] = field(default_factory=list)


@contextmanager
def between(port: int, wire: Wire) -> Iterator[int]:
    """A way to the server; an answer of no bytes cuts the wire."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=hand_on, args=(listener.accept()[0], port, wire), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def hand_on(client: socket.socket, port: int, wire: Wire) -> None:
    """One client's requests, until it goes or its wire is cut."""
    with closing(client), closing(socket.create_connection(("127.0.0.1", port))) as server, suppress(OSError):
        client.settimeout(20)
        server.settimeout(0.5)
        while asked := request_of(client):
            head = asked.partition(b"\r\n\r\n")[0]
            wire.seen.append(head.split(b"\r\n")[0])
            if (answer := wire.before(head)) is None:
                server.sendall(asked)
                answer = wire.after(head, answer_of(server))
            if not answer:
                return
            client.sendall(answer)


def request_of(client: socket.socket) -> bytes:
    """A request with its body; nothing where the client has gone."""
    asked = b""
    while b"\r\n\r\n" not in asked:
        if not (chunk := client.recv(65536)):
            return b""
        asked += chunk
    head, _, body = asked.partition(b"\r\n\r\n")
    found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    while len(body) < int(found[1] if found else 0):
        body += client.recv(65536)
    return head + b"\r\n\r\n" + body


def answer_of(server: socket.socket) -> bytes:
    """All that the server says before it pauses."""
    answer = b""
    with suppress(TimeoutError):
        while chunk := server.recv(65536):
            answer += chunk
    return answer


def answer(status: str, code: str) -> bytes:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_an_error_that_passes_is_tried_again(spooled: Spooled, moto: int, s3: Any) -> None:
    seen: list[bytes] = []

    def spoil(head: bytes) -> bytes | None:
        seen.append(head)
        return answer("500 Internal Server Error", "InternalError") if len(seen) == 2 else None

    with between(moto, Wire(spoil)) as port:
        send(spooled, s3_route(port, retries=3))
    assert there(s3_route(moto)) == CONTENT


def test_what_is_forbidden_is_not_tried_again(spooled: Spooled, moto: int, s3: Any) -> None:
    seen: list[bytes] = []

    def spoil(head: bytes) -> bytes | None:
        seen.append(head)
        return answer("403 Forbidden", "AccessDenied") if head.startswith(b"PUT") or b"POST" in head[:5] else None

    with between(moto, Wire(spoil)) as port, pytest.raises(Refused, match="AccessDenied"):
        send(spooled, s3_route(port))
    assert sum(head.startswith((b"PUT", b"POST")) for head in seen) == 1
    assert there(s3_route(moto)) is None


def test_an_answer_that_is_cut_off_after_the_name_was_given(spooled: Spooled, moto: int, s3: Any) -> None:
    """The store has done it and we do not know: the next try finds our bytes, or nothing, and then a person must say."""

    def cut(head: bytes, found: bytes) -> bytes:
        return b"" if head.startswith(b"PUT") and f"/{NAME} ".encode() in head else found

    ledger = Ledgerish()
    with between(moto, Wire(after=cut)) as port, pytest.raises(DeliveryError) as lost:
        send(spooled, s3_route(port, retries=0), ledger)
    assert isinstance(lost.value, Lost), lost.value
    assert ledger.declared
    assert send(spooled, s3_route(moto), ledger).adopted
    assert there(s3_route(moto)) == CONTENT
    with object_store(s3_route(moto)) as store:
        store.remove(NAME)
    with pytest.raises(Held, match="the provider most likely took it") as held:
        send(spooled, s3_route(moto), ledger)
    assert held.value.hold == "unknown", "it is not mailed a second time by itself"
    assert there(s3_route(moto)) is None


# Objects that are made or not, by one call.

SMALL, LARGE = 100_001, SINGLE + 1  # in one request; in pieces, and by a copy
SECRETS = ("AKIDCANARY", "s3cretcanary", "tokencanary", KEY, "c2VjcmV0Y2FuYXJ5", "Signature=", "sig=", "uploadId", "StringToSign")


def bytes_of(size: int, seed: int = 0) -> bytes:
    return (hashlib.sha256(bytes([seed])).digest() * (size // 32 + 1))[:size]


def own_s3(port: int, **changes: Any) -> object_route.S3Route:
    entry = {"type": "s3", "bucket": "letters", "prefix": "acme/in", "endpoint": f"http://127.0.0.1:{port}", "allow_http": True}
    keys = {"access_key_id": "AKIDCANARY", "secret_access_key": "s3cretcanary", "session_token": "tokencanary"}
    return object_route.S3Route.model_validate(entry | keys | {"timeout": 5, "retries": 2} | changes)


def own_azure(port: int, prefix: str, **changes: Any) -> object_route.AzureRoute:
    entry = {
        "type": "azure",
        "container": "letters",
        "prefix": prefix,
        "account": ACCOUNT,
        "key": KEY,
        "timeout": 5,
        "retries": 2,
    }
    endpoint = {"endpoint": f"http://127.0.0.1:{port}/{ACCOUNT}", "allow_http": True}
    return object_route.AzureRoute.model_validate(entry | endpoint | changes)


@dataclass
class Server:
    """A store of either kind; `route` leads to it, or to a proxy before it."""

    port: int
    route: Callable[..., object_route.ObjectRoute]


@pytest.fixture(params=["s3", "azure"])
def server(request: pytest.FixtureRequest) -> Server:
    if request.param == "s3":
        request.getfixturevalue("s3")
        return Server(request.getfixturevalue("moto"), own_s3)
    text = request.getfixturevalue("azurite").connection_string.get_secret_value()
    prefix = re.sub(r"\W", "_", request.node.name)
    return Server(
        int(re.search(r"127.0.0.1:(\d+)", text)[1]),
        lambda port, **changes: own_azure(port, prefix, **changes),
    )


def create(place: object_route.ObjectRoute, content: bytes, name: str = NAME) -> None:
    with object_store(place) as store:
        store.create(name, io.BytesIO(content), len(content))


def names(place: object_route.ObjectRoute) -> list[str]:
    with object_store(place) as store:
        return sorted(found["path"] for page in obstore.list(store.ask, place.prefix) for found in page)


def told(error: pytest.ExceptionInfo[Any], place: object_route.ObjectRoute) -> str:
    """An error's text, which names the object and tells no secret."""
    text = f"{error.value} {error.value!r} {error.value.__cause__!r}"
    assert not [secret for secret in SECRETS if secret.lower() in text.lower()]
    assert "http" not in text
    assert "Debug" not in text
    with object_store(place) as store:
        assert store.location(NAME) in str(error.value)
    return str(error.value)


sizes = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])


@pytest.mark.parametrize("size", [0, SMALL, SINGLE, LARGE, 64 << 20])
def test_what_is_made_is_whole_and_alone(server: Server, size: int) -> None:
    place, content = server.route(server.port), bytes_of(size)
    create(place, content)
    with object_store(place) as store:
        assert store.size(NAME) == size
        assert hashlib.sha256(b"".join(store.read(NAME))).digest() == hashlib.sha256(content).digest()
        assert names(place) == [store.path(NAME)]
        store.remove(NAME)
        store.remove(NAME)
        assert store.size(NAME) is None


@pytest.mark.parametrize("blind", [False, True], ids=["it looks before", "it cannot see"])
@sizes
def test_a_name_that_is_taken_is_not_touched(server: Server, size: int, blind: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    place = server.route(server.port)
    create(place, b"somebody else's")
    if blind:
        blinded(monkeypatch, lambda: None)
    with pytest.raises(Taken, match="exists already") as taken:
        create(place, bytes_of(size))
    told(taken, place)
    monkeypatch.undo()
    with object_store(place) as store:
        assert b"".join(store.read(NAME)) == b"somebody else's"
        assert names(place) == [store.path(NAME)]


@sizes
def test_nothing_is_sent_where_the_name_is_seen_to_be_taken(server: Server, size: int) -> None:
    """Also for servers that do not know the condition."""
    create(server.route(server.port), b"somebody else's")
    with between(server.port, spoil := Wire(lambda _: None)) as port, pytest.raises(Taken):
        create(server.route(port), bytes_of(size))
    assert [line.split()[0] for line in spoil.seen] == [b"HEAD"]


def blinded(monkeypatch: pytest.MonkeyPatch, first: Callable[[], Any]) -> None:
    """Let nobody see at first what is under the final name, so that the condition alone keeps it."""
    size, seen = ObjectStore.size, set()

    def unseeing(store: ObjectStore, name: str) -> int | None:
        if name != NAME or threading.get_ident() in seen:
            return size(store, name)
        seen.add(threading.get_ident())
        first()
        raise Refused("it may not ask")

    monkeypatch.setattr(ObjectStore, "size", unseeing)


@sizes
def test_of_two_that_make_it_at_once_one_does(server: Server, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    barrier = threading.Barrier(2)
    place, won, lost = server.route(server.port), [], []

    def make(seed: int) -> None:
        try:
            create(place, bytes_of(size, seed))
            won.append(seed)
        except Taken:
            lost.append(seed)

    blinded(monkeypatch, lambda: barrier.wait(20))
    threads = [threading.Thread(target=make, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    monkeypatch.undo()
    assert (len(won), len(lost)) == (1, 1)
    with object_store(place) as store:
        assert b"".join(store.read(NAME)) == bytes_of(size, won[0])
        assert names(place) == [store.path(NAME)]


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
        assert store.size(NAME) == size
        assert b"".join(store.read(NAME)) == content
    with pytest.raises(Taken):
        create(place, content)


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


def test_a_store_that_lets_nobody_remove(server: Server) -> None:
    """The name is given; that the temporary object stays is no reason to say that it was not."""
    spoil = Wire(
        lambda head: answer("403 Forbidden", "AccessDenied") if head.startswith(b"DELETE") or b"comp=batch" in head else None
    )
    place = server.route(server.port)
    with between(server.port, spoil) as port, object_store(server.route(port)) as store:
        store.create(NAME, io.BytesIO(bytes_of(LARGE)), LARGE)
    assert [name.endswith(".part") for name in names(place)].count(False) == 1


def test_a_conflict_that_does_not_mean_that_it_exists(server: Server) -> None:
    spoil = Wire(lambda head: answer("409 Conflict", "ConditionalRequestConflict") if gives_the_name(head) else None)
    with between(server.port, spoil) as port, pytest.raises(Lost, match="409 ConditionalRequestConflict"):
        create(server.route(port), bytes_of(SMALL))


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
    with between(server.port, spoil) as port, pytest.raises(Unheard, match="500"):
        create(server.route(port, retries=1), bytes_of(LARGE))
    assert names(server.route(server.port)) == []


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Lost, match="no answer in time"):
        create(own_s3(silent.getsockname()[1], retries=0, timeout=0.5), b"x")


@sizes
def test_a_place_that_is_not_there(server: Server, size: int) -> None:
    where = "container" if server.route is not own_s3 else "bucket"
    place = server.route(server.port, **{where: "nowhere"})
    with pytest.raises(Refused, match=r"404 (NoSuchBucket|ContainerNotFound)") as refused:
        create(place, bytes_of(size))
    if size == SMALL:
        told(refused, place)


def test_wrong_credentials_of_azure(azurite: AzureRoute) -> None:
    port = int(re.search(r"127.0.0.1:(\d+)", azurite.connection_string.get_secret_value())[1])
    place = own_azure(port, "in", key="c2VjcmV0Y2FuYXJ5")
    with pytest.raises(Refused, match="403") as refused:
        create(place, b"x")
    told(refused, place)


def shared_access(permissions: str) -> str:
    """A signature for all of the account's blobs."""
    fields = {"sp": permissions, "ss": "b", "srt": "sco", "st": "", "se": "2099-01-01T00:00:00Z", "sip": "", "spr": "https,http"}
    text = "\n".join([ACCOUNT, *fields.values(), "2021-08-06", "", ""])
    sign = base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()).decode()
    return urlencode({name: value for name, value in fields.items() if value} | {"sv": "2021-08-06", "sig": sign})


@pytest.mark.parametrize("by", ["?", "", "string"])
def test_a_shared_access_signature(azurite: AzureRoute, by: str) -> None:
    port = int(re.search(r"127.0.0.1:(\d+)", azurite.connection_string.get_secret_value())[1])
    endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"

    def way(sas: str) -> dict[str, Any]:
        if by == "string":
            text = f"BlobEndpoint={endpoint};SharedAccessSignature={sas};AccountName={ACCOUNT}"
            return {"account": None, "key": None, "endpoint": None, "connection_string": text}
        return {"key": None, "sas": by + sas}

    place = own_azure(port, f"shared{len(by)}", **way(shared_access("rwdlac")))
    for size in (SMALL, LARGE):
        create(place, bytes_of(size), str(size))
    with pytest.raises(Taken):
        create(place, bytes_of(LARGE), str(LARGE))
    forbidden = own_azure(port, "forbidden", **way(shared_access("r")))
    with pytest.raises(Refused, match="403") as refused:
        create(forbidden, b"x")
    told(refused, forbidden)
    lost = own_azure(free_port(), "lost", **({**way(shared_access("r")), "retries": 0} if by != "string" else {"retries": 0}))
    with pytest.raises(Unheard) as unheard:
        create(lost, b"x")
    told(unheard, lost)


def test_a_name_that_no_store_takes(server: Server) -> None:
    with pytest.raises(Refused, match=r"Could not parse path"):
        create(server.route(server.port), b"x", "../x")


def test_wrong_credentials_of_s3() -> None:
    port = free_port()
    with running([sys.executable, "-c", MOTO, str(port)], port, INITIAL_NO_AUTH_ACTION_COUNT="0"):
        place = own_s3(port)
        with pytest.raises(Refused, match="403 InvalidAccessKeyId") as refused:
            create(place, b"x")
        told(refused, place)


# What the file, the process and the machine do.


def test_a_file_that_is_shorter_than_was_said(server: Server) -> None:
    place = server.route(server.port)
    for size in (SMALL, LARGE):
        with object_store(place) as store, pytest.raises(Spoiled, match="were to be sent"):
            store.create(NAME, io.BytesIO(bytes_of(size)[:-1]), size)
    assert names(place) == []


@sizes
@pytest.mark.parametrize("fault", [OSError(5, "Input/output error"), Stopped(15)], ids=["a disk", "a signal"])
def test_a_fault_while_the_file_is_read(server: Server, size: int, fault: BaseException) -> None:
    class Faulty(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > SINGLE - 1 or len(self.getbuffer()) == SMALL:
                raise fault
            return super().read(size)

    place = server.route(server.port)
    with object_store(place) as store, pytest.raises((DeliveryError, Stopped)) as raised:
        store.create(NAME, Faulty(bytes_of(size)), size)
    if isinstance(fault, OSError):
        assert "the file to send cannot be read: Input/output error" in str(raised.value)
    else:
        assert raised.value is fault
    assert names(place) == []


def test_the_environment_redirects_nothing(moto: int, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    nowhere = f"http://127.0.0.1:{free_port()}"
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"):
        monkeypatch.setenv(name, nowhere)
    for name in ("AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "foreign")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    with between(moto, Wire(seen.append)) as port:
        create(own_s3(port, session_token=None), b"x")
    assert [found.key for found in s3.objects.all()] == [f"acme/in/{NAME}"]
    assert not [head for head in seen if b"foreign" in head or b"x-amz-security-token" in head]
    assert all(b"Credential=AKIDCANARY/" in head for head in seen)


def test_encryption_is_asked_for_in_both_ways(moto: int, s3: Any) -> None:
    for size in (SMALL, LARGE):
        create(own_s3(moto, server_side_encryption="aws:kms", kms_key_id="our-key"), bytes_of(size), str(size))
        found = s3.Object(f"acme/in/{size}")
        assert (found.server_side_encryption, found.ssekms_key_id) == ("aws:kms", "our-key")


def test_more_than_s3_copies_is_refused_before_it_is_sent(moto: int, s3: Any) -> None:
    with object_store(own_s3(moto)) as store, pytest.raises(Refused, match="at most 5,368,709,120"):
        store.create(NAME, io.BytesIO(b""), (5 << 30) + 1)


def test_a_copy_that_azure_has_not_finished_keeps_its_source(azurite: AzureRoute, monkeypatch: pytest.MonkeyPatch) -> None:
    """An accepted copy is an empty object until it is done, and stays one if what it copies from goes away."""
    place = azurite.model_copy(update={"prefix": "slow"})
    size, looks = ObjectStore.size, []

    def copying(store: ObjectStore, name: str) -> int | None:
        found = size(store, name)
        if name != NAME or not found:
            return found
        looks.append(names(place))
        return 0 if len(looks) < 3 else found

    monkeypatch.setattr(ObjectStore, "size", copying)
    monkeypatch.setattr("dmail_runner.ship.object_store.time.sleep", lambda _: None)
    create(place, bytes_of(LARGE))
    assert [len(found) for found in looks] == [2, 2, 2]
    assert names(place) == [f"slow/{NAME}"]
    monkeypatch.setattr("dmail_runner.ship.object_store.SLOW", -1.0)
    monkeypatch.setattr(
        ObjectStore, "size", lambda store, name: size(store, name) and (0 if name == "two" else size(store, name))
    )
    with pytest.raises(Lost, match="has not finished copying"):
        create(place, bytes_of(LARGE), "two")
    assert len([name for name in names(place) if name.startswith("slow/two.") and name.endswith(".part")]) == 1


class Gcs(BaseHTTPRequestHandler):
    """As much of Google's XML interface as a delivery uses."""

    protocol_version = "HTTP/1.1"
    objects: dict[str, bytes]
    parts: dict[str, bytes]
    lock = threading.Lock()

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with self.lock:
            status, found = self.answered(
                unquote(urlsplit(self.path).path), dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True)), body
            )
        self.send_response(status)
        for name, value in {"etag": "e", "x-goog-generation": "1", "last-modified": formatdate(usegmt=True)}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(found)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(found)

    def answered(self, path: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if query.keys() & {"uploads", "partNumber", "uploadId"}:
            return 200, self.piece(path, query, body)
        if self.command == "PUT":
            if self.headers.get("x-goog-if-generation-match") == "0" and path in self.objects:
                return 412, b"<Error><Code>PreconditionFailed</Code><Message>no</Message></Error>"
            source = self.headers.get("x-goog-copy-source")
            self.objects[path] = self.objects[f"/{unquote(source)}"] if source else body
            return 200, b""
        if path not in self.objects:
            return 404, b""
        return (204, b"") if self.command == "DELETE" and self.objects.pop(path) else (200, self.objects[path])

    def piece(self, path: str, query: dict[str, str], body: bytes) -> bytes:
        if "partNumber" in query:
            self.parts[query["partNumber"]] = body
            return b""
        if "uploads" in query:
            self.parts.clear()
            return b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
        self.objects[path] = b"".join(self.parts[number] for number in sorted(self.parts, key=int))
        return b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815 - the library's names

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def gcs(tmp_path: Path) -> Iterator[object_route.GcsRoute]:
    Gcs.objects, Gcs.parts = {}, {}
    key = tmp_path / "key.json"
    key.write_text(json.dumps({"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}))
    with ThreadingHTTPServer(("127.0.0.1", 0), Gcs) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{listener.server_port}"
        yield object_route.GcsRoute(type="gcs", bucket="b", service_account=key, endpoint=endpoint, allow_http=True, retries=0)
        listener.shutdown()


@sizes
def test_google_is_asked_for_what_is_not_there(gcs: object_route.GcsRoute, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    create(gcs, bytes_of(size))
    assert Gcs.objects == {f"/b/{NAME}": bytes_of(size)}
    blinded(monkeypatch, lambda: None)
    with pytest.raises(Taken, match=f"gs://b/{NAME} exists already"):
        create(gcs, bytes_of(size, 1))
    assert Gcs.objects == {f"/b/{NAME}": bytes_of(size)}


def test_a_service_account_that_is_not_there(gcs: object_route.GcsRoute, tmp_path: Path) -> None:
    place = gcs.model_copy(update={"service_account": tmp_path / "nowhere.json"})
    with pytest.raises(DeliveryError, match="cannot be used"):
        create(place, b"x")


MEMORY = """
import json, sys
from pathlib import Path
from dmail_runner.declare.object_route import S3Route
from dmail_runner.ship.object_store import object_store

def peak():
    return int(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))) << 10

place, size, file = S3Route.model_validate(json.loads(sys.argv[1])), int(sys.argv[2]), Path(sys.argv[3])
before = peak()
with object_store(place) as store, file.open("rb") as content:
    store.create("large", content, size)
    assert sum(map(len, store.read("large"))) == size
print(peak() - before)
"""


def test_a_large_file_takes_little_memory(moto: int, s3: Any, tmp_path: Path) -> None:
    size, file = 400 << 20, tmp_path / "large"
    with file.open("wb") as content:
        content.truncate(size)
    keys = {"access_key_id": "a", "secret_access_key": "b", "endpoint": f"http://127.0.0.1:{moto}", "allow_http": True}
    entry = json.dumps({"type": "s3", "bucket": "letters", **keys})
    command = [sys.executable, "-c", MEMORY, entry, str(size), str(file)]
    taken = int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)
    assert taken < 150 << 20, f"{taken >> 20} MiB"


S3 = {"type": "s3", "bucket": "b", "access_key_id": "a", "secret_access_key": "s"}
AZURE = {"type": "azure", "container": "c"}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"type": "s3", "bucket": "b"}, "or else `credentials: environment`"),
        ({**S3, "credentials": "environment"}, "or else `credentials: environment`"),
        ({"type": "s3", "bucket": "b", "access_key_id": "a"}, "needs `access_key_id` and `secret_access_key`"),
        ({"type": "s3", "bucket": "b", "credentials": "environment", "session_token": "t"}, "has a `session_token`"),
        ({**S3, "kms_key_id": "k"}, "is for `server_side_encryption: aws:kms`"),
        ({**S3, "endpoint": "HTTP://minio.example"}, "is not encrypted"),
        ({**S3, "endpoint": "minio.example"}, "must begin with https://"),
        ({**S3, "endpoint": "https://a:b@minio.example"}, "no user, password or query"),
        ({**S3, "allow_http": True}, "no `endpoint` that it could be for"),
        ({**S3, "prefix": "../other"}, "must be a relative path"),
        ({**AZURE, "account": "a"}, "or `account` and one of `key` and `sas`"),
        ({**AZURE, "account": "a", "key": "k", "sas": "s"}, "or `account` and one of `key` and `sas`"),
        ({**AZURE, "account": "a", "key": "k", "connection_string": "AccountName=a;AccountKey=k"}, "which is meant"),
        ({**AZURE, "connection_string": "UseDevelopmentStorage=true"}, "either an AccountKey or a SharedAccessSignature"),
        ({**AZURE, "connection_string": "AccountKey=k"}, "an AccountName or a BlobEndpoint"),
        ({**AZURE, "connection_string": "AccountName=a;AccountKey=k;BlobEndpoint=http://x/a"}, "is not encrypted"),
        ({"type": "gcs", "bucket": "b"}, "needs either `service_account` or `credentials: environment`"),
    ],
)
def test_an_entry_that_makes_no_sense(entry: dict[str, Any], said: str) -> None:
    models = {"s3": object_route.S3Route, "azure": object_route.AzureRoute, "gcs": object_route.GcsRoute}
    with pytest.raises(ValidationError, match=re.escape(said)):
        models[entry["type"]].model_validate(entry)
