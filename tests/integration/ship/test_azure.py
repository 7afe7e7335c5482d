"""Azure Blob Storage, with Azurite."""

import base64
import hashlib
import hmac
import re
import threading
from typing import Any
from urllib.parse import urlencode

import pytest

from deliveries import CONTENT, NAME, send
from dmail_runner.core.errors import DeliveryError, Held
from dmail_runner.core.values import Spooled
from dmail_runner.declare.object_route import AzureRoute
from dmail_runner.ship.answers import Lost, Refused, Unheard
from dmail_runner.ship.interface import Content, Seen
from dmail_runner.ship.object_store import ObjectStore, object_store
from sshd import free_port
from stores import ACCOUNT, KEY, LARGE, SMALL, bytes_of, create, names, own_azure, told


def test_of_two_that_publish_at_once_one_wins(spooled: Spooled, azurite: AzureRoute) -> None:
    """S3 promises the same; moto looks first and writes then, so that two at once may both win there."""
    route = azurite.model_copy(update={"prefix": "race"})
    barrier, outcomes = threading.Barrier(2), []

    def publish(number: int) -> None:
        with object_store(route) as store, Content(spooled.path, len(CONTENT), lambda _: None, lambda: None) as content:
            barrier.wait(20)
            try:
                store.put("one", content)
                outcomes.append("won")
            except DeliveryError:
                outcomes.append("lost")

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["lost", "won"]


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
    with pytest.raises(Held):
        create(place, bytes_of(LARGE, 1), str(LARGE))
    forbidden = own_azure(port, "forbidden", **way(shared_access("r")))
    with pytest.raises(Refused, match="403") as refused:
        create(forbidden, b"x")
    told(refused, forbidden)
    lost = own_azure(free_port(), "lost", **({**way(shared_access("r")), "retries": 0} if by != "string" else {"retries": 0}))
    with pytest.raises(Unheard) as unheard:
        create(lost, b"x")
    told(unheard, lost)


def test_a_copy_that_azure_has_not_finished_keeps_its_source(azurite: AzureRoute, monkeypatch: pytest.MonkeyPatch) -> None:
    """An accepted copy is an empty object until it is done, and stays one if what it copies from goes away."""
    place = azurite.model_copy(update={"prefix": "slow"})
    look, looks = ObjectStore.look, []

    def copying(store: ObjectStore, name: str) -> Seen | None:
        found = look(store, name)
        if name != NAME or not found:
            return found
        looks.append(names(place))
        return Seen(0) if len(looks) < 3 else found

    monkeypatch.setattr(ObjectStore, "look", copying)
    monkeypatch.setattr("dmail_runner.ship.object_store.time.sleep", lambda _: None)
    create(place, bytes_of(LARGE))
    assert [len(found) for found in looks] == [2, 2, 2]
    assert names(place) == [f"slow/{NAME}"]
    monkeypatch.setattr("dmail_runner.ship.object_store.SLOW", -1.0)
    monkeypatch.setattr(
        ObjectStore, "look", lambda store, name: look(store, name) and (Seen(0) if name == "two" else look(store, name))
    )
    with pytest.raises(Lost, match="has not finished copying"):
        create(place, bytes_of(LARGE), "two")
    assert len([name for name in names(place) if name.startswith("slow/two.") and name.endswith(".part")]) == 1
