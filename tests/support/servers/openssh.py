"""OpenSSH's own server, in many settings."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers.server import Server
from sshd import serve

CACHE = Path(__file__).parents[3] / ".pytest_cache"
SFTP_SERVERS = (
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
    "/usr/libexec/sftp-server",
)


def sftp_server() -> str:
    """The path of OpenSSH's sftp-server."""
    return next(path for path in SFTP_SERVERS if Path(path).exists())


def odd_calls() -> Path:
    """The library of odd_calls.c, compiled once."""
    source = Path(__file__).with_name("odd_calls.c")
    built = CACHE / f"odd_calls-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}.so"
    if not built.exists():
        CACHE.mkdir(exist_ok=True)
        half = built.with_suffix(f".{os.getpid()}")
        subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", half, source, "-ldl"], check=True)
        half.replace(built)
    return built


def odd_sftp_server(words: str, taken: Path, options: str = "") -> str:
    """The command of an sftp-server that behaves as the words of odd_calls.c say."""
    taken.mkdir(parents=True, exist_ok=True)
    return f"/usr/bin/env LD_PRELOAD={odd_calls()} ODD={words} TAKEN={taken} {sftp_server()} {options}"


@contextmanager
def serve_openssh(folder: Path, subsystem: str) -> Iterator[Server]:
    """Run sshd with its keys and log in `folder`; `subsystem` answers for SFTP."""
    with serve(folder, subsystem=subsystem) as sshd:
        login = {"host": "127.0.0.1", "port": sshd.port, "user": sshd.user, "private_key": str(sshd.key)}
        yield Server({**login, "host_key": sshd.fingerprint}, sshd.root, str(sshd.root))
