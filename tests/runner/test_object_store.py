"""Delivery to object stores: moto's S3 server and Azurite."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from sshd import free_port
from test_ship import CONTENT, NAME, Ledgerish, send, spooled

from runner.errors import DeliveryError, Held
from runner.route import AzureRoute, S3Route
from runner.ship import destination
from runner.ship.delivery import Lost, Refused, Watched
from runner.values import Part, Spooled

__all__ = ["spooled"]

ACCOUNT = "devstoreaccount1"
# The emulator's own, which everybody knows.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), timeout=1)):
            return
        assert process.poll() is None, "the server has ended"
        time.sleep(0.1)
    pytest.fail("the server does not answer")


@contextmanager
def running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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
    with running([sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)], port):
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
    import base64
    import hmac
    import urllib.request
    from email.utils import formatdate

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


def test_what_stands_under_the_name_is_not_touched(spooled: Spooled, route: S3Route | AzureRoute, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"somebody else's")
    with destination(route) as place, Watched(tmp_path / "other", "rb") as content:
        content.watch = lambda _: None
        place.write(NAME, content)
    with pytest.raises(Held, match="exists already, with other content"):
        send(spooled, route)
    with destination(route) as place:
        with spooled.path.open("rb") as content:
            place.write(f"{NAME}.part", content)
        with pytest.raises(Refused, match="exists already"):
            place.publish(f"{NAME}.part", NAME)
    assert there(route) == b"somebody else's"


def test_of_two_that_publish_at_once_one_wins(spooled: Spooled, azurite: AzureRoute) -> None:
    """S3 promises the same; moto looks first and writes then, so that two at once may both win there."""
    route = azurite.model_copy(update={"prefix": "race"})
    barrier, outcomes = threading.Barrier(2), []

    def publish(number: int) -> None:
        with destination(route) as place, spooled.path.open("rb") as content:
            place.write(f"{number}.part", content)
            barrier.wait(20)
            try:
                place.publish(f"{number}.part", "one")
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
    )  # type: ignore[union-attr]
    route = AzureRoute(type="azure", container="letters", connection_string=wrong, allow_http=True, retries=0)
    with pytest.raises(Refused) as refused:
        send(spooled, route)
    assert "c2VjcmV0Y2FuYXJ5" not in str(refused.value)
    assert "secretcanary" not in str(refused.value)


@contextmanager
def between(port: int, spoil: Any) -> Iterator[int]:  # noqa: C901 - a proxy in one piece
    """A proxy that hands requests on, and lets `spoil` say what becomes of each answer (its bytes, or None to cut the wire)."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(client: socket.socket) -> None:
        with closing(client), closing(socket.create_connection(("127.0.0.1", port))) as server, suppress(OSError):
            asked = b""
            client.settimeout(20)
            server.settimeout(0.5)
            while True:
                while b"\r\n\r\n" not in asked:
                    if not (chunk := client.recv(65536)):
                        return
                    asked += chunk
                head, body = asked.split(b"\r\n\r\n", 1)
                length = next(
                    (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
                )
                while len(body) < length:
                    body += client.recv(65536)
                if (answer := spoil(head)) is None:
                    server.sendall(head + b"\r\n\r\n" + body)
                    answer = b""
                    with suppress(TimeoutError):
                        while chunk := server.recv(65536):
                            answer += chunk
                    if not (answer := spoil.after(head, answer) if hasattr(spoil, "after") else answer):
                        return
                client.sendall(answer)
                asked = b""

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def answer(status: str, code: str) -> bytes:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_an_error_that_passes_is_tried_again(spooled: Spooled, moto: int, s3: Any) -> None:
    seen: list[bytes] = []

    def spoil(head: bytes) -> bytes | None:
        seen.append(head)
        return answer("500 Internal Server Error", "InternalError") if len(seen) == 2 else None

    with between(moto, spoil) as port:
        send(spooled, s3_route(port, retries=3))
    assert there(s3_route(moto)) == CONTENT


def test_what_is_forbidden_is_not_tried_again(spooled: Spooled, moto: int, s3: Any) -> None:
    seen: list[bytes] = []

    def spoil(head: bytes) -> bytes | None:
        seen.append(head)
        return answer("403 Forbidden", "AccessDenied") if head.startswith(b"PUT") or b"POST" in head[:5] else None

    with between(moto, spoil) as port, pytest.raises(Refused, match="AccessDenied"):
        send(spooled, s3_route(port))
    assert sum(head.startswith((b"PUT", b"POST")) for head in seen) == 1
    assert there(s3_route(moto)) is None


def test_an_answer_that_is_cut_off_after_the_name_was_given(spooled: Spooled, moto: int, s3: Any) -> None:
    """The store has done it and we do not know: the next try finds our bytes and takes them for delivered."""

    class Cut:
        def __call__(self, head: bytes) -> None:
            return None

        def after(self, head: bytes, found: bytes) -> bytes:
            completes = head.startswith(b"POST") and b"uploadId=" in head and f"{NAME}?".encode() in head
            return b"" if completes else found

    ledger = Ledgerish()
    with between(moto, Cut()) as port, pytest.raises(DeliveryError) as lost:
        send(spooled, s3_route(port, retries=0), ledger)
    assert isinstance(lost.value, Lost), lost.value
    assert ledger.declared
    assert send(spooled, s3_route(moto), ledger).adopted
    assert there(s3_route(moto)) == CONTENT
