"""Google Cloud Storage, with a server of our own."""

from pathlib import Path

import pytest

from deliveries import NAME
from dmail_runner.core.errors import DeliveryError, Held
from dmail_runner.declare import object_route
from stores import Gcs, blinded, bytes_of, create, sizes


@sizes
def test_google_is_asked_for_what_is_not_there(gcs: object_route.GcsRoute, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    create(gcs, bytes_of(size))
    assert Gcs.objects == {f"/b/{NAME}": bytes_of(size)}
    blinded(monkeypatch, size, lambda: None)
    with pytest.raises(Held, match=f"gs://b/{NAME} exists already"):
        create(gcs, bytes_of(size, 1))
    assert Gcs.objects == {f"/b/{NAME}": bytes_of(size)}


def test_a_service_account_that_is_not_there(gcs: object_route.GcsRoute, tmp_path: Path) -> None:
    place = gcs.model_copy(update={"service_account": tmp_path / "nowhere.json"})
    with pytest.raises(DeliveryError, match="cannot be used"):
        create(place, b"x")
