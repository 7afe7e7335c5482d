"""Encrypting and shipping one large file, compared with gpg, OpenSSH's sftp and boto3.

Targets: sealing at gpg's rate; SFTP at 0.9 times OpenSSH's, also with 100 ms of latency; S3 within 1.2 times boto3; under 150 MB.
"""

import hashlib
import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from tests.support.sshd import free_port, serve

from bench.measure import measure

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"

SEND = """
import sys, json
from pathlib import Path
from pydantic import TypeAdapter
from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare.route import Route
from dmail_runner.ledger.intents import Intents
from dmail_runner.ship import DeliveryCallbacks, ship
route = TypeAdapter(Route).validate_python(json.loads(sys.argv[1]))
path, size, digest = Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
part = Spooled(Part(1, "ours.bin", 1, size, digest, "r"), path)
ship([part], route, DeliveryCallbacks(lambda _: Intents(), lambda *_: None))
"""
SEAL = """
import sys, json
from pathlib import Path
from dmail_runner.declare.encryption import Encryption
from dmail_runner.extract.seal import Sealer
sealer = Sealer(Path(sys.argv[1]), Encryption.model_validate(json.loads(sys.argv[2])), Path(sys.argv[3]))
with open(sys.argv[4], "rb") as file:
    while block := file.read(1 << 20):
        sealer.write(block)
sealer.end()
sealer.finish()
"""
BOTO = """
import sys, boto3
from botocore.config import Config
client = boto3.client("s3", endpoint_url=sys.argv[1], aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1",
    config=Config(s3={"addressing_style": "path"}))
client.upload_file(sys.argv[2], "letters", "theirs.bin")
"""


def best(tries: int, steps: dict[str, Callable[[], list[str]]], clean: Callable[[], None]) -> dict[str, tuple[float, int]]:
    """The shortest wall time and the peak memory of each command. The commands run in turns."""
    found = {name: (float("inf"), 0) for name in steps}
    for _ in range(tries):
        for name, command in steps.items():
            clean()
            cost = measure(command())
            found[name] = min(found[name], (cost.wall, cost.peak))
    return found


def sealing(folder: Path, file: Path, tries: int) -> dict[str, tuple[float, int]]:
    """The runner's encrypting process and gpg, to a key of gpg."""
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    os.environ["GNUPGHOME"] = str(home)
    gpg = ["gpg", "--batch", "--yes", "--passphrase", "", "--pinentry-mode", "loopback", "--trust-model", "always"]
    subprocess.run([*gpg, "--quick-generate-key", "Acme <acme@example.com>"], check=True, capture_output=True)
    listed = subprocess.run([*gpg, "--with-colons", "--fingerprint"], check=True, capture_output=True, text=True).stdout
    fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
    (folder / "acme.asc").write_bytes(subprocess.run([*gpg, "--export"], check=True, capture_output=True).stdout)
    order = json.dumps({"keys": [{"file": "acme.asc", "fingerprint": fingerprint}]})
    sealed = folder / "sealed.pgp"
    steps: dict[str, Callable[[], list[str]]] = {
        "theirs": lambda: [*gpg, "--compress-algo", "none", "-r", fingerprint, "-o", str(sealed), "--encrypt", str(file)],
        "ours": lambda: [sys.executable, "-c", SEAL, str(sealed), order, str(folder), str(file)],
    }
    return best(tries, steps, lambda: sealed.unlink(missing_ok=True))


def sftp(folder: Path, file: Path, tries: int, seconds: float = 0) -> dict[str, tuple[float, int]]:
    """The runner's SFTP and OpenSSH's, with the same cipher, to one sshd. `seconds`: the latency in each direction."""
    with serve(folder / "sshd") as server, latency(server.port, seconds) if seconds else nullcontext(server.port) as port:
        entry = {"type": "sftp", "host": "127.0.0.1", "port": port, "user": server.user, "private_key": str(server.key)}
        entry |= {"host_key": server.fingerprint, "directory": str(server.root), "verify": "size"}
        batch = folder / "batch"
        batch.write_text(f"put {file} {server.root}/theirs.bin\n")
        options = ["-q", "-b", str(batch), "-P", str(port), "-i", str(server.key), "-c", "aes256-gcm@openssh.com"]
        trust = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes"]
        steps: dict[str, Callable[[], list[str]]] = {
            "theirs": lambda: ["sftp", *options, *trust, f"{server.user}@127.0.0.1"],
            "ours": lambda: sending(entry, file),
        }
        return best(tries, steps, lambda: clean(server.root))


