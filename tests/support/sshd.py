"""OpenSSH's own server on loopback, for tests and for the benchmark."""

import base64
import getpass
import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sshd:
    """A running server; `root` is the folder that its users see, `key` logs in as `user`."""

    port: int
    root: Path
    user: str
    key: Path
    fingerprint: str
    log: Path


def make_key(path: Path) -> str:
    """Make a key pair; the public key's fingerprint."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    blob = base64.b64decode(path.with_suffix(".pub").read_text().split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def serve(
    folder: Path, *, root: Path | None = None, sftp_options: str = "", settings: str = "", subsystem: str = ""
) -> Iterator[Sshd]:
    """Run sshd with its keys and log in `folder`; its users start in `root`, by default a folder in it."""
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    root = root or folder / "root"
    root.mkdir(exist_ok=True)
    fingerprint = make_key(folder / "host_key")
    make_key(folder / "user_key")
    (folder / "authorized_keys").write_text((folder / "user_key.pub").read_text())
    port = free_port()
    (folder / "config").write_text(
        f"""
        Port {port}
        ListenAddress 127.0.0.1
        HostKey {folder}/host_key
        PidFile {folder}/pid
        AuthorizedKeysFile {folder}/authorized_keys
        StrictModes no
        UsePAM no
        PermitRootLogin yes
        Subsystem sftp {subsystem or f"internal-sftp -d {root} {sftp_options}"}
        LogLevel VERBOSE
        {settings}
        """
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    log = folder / "log"
    process = subprocess.Popen([program, "-D", "-f", str(folder / "config"), "-E", str(log)])
    try:
        wait_for(port, process)
        yield Sshd(port, root, getpass.getuser(), folder / "user_key", fingerprint, log)
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until sshd answers. It has no deadline: sshd answers or ends."""
    while not answers(port, process):
        time.sleep(0.05)


def answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"sshd ended with {process.returncode}")
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
        return True
    return False
