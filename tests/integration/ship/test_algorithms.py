"""Servers with old algorithms: what they show, and what to ask their provider for."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deliveries import sftp_route
from dmail_runner.core.errors import DeliveryError
from dmail_runner.declare.route import SftpRoute
from dmail_runner.ship.host_keys import fingerprints
from dmail_runner.ship.refused import LoginRefused
from dmail_runner.ship.ssh import session
from login_server import login_server
from sshd import Sshd, serve


@contextmanager
def old_server(folder: Path, settings: str) -> Iterator[tuple[Sshd, str]]:
    """An OpenSSH server with an RSA host key besides its own one; that key's fingerprint."""
    folder.mkdir(mode=0o700)
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "3072", "-N", "", "-f", folder / "rsa"], check=True)
    shown = subprocess.run(["ssh-keygen", "-lf", folder / "rsa"], check=True, capture_output=True, text=True).stdout
    with serve(folder, settings=f"HostKey {folder}/rsa\n{settings}") as server:
        yield server, shown.split()[1]


@pytest.mark.parametrize("algorithm", ["rsa-sha2-256", "rsa-sha2-512", "rsa-sha2-512,rsa-sha2-256"])
def test_a_server_with_one_rsa_signature_shows_its_key(tmp_path: Path, algorithm: str) -> None:
    with old_server(tmp_path / "sshd", f"HostKeyAlgorithms {algorithm}") as (server, rsa):
        assert list(fingerprints("127.0.0.1", server.port, 5)) == [("ssh-rsa", rsa)]
        with session(sftp_route(server, host_key=rsa)) as transport:
            assert transport.is_authenticated()


def test_each_key_is_shown_once_whatever_the_ciphers(tmp_path: Path) -> None:
    with old_server(tmp_path / "sshd", "Ciphers aes128-cbc\nMACs hmac-sha1") as (server, rsa):
        found = dict(fingerprints("127.0.0.1", server.port, 5))
        assert found == {"ssh-ed25519": server.fingerprint, "ssh-rsa": rsa}


@pytest.mark.parametrize(
    ("settings", "what", "todo"),
    [
        ("HostKeyAlgorithms ssh-rsa", r"offers ssh-rsa \(ssh-rsa rests on SHA-1", "rsa-sha2-256 for the RSA key that it has"),
        (
            "KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
            r"\(diffie-hellman-group14-sha1, diffie-hellman-group1-sha1 rest on SHA-1, which can be forged, and cannot be allowed\)",
            "ask the provider to enable curve25519-sha256",
        ),
        ("Ciphers 3des-cbc", "no cipher algorithm that is supported: it offers 3des-cbc", r"allow_old: \[3des-cbc\]"),
        ("Ciphers aes128-ctr\nMACs hmac-sha1", "no MAC algorithm that is supported: it offers hmac-sha1", r"allow_old: \[hmac-sha1\]"),
        ("Ciphers chacha20-poly1305@openssh.com", "no cipher algorithm that is supported", "enable aes256-gcm"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_named_with_what_to_ask_for(tmp_path: Path, settings: str, what: str, todo: str) -> None:
    with old_server(tmp_path / "sshd", settings) as (server, rsa):
        with pytest.raises(DeliveryError, match=f"(?s){what}.*-> .*{todo}"), session(sftp_route(server, host_key=rsa)):
            pass
        if "Ciphers" not in settings:
            with pytest.raises(DeliveryError, match=f"(?s){what}.*-> .*{todo}"):
                list(fingerprints("127.0.0.1", server.port, 5))


def test_the_standard_name_of_a_key_exchange_is_known(tmp_path: Path) -> None:
    with (
        old_server(tmp_path / "sshd", "KexAlgorithms curve25519-sha256") as (server, _),
        session(sftp_route(server)) as transport,
    ):
        assert transport.is_authenticated()


def test_a_server_that_takes_rsa_keys_with_sha1_only(tmp_path: Path) -> None:
    with old_server(tmp_path / "sshd", "PubkeyAcceptedAlgorithms ssh-rsa") as (server, _):
        key = tmp_path / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "3072", "-N", "", "-f", key], check=True)
        (tmp_path / "sshd/authorized_keys").write_bytes(key.with_suffix(".pub").read_bytes())
        with (
            pytest.raises(
                LoginRefused, match=r"(?s)refused; it is an RSA key.*with SHA-1 only.*rsa-sha2-256 signatures, or .* Ed25519 key"
            ),
            session(sftp_route(server, private_key=key)),
        ):
            pass


def test_a_server_that_says_that_it_takes_no_rsa_keys_with_sha2(tmp_path: Path) -> None:
    """It has not refused anything: no signature was made."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "3072", "-N", "", "-f", key], check=True)
    no_sha2 = {"pubkeys": ["rsa-sha2-256", "rsa-sha2-512"]}
    with (
        login_server(wants=(("publickey",),), disabled=no_sha2) as server,
        pytest.raises(LoginRefused, match=r"is not possible: the server accepts RSA keys with SHA-1 only"),
        session(SftpRoute.model_validate(server.login | {"private_key": key})),
    ):
        pass


def test_no_ssh_server() -> None:
    with pytest.raises(DeliveryError, match="connecting failed"):
        list(fingerprints("127.0.0.1", 1, 5))
