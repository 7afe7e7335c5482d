"""Object stores for tests, and a wire that breaks."""

import base64
import hashlib
import hmac
import os
import re
import socket
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import boto3
import obstore
import pytest
from botocore.config import Config

from deliveries import NAME
from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare import object_route
from dmail_runner.declare.object_route import AzureRoute, S3Route
from dmail_runner.ledger.intents import Intents
from dmail_runner.ship import Refused, Seen, deliver, destination
from dmail_runner.ship.object_store import SINGLE, ObjectStore, object_store
from wait import until

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


def answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the server has ended"
    with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), timeout=10)):
        return True
    return False


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment})
    try:
        until(lambda: answers(port, process), "the server does not answer")
        yield
    finally:
        process.kill()
        process.wait()


def s3_route(port: int, **changes: Any) -> S3Route:
    entry = {"type": "s3", "bucket": "letters", "prefix": "acme/in", "endpoint": f"http://127.0.0.1:{port}", "allow_http": True}
    keys = {"access_key_id": "AKIDCANARY", "secret_access_key": "s3cretcanary"}
    return S3Route.model_validate(entry | keys | {"timeout": 30, "retries": 2} | changes)


def bucket(port: int, name: str = "letters") -> Any:
    config = Config(s3={"addressing_style": "path"})
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    return boto3.resource("s3", endpoint_url=f"http://127.0.0.1:{port}", config=config, **keys).Bucket(name)


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


def there(route: S3Route | AzureRoute, name: str = NAME) -> bytes | None:
    with destination(route) as place:
        return None if place.look(name) is None else b"".join(place.read(name))


@dataclass
class Wire:
    """What a proxy does to the requests that it notes.

    Attributes:
        before: answers a request itself.
        after: what becomes of an answer.
        change: what becomes of a request.
        seen: the first lines of all requests.
    """

    before: Callable[[bytes], bytes | None] = lambda _: None
    after: Callable[[bytes, bytes], bytes] = lambda _, found: found
    change: Callable[[bytes], bytes] = lambda asked: asked
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
        client.settimeout(60)
        server.settimeout(60)
        while asked := request_of(client):
            head = asked.partition(b"\r\n\r\n")[0]
            wire.seen.append(head.split(b"\r\n")[0])
            if (answer := wire.before(head)) is None:
                server.sendall(wire.change(asked))
                answer = wire.after(head, answer_of(server, head))
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
        if not (chunk := client.recv(65536)):
            return b""
        body += chunk
    return head + b"\r\n\r\n" + body


def answer_of(server: socket.socket, asked: bytes) -> bytes:
    """The answer to a request, with its body."""
    found = b""
    while not is_complete(found, asked) and (chunk := server.recv(65536)):
        found += chunk
    return found


def is_complete(answer: bytes, asked: bytes) -> bool:
    """Whether an answer of HTTP has come to its end; one without a length ends with its connection."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    if asked.startswith(b"HEAD") or head.split()[1] in (b"204", b"304"):
        return True
    if b"transfer-encoding: chunked" in head.lower():
        return body == b"0\r\n\r\n" or body.endswith(b"\r\n0\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return length is not None and len(body) >= int(length[1])


def answer(status: str, code: str) -> bytes:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


# Objects that are made or not, by one call.

SMALL, LARGE = 100_001, SINGLE + 1  # in one request; in pieces, and by a copy
SECRETS = ("AKIDCANARY", "s3cretcanary", "tokencanary", KEY, "c2VjcmV0Y2FuYXJ5", "Signature=", "sig=", "uploadId", "StringToSign")


def bytes_of(size: int, seed: int = 0) -> bytes:
    return (hashlib.sha256(bytes([seed])).digest() * (size // 32 + 1))[:size]


def own_s3(port: int, **changes: Any) -> object_route.S3Route:
    entry = {"type": "s3", "bucket": "letters", "prefix": "acme/in", "endpoint": f"http://127.0.0.1:{port}", "allow_http": True}
    keys = {"access_key_id": "AKIDCANARY", "secret_access_key": "s3cretcanary", "session_token": "tokencanary"}
    return object_route.S3Route.model_validate(entry | keys | {"timeout": 30, "retries": 2} | changes)


def own_azure(port: int, prefix: str, **changes: Any) -> object_route.AzureRoute:
    entry = {
        "type": "azure",
        "container": "letters",
        "prefix": prefix,
        "account": ACCOUNT,
        "key": KEY,
        "timeout": 30,
        "retries": 2,
    }
    endpoint = {"endpoint": f"http://127.0.0.1:{port}/{ACCOUNT}", "allow_http": True}
    return object_route.AzureRoute.model_validate(entry | endpoint | changes)


@dataclass
class Server:
    """A store of either kind; `route` leads to it, or to a proxy before it."""

    port: int
    route: Callable[..., object_route.ObjectRoute]


def create(place: object_route.ObjectRoute, content: bytes, name: str = NAME, size: int | None = None) -> None:
    """Deliver these bytes; `size`: how many there should be."""
    with tempfile.NamedTemporaryFile() as file, object_store(place) as store:
        file.write(content)
        file.flush()
        part = Part(1, name, 1, len(content) if size is None else size, hashlib.sha256(content).hexdigest(), "r")
        deliver(Spooled(part, Path(file.name)), store, Intents(), place)


def size_of(place: object_route.ObjectRoute, name: str = NAME) -> int | None:
    with object_store(place) as store:
        seen = store.look(name)
        return seen.size if seen else None


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


def blinded(monkeypatch: pytest.MonkeyPatch, size: int, first: Callable[[], Any]) -> None:
    """Let nobody see what is under the final name before it is given, so that the condition alone keeps it."""
    look, seen = ObjectStore.look, Counter[int]()

    def unseeing(store: ObjectStore, name: str) -> Seen | None:
        me = threading.get_ident()
        if name != NAME or seen[me] == (1 if size <= SINGLE else 2):
            return look(store, name)
        seen[me] += 1
        if seen[me] == 1:
            first()
        raise Refused("it may not ask")

    monkeypatch.setattr(ObjectStore, "look", unseeing)


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
