"""Google Cloud Storage, with a server of our own."""

import hashlib
from pathlib import Path

import pytest

from deliveries import NAME, Ledgerish, send
from dmail_runner.core.errors import DeliveryError, Held
from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare import object_route
from dmail_runner.ship.answers import Lost
from stores import Gcs, Wire, between, blinded, bytes_of, create, sizes


@sizes
def test_google_is_asked_for_what_is_not_there(gcs: object_route.GcsRoute, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    create(gcs, bytes_of(size))
    assert Gcs.objects == {f"/b/{NAME}": bytes_of(size)}
    blinded(monkeypatch, size, lambda: None)
    with pytest.raises(Held, match=f"gs://b/{NAME} exists already"):
        create(gcs, bytes_of(size, 1))
    assert Gcs.objects == {f"/b/{NAME}": bytes_of(size)}


@sizes
@pytest.mark.parametrize("fetched", [False, True])
def test_an_answer_of_google_that_is_lost(gcs: object_route.GcsRoute, tmp_path: Path, size: int, fetched: bool) -> None:
    """The condition holds for one request, which is not made again: whoever looks finds the object, or a person is asked."""

    def cut(head: bytes, found: bytes) -> bytes:
        return b"" if b"x-goog-if-generation-match: 0" in head.lower() else found

    content, ledger = bytes_of(size), Ledgerish()
    (tmp_path / "file").write_bytes(content)
    part = Part(1, NAME, 1, size, hashlib.sha256(content).hexdigest(), "r")
    spooled = Spooled(part, tmp_path / "file")
    google = int((gcs.endpoint or "").rpartition(":")[2])
    with between(google, Wire(lambda _: None, cut)) as port, pytest.raises(Lost, match="the connection was lost"):
        send(spooled, gcs.model_copy(update={"endpoint": f"http://127.0.0.1:{port}"}), ledger)
    assert Gcs.objects.pop(f"/b/{NAME}") == content
    if fetched:
        with pytest.raises(Held, match="the provider may have taken it"):
            send(spooled, gcs, ledger)
    else:
        Gcs.objects[f"/b/{NAME}"] = content
        assert send(spooled, gcs, ledger).proof == "found"
        assert list(Gcs.objects) == [f"/b/{NAME}"], "the temporary object is removed"
    assert ledger.words.count("publishing") == 1


def test_a_service_account_that_is_not_there(gcs: object_route.GcsRoute, tmp_path: Path) -> None:
    place = gcs.model_copy(update={"service_account": tmp_path / "nowhere.json"})
    with pytest.raises(DeliveryError, match="cannot be used"):
        create(place, b"x")
