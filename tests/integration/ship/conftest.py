"""Fixtures that tests of this folder share."""

import hashlib
import json
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from deliveries import CONTENT, NAME
from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare import object_route
from dmail_runner.declare.object_route import AzureRoute
from sshd import free_port
from stores import ACCOUNT, KEY, MOTO, Gcs, Server, bucket, make_container, own_azure, own_s3, running


@pytest.fixture(scope="module")
def moto() -> Iterator[int]:
    port = free_port()
    with running([sys.executable, "-c", MOTO, str(port)], port):
        yield port


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
        route = AzureRoute(type="azure", container="letters", connection_string=text, allow_http=True, timeout=30)
        make_container(endpoint)
        yield route


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


@pytest.fixture
def spooled(tmp_path: Path) -> Spooled:
    path = tmp_path / "spooled"
    path.write_bytes(CONTENT)
    return Spooled(Part(1, NAME, 1, len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), "r"), path)