def s3(folder: Path, file: Path, tries: int) -> dict[str, tuple[float, int]]:
    """The runner's S3 upload and boto3's managed upload, to moto's server."""
    port = free_port()
    log = (folder / "moto.log").open("wb")
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=log, stderr=log)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        keys: dict[str, Any] = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        bucket = boto3.resource("s3", endpoint_url=endpoint, **keys).Bucket("letters")
        for _ in range(100):
            with suppress(Exception):
                bucket.create()
                break
            time.sleep(0.2)
        entry = {"type": "s3", "bucket": "letters", "endpoint": endpoint, "allow_http": True}
        entry |= {"access_key_id": "a", "secret_access_key": "b"}
        steps: dict[str, Callable[[], list[str]]] = {
            "theirs": lambda: [sys.executable, "-c", BOTO, endpoint, str(file)],
            "ours": lambda: sending(entry, file),
        }
        return best(tries, steps, lambda: bucket.objects.all().delete())
    finally:
        server.kill()
        server.wait()


def sending(entry: dict[str, Any], file: Path) -> list[str]:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return [sys.executable, "-c", SEND, json.dumps(entry), str(file), str(file.stat().st_size), digest]


def clean(root: Path) -> None:
    for path in root.iterdir():
        path.unlink()


@contextmanager
def latency(port: int, seconds: float) -> Iterator[int]:
    """A proxy to a port of this machine with a latency in each direction."""
    listener = socket.create_server(("127.0.0.1", 0))

    def hold(source: socket.socket, line: "queue.Queue[tuple[float, bytes]]") -> None:
        with suppress(OSError):
            while chunk := source.recv(1 << 20):
                line.put((time.monotonic() + seconds, chunk))
        line.put((0, b""))

    def release(target: socket.socket, line: "queue.Queue[tuple[float, bytes]]") -> None:
        with suppress(OSError):
            while chunk := (held := line.get())[1]:
                time.sleep(max(0, held[0] - time.monotonic()))
                target.sendall(chunk)
            target.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", port))
                for source, target in ((client, server), (server, client)):
                    line: queue.Queue[tuple[float, bytes]] = queue.Queue()
                    threading.Thread(target=hold, args=(source, line), daemon=True).start()
                    threading.Thread(target=release, args=(target, line), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def main(
    megabytes: Annotated[int, typer.Option(help="The file's size.")] = 1000,
    tries: Annotated[int, typer.Option(help="The number of tries. The best one counts.")] = 3,
) -> None:
    """Measure, print, and write the table to bench/results."""
    with tempfile.TemporaryDirectory(prefix="ship") as name:
        folder = Path(name)
        file, small = folder / "file", folder / "small"
        block = os.urandom(1_000_000)
        file.write_bytes(b"")
        with file.open("ab") as target:
            for _ in range(megabytes):
                target.write(block)
        small.write_bytes(block * max(1, megabytes // 5))
        looks: dict[str, tuple[Path, dict[str, tuple[float, int]]]] = {
            "sealing, gpg": (file, sealing(folder, file, tries)),
            "SFTP, OpenSSH's sftp": (file, sftp(folder / "a", file, tries)),
            "SFTP at 100 ms, OpenSSH's sftp": (small, sftp(folder / "b", small, tries, 0.05)),
            "S3, boto3": (small, s3(folder, small, tries)),
        }
        report(looks, tries)


def report(looks: dict[str, tuple[Path, dict[str, tuple[float, int]]]], tries: int) -> None:
    names = "operation, and other program | MB | other, s | runner, s | rate | memory, MB"
    lines, found = [f"| {names} |\n|{' --- |' * 6}"], {}
    for what, (file, took) in looks.items():
        size, (theirs, _), (ours, peak) = file.stat().st_size, took["theirs"], took["ours"]
        found[what] = {"bytes": size, "theirs": theirs, "ours": ours, "rate": theirs / ours, "peak": peak}
        lines.append(f"| {what} | {size / 1e6:,.0f} | {theirs:.2f} | {ours:.2f} | {theirs / ours:.2f} | {peak / 1e6:,.0f} |")
    typer.echo("\n".join(lines))
    (RESULTS / "shipping.json").write_text(json.dumps(found, indent=2) + "\n")
    text = f"# Encrypting and shipping, best of {tries}\n\nRate: 1 is as fast as the other program. Memory: all processes.\n\n"
    (RESULTS / "shipping.md").write_text(text + "\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
