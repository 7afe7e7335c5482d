"""How a route logs in to an SFTP server."""

import base64
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from deliveries import CONTENT, NAME, send, sftp_route
from dmail_runner.core.errors import ConfigError, DeliveryError
from dmail_runner.core.values import Spooled
from dmail_runner.core.yaml import parse
from dmail_runner.declare.route import Route
from sshd import Sshd, make_key, serve
from wire import OTHER

# Who we are, and who they are.


def test_while_a_host_key_changes_both_are_known(spooled: Spooled, sshd: Sshd) -> None:
    send(spooled, sftp_route(sshd, host_key=[OTHER, sshd.fingerprint]))
    assert (sshd.root / NAME).read_bytes() == CONTENT
    with pytest.raises(
        DeliveryError, match=f"its ssh-ed25519 host key is {sshd.fingerprint.replace('+', '.')}, but {OTHER} is pinned"
    ):
        send(spooled, sftp_route(sshd, host_key=[OTHER]))
    with pytest.raises(ConfigError, match="at most 2 items"):
        parse(Route, {"type": "sftp", "host": "h", "user": "u", "password": "p", "host_key": [OTHER] * 3}, "r.yml", "acme")


def test_an_old_server_needs_an_exception(spooled: Spooled, tmp_path: Path) -> None:
    with serve(tmp_path / "sshd", settings="Ciphers aes128-cbc\nMACs hmac-sha1") as server:
        with pytest.raises(
            DeliveryError, match=r"no cipher algorithm that is supported: it offers aes128-cbc\n.*allow_old: \[aes128-cbc\]"
        ):
            send(spooled, sftp_route(server))
        send(spooled, sftp_route(server, allow_old=["aes128-cbc", "hmac-sha1"]))
        assert (server.root / NAME).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("kind", "options"),
    [("ed25519", []), ("rsa", ["-b", "3072", "-m", "PEM"]), ("rsa", ["-b", "3072"]), ("ecdsa", []), ("ecdsa", ["-m", "PKCS8"])],
)
@pytest.mark.parametrize("passphrase", ["", "pass canary"])
def test_any_kind_of_private_key(spooled: Spooled, sshd: Sshd, kind: str, options: list[str], passphrase: str) -> None:
    tmp_path = spooled.path.parent
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *options, "-N", passphrase, "-f", key], check=True)
    with (sshd.key.parent / "authorized_keys").open("a") as file:
        file.write(key.with_suffix(".pub").read_text())
    given: dict[str, Any] = {"passphrase": passphrase} if passphrase else {}
    send(spooled, sftp_route(sshd, private_key=key, **given))
    text = base64.b64encode(key.read_bytes()).decode()
    assert send(spooled, sftp_route(sshd, private_key=None, private_key_base64=text, **given)).adopted
    if passphrase:
        with pytest.raises(DeliveryError, match="is its passphrase right") as refused:
            send(spooled, sftp_route(sshd, private_key=key, passphrase="wrong canary"))
        assert "canary" not in str(refused.value)


def test_a_private_key_that_others_can_read_is_not_used(spooled: Spooled, sshd: Sshd) -> None:
    sshd.key.chmod(0o644)
    with pytest.raises(DeliveryError, match="can be read by others"):
        send(spooled, sftp_route(sshd))


def test_the_agent_is_asked_only_where_the_route_says_so(
    spooled: Spooled, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_key(tmp_path / "stranger")
    place = Path(tempfile.gettempdir(), f"agent-{os.getpid()}")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.DEVNULL)
    try:
        while not place.exists():
            time.sleep(0.05)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        with pytest.raises(DeliveryError, match="the SSH agent has no key"):
            send(spooled, sftp_route(sshd, private_key=None, agent=True))
        for key in (tmp_path / "stranger", sshd.key):
            subprocess.run(["ssh-add", "-q", key], check=True)
        send(spooled, sftp_route(sshd, private_key=None, agent=True))
        with pytest.raises(DeliveryError, match="authentication as"):
            send(spooled, sftp_route(sshd, private_key=tmp_path / "stranger"))
    finally:
        agent.terminate()
        agent.wait()


def test_a_server_behind_another(spooled: Spooled, sshd: Sshd, tmp_path: Path) -> None:
    with serve(tmp_path / "gate") as gate:
        jump = {"host": "127.0.0.1", "port": gate.port, "user": gate.user, "private_key": gate.key, "host_key": gate.fingerprint}
        send(spooled, sftp_route(sshd, jump=jump))
        assert (sshd.root / NAME).read_bytes() == CONTENT
        assert "direct-tcpip" in gate.log.read_text() or "Connection from" in gate.log.read_text()
        with pytest.raises(DeliveryError, match=f"127.0.0.1:{gate.port}: its ssh-ed25519 host key"):
            send(spooled, sftp_route(sshd, jump=jump | {"host_key": OTHER}))
