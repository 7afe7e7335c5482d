"""Delivery to object stores: moto's S3 server and Azurite."""

import hashlib
import os
import re
import threading
from pathlib import Path
from typing import Any

import obstore
import pytest
from pydantic import ValidationError

from deliveries import CONTENT, NAME, Ledgerish, send
from dmail_runner.core.errors import Held
from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare import object_route
from dmail_runner.declare.object_route import AzureRoute, S3Route
from dmail_runner.ship.answers import Refused
from dmail_runner.ship.object_store import SINGLE, object_store
from stores import (
    LARGE,
    SMALL,
    Server,
    Wire,
    between,
    blinded,
    bytes_of,
    create,
    names,
    own_s3,
    s3_route,
    sizes,
    there,
    told,
)


@pytest.fixture(params=["s3", "azure"])
def route(request: pytest.FixtureRequest) -> S3Route | AzureRoute:
    if request.param == "azure":
        azure: AzureRoute = request.getfixturevalue("azurite")
        return azure.model_copy(update={"prefix": request.node.name.split("[")[0]})
    request.getfixturevalue("s3")
    return s3_route(request.getfixturevalue("moto"))


def test_a_part_arrives_whole_and_alone(spooled: Spooled, route: S3Route | AzureRoute) -> None:
    ledger = Ledgerish()
    receipt = send(spooled, route, ledger)
    assert there(route) == CONTENT
    assert there(route, f"{NAME}.part") is None
    assert ledger.words == ["publishing"]
    assert receipt.location.endswith(NAME)
    assert send(spooled, route).adopted


def test_what_stands_under_the_name_is_not_touched(spooled: Spooled, route: S3Route | AzureRoute) -> None:
    create(route, b"somebody else's")
    ledger = Ledgerish()
    with pytest.raises(Held, match="exists already, with other content"):
        send(spooled, route, ledger)
    assert ledger.words == []
    assert there(route) == b"somebody else's"


def test_a_large_part_goes_in_pieces(route: S3Route | AzureRoute, tmp_path: Path) -> None:
    path = tmp_path / "large"
    content = os.urandom(1 << 20) * 40
    path.write_bytes(content)
    part = Part(1, "large.csv", 1, len(content), hashlib.sha256(content).hexdigest(), "r")
    receipt = send(Spooled(part, path), route.model_copy(update={"verify": "hash"}))
    assert not receipt.adopted


@pytest.mark.parametrize("size", [0, SMALL, SINGLE, LARGE, 64 << 20])
def test_what_is_made_is_whole_and_alone(server: Server, size: int) -> None:
    place, content = server.route(server.port), bytes_of(size)
    create(place, content)
    with object_store(place) as store:
        assert store.look(NAME).size == size
        assert hashlib.sha256(b"".join(store.read(NAME))).digest() == hashlib.sha256(content).digest()
        assert names(place) == [store.path(NAME)]
        assert store.remove(NAME)
        assert not store.remove(NAME)
        assert store.look(NAME) is None


@pytest.mark.parametrize("blind", [False, True], ids=["it looks before", "it cannot see"])
@sizes
def test_a_name_that_is_taken_is_not_touched(server: Server, size: int, blind: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    place = server.route(server.port)
    create(place, b"somebody else's")
    if blind:
        blinded(monkeypatch, size, lambda: None)
    with pytest.raises(Held, match="exists already, with other content") as taken:
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
    with between(server.port, spoil := Wire(lambda _: None)) as port, pytest.raises(Held):
        create(server.route(port), bytes_of(size))
    assert [line.split()[0] for line in spoil.seen] == [b"HEAD"]


@sizes
def test_of_two_that_make_it_at_once_one_does(server: Server, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    barrier = threading.Barrier(2)
    place, won, lost = server.route(server.port), [], []

    def make(seed: int) -> None:
        try:
            create(place, bytes_of(size, seed))
            won.append(seed)
        except Held:
            lost.append(seed)

    blinded(monkeypatch, size, lambda: barrier.wait(20))
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


@sizes
def test_a_place_that_is_not_there(server: Server, size: int) -> None:
    where = "container" if server.route is not own_s3 else "bucket"
    place = server.route(server.port, **{where: "nowhere"})
    with pytest.raises(Refused, match=r"404 (NoSuchBucket|ContainerNotFound)") as refused:
        create(place, bytes_of(size))
    if size == SMALL:
        told(refused, place)


def test_a_name_that_no_store_takes(server: Server) -> None:
    with pytest.raises(Refused, match=r"Could not parse path"):
        create(server.route(server.port), b"x", "../x")


S3 = {"type": "s3", "bucket": "b", "access_key_id": "a", "secret_access_key": "s"}
AZURE = {"type": "azure", "container": "c"}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"type": "s3", "bucket": "b"}, "or `credentials: environment`"),
        ({**S3, "credentials": "environment"}, "or `credentials: environment`"),
        ({"type": "s3", "bucket": "b", "access_key_id": "a"}, "needs `access_key_id` and `secret_access_key`"),
        ({"type": "s3", "bucket": "b", "credentials": "environment", "session_token": "t"}, "has a `session_token`"),
        ({**S3, "kms_key_id": "k"}, "needs `server_side_encryption: aws:kms`"),
        ({**S3, "endpoint": "HTTP://minio.example"}, "is not encrypted"),
        ({**S3, "endpoint": "minio.example"}, "must begin with https://"),
        ({**S3, "endpoint": "https://a:b@minio.example"}, "must not contain a user, a password or a query"),
        ({**S3, "allow_http": True}, "which needs an `endpoint`"),
        ({**S3, "prefix": "../other"}, "must be a relative path"),
        ({**AZURE, "account": "a"}, "or `account` and one of `key` and `sas`"),
        ({**AZURE, "account": "a", "key": "k", "sas": "s"}, "or `account` and one of `key` and `sas`"),
        ({**AZURE, "account": "a", "key": "k", "connection_string": "AccountName=a;AccountKey=k"}, "use one of them"),
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


def test_a_list_has_the_objects_of_one_folder(server: Server) -> None:
    with object_store(server.route(server.port)) as place:
        for name in ("back/one.csv", "back/deeper/two.csv", "three.csv"):
            obstore.put(place.ask, place.path(name), b"12345")
        assert {name: seen.size for name, seen in place.entries("back").items()} == {"one.csv": 5}
        assert "three.csv" in place.entries("")
        place.publish("back/one.csv", "done/one.csv", None)
        assert place.remove("back/one.csv")
        assert list(place.entries("done")) == ["one.csv"]
