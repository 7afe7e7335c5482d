"""Creating an object by the runner and by boto3's upload_file, on a local S3 server: seconds and their ratio.

    python -m bench.object_store [MEGABYTES]

The runner uploads, and then copies within the store so that nothing is overwritten. Only the upload can be compared, because the
server alone does the copy, and this server does it in Python.
"""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
from tests.support.sshd import free_port

from dmail_runner.declare.object_route import S3Route
from dmail_runner.ship.interface import Content
from dmail_runner.ship.object_store import object_store

KEYS = {"access_key_id": "bench", "secret_access_key": "bench"}


@contextmanager
def server() -> Iterator[str]:
    """The address of an S3 server within the context."""
    port = free_port()
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def client(address: str) -> Any:
    keys = {f"aws_{name}": value for name, value in KEYS.items()}
    return boto3.client("s3", endpoint_url=address, region_name="us-east-1", **keys)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    size = int(sys.argv[1] if len(sys.argv) > 1 else 1000) * 1_000_000
    with tempfile.TemporaryDirectory() as folder, server() as address:
        file = Path(folder, "file")
        with file.open("wb") as content:
            content.truncate(size)
        boto = client(address)
        boto.create_bucket(Bucket="bench")
        route = S3Route.model_validate({"type": "s3", "bucket": "bench", "endpoint": address, "allow_http": True, **KEYS})
        with object_store(route) as store:
            upload = timed(lambda: store.write("ours.part", Content(file, size, lambda _: None, lambda: None)))
            copy = timed(lambda: store.publish("ours.part", "ours", None))
        for name in ("ours", "ours.part"):
            boto.delete_object(Bucket="bench", Key=name)
        theirs = timed(lambda: boto.upload_file(str(file), "bench", "theirs"))
    for name, seconds in {"upload and copy": upload + copy, "its upload": upload, "upload_file": theirs}.items():
        print(f"{name:16}{seconds:7.1f} s  {size / seconds / 1e6:6.1f} MB/s  ratio {seconds / theirs:.2f}")


if __name__ == "__main__":
    main()
