"""S3, with moto's server."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deliveries import CONTENT, NAME, Ledgerish, send
from dmail_runner.core.errors import DeliveryError, Held
from dmail_runner.core.values import Spooled
from dmail_runner.ship.answers import Lost, Refused
from dmail_runner.ship.object_store import object_store
from sshd import free_port
from stores import (
    LARGE,
    MOTO,
    SMALL,
    Wire,
    answer,
    between,
    bucket,
    bytes_of,
    create,
    names,
    own_s3,
    running,
    s3_route,
    there,
    told,
)


def test_a_bucket_that_is_not_there(spooled: Spooled, moto: int, s3: Any) -> None:
    with pytest.raises(Refused, match="s3://nowhere/acme/in/") as refused:
        send(spooled, s3_route(moto, bucket="nowhere"))
    assert "canary" not in str(refused.value).lower()


def test_an_error_that_passes_is_tried_again(spooled: Spooled, moto: int, s3: Any) -> None:
    seen: list[bytes] = []

    def spoil(head: bytes) -> bytes | None:
        seen.append(head)
        return answer("500 Internal Server Error", "InternalError") if len(seen) == 1 else None

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
    assert ledger.words == ["publishing"]
    assert send(spooled, s3_route(moto), ledger).proof == "found"
    assert there(s3_route(moto)) == CONTENT
    with object_store(s3_route(moto)) as store:
        store.remove(NAME)
    with pytest.raises(Held, match="the provider may have taken it") as held:
        send(spooled, s3_route(moto), ledger)
    assert held.value.hold == "unknown", "it is not mailed a second time by itself"
    assert there(s3_route(moto)) is None


def test_wrong_credentials_of_s3() -> None:
    port = free_port()
    with running([sys.executable, "-c", MOTO, str(port)], port, INITIAL_NO_AUTH_ACTION_COUNT="0"):
        place = own_s3(port)
        with pytest.raises(Refused, match="403 InvalidAccessKeyId") as refused:
            create(place, b"x")
        told(refused, place)


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
        store.check_limit(NAME, (5 << 30) + 1)


MEMORY = """
import json, sys
from pathlib import Path
from dmail_runner.declare.object_route import S3Route
from dmail_runner.ship.interface import Content
from dmail_runner.ship.object_store import object_store

def peak():
    return int(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))) << 10

place, size, file = S3Route.model_validate(json.loads(sys.argv[1])), int(sys.argv[2]), Path(sys.argv[3])
before = peak()
with object_store(place) as store:
    store.write("large", Content(file, size, lambda _: None, lambda: None))
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


def test_every_upload_has_a_checksum(moto: int, s3: Any) -> None:
    """A bucket with object lock demands it. moto asks for another header there, which S3 does not need."""
    puts: list[bytes] = []

    def note(head: bytes) -> None:
        if head.startswith(b"PUT") and b"x-amz-copy-source" not in head.lower():
            puts.append(head.lower())

    with between(moto, Wire(note)) as port:
        for size in (SMALL, LARGE):
            create(own_s3(port), bytes_of(size), str(size))
    assert len(puts) > 3
    assert all(b"x-amz-checksum-sha256: " in head for head in puts)


@pytest.mark.parametrize(("kind", "size"), [("versions", SMALL), ("versions", LARGE), ("object lock", LARGE)])
def test_a_bucket_that_forgets_nothing(moto: int, kind: str, size: int) -> None:
    """What the provider has fetched and removed is there as an old version. Its name is free, and is given once."""
    kept = bucket(moto, f"kept-{kind.replace(' ', '-')}-{size}")
    if kind == "versions":
        kept.create()
        kept.Versioning().enable()
    else:
        kept.create(ObjectLockEnabledForBucket=True)
        rule = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}}
        kept.meta.client.put_object_lock_configuration(Bucket=kept.name, ObjectLockConfiguration=rule)
    route = own_s3(moto, bucket=kept.name)
    create(route, bytes_of(size))
    assert names(route) == [f"acme/in/{NAME}"]
    with pytest.raises(Held, match="exists already, with other content"):
        create(route, bytes_of(size, 1))
    with object_store(route) as store:
        assert store.remove(NAME)
    create(route, bytes_of(size, 1))
    assert there(route) == bytes_of(size, 1)
    assert names(route) == [f"acme/in/{NAME}"]
