"""SSH sessions, by paramiko: a pinned host key, modern algorithms, and a time-out at every stage."""

import base64
import hashlib
import io
import logging
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)
from paramiko.channel import Channel

from dmail_runner.core.errors import DeliveryError
from dmail_runner.declare.route import Login, SftpRoute
from dmail_runner.ship.answers import Lost

# What goes wrong is told once, by this module's errors.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

CIPHERS = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr")
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")


@contextmanager
def session(route: SftpRoute) -> Iterator[paramiko.Transport]:
    """An authenticated session on the route's server, by its jump host where it has one. Raises DeliveryError, with the stage."""
    with ExitStack() as stack:
        if route.jump:
            jump = stack.enter_context(login(connect(route.jump, route.timeout), route.jump, route))
            with stage(server(route.jump), f"opening a way to {server(route)}"):
                wire: Channel | socket.socket = jump.open_channel(
                    "direct-tcpip", (route.host, route.port), ("127.0.0.1", 0), timeout=route.timeout
                )
                wire.settimeout(route.timeout)
        else:
            wire = connect(route, route.timeout)
        yield stack.enter_context(login(wire, route, route))


def connect(place: Login, timeout: float) -> socket.socket:
    """A connection that does not outlive its other end for long."""
    with stage(server(place), "connecting"):
        wire = socket.create_connection((place.host, place.port), timeout=timeout)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(timeout * 1000))
    return wire


@contextmanager
def login(wire: Channel | socket.socket, place: Login, route: SftpRoute) -> Iterator[paramiko.Transport]:
    """Shake hands, look at the host key, and only then say who we are."""
    key = private_key(place)
    name = server(place)
    with stage(name, "the SSH handshake"):
        transport = paramiko.Transport(wire)
    try:
        options = transport.get_security_options()
        options.ciphers = (*CIPHERS, *(old for old in route.allow_old if "cbc" in old))
        options.digests = (*MACS, *(old for old in route.allow_old if "hmac" in old))
        transport.banner_timeout = transport.handshake_timeout = route.timeout
        transport.auth_timeout = transport.channel_timeout = route.timeout
        with stage(name, "the SSH handshake"):
            transport.start_client(timeout=route.timeout)
            host_key = transport.get_remote_server_key()
        check_host_key(place, host_key, name)
        with stage(name, f"authentication as {place.user}"):
            authenticate(transport, place, key)
        yield transport
    finally:
        transport.close()


def authenticate(transport: paramiko.Transport, place: Login, key: paramiko.PKey | None) -> None:
    """By what the route gives, and by nothing else that may lie about on this machine."""
    if key:
        transport.auth_publickey(place.user, key)
    elif place.agent:
        keys = paramiko.Agent().get_keys()
        if not keys:
            raise paramiko.AuthenticationException("the SSH agent has no key, or none is running")
        for place_in_line, offered in enumerate(keys, start=1):
            try:
                transport.auth_publickey(place.user, offered)
                return
            except paramiko.AuthenticationException:
                if place_in_line == len(keys):
                    raise
    else:
        transport.auth_password(place.user, place.password.get_secret_value() if place.password else "", fallback=False)


def private_key(place: Login) -> paramiko.PKey | None:
    """The login's private key, OpenSSH's or PEM. Raises DeliveryError."""
    passphrase = place.passphrase.get_secret_value() if place.passphrase else None
    try:
        if place.private_key_base64:
            return key_of(base64.b64decode(place.private_key_base64.get_secret_value()), passphrase)
        if place.private_key is None:
            return None
        if stat.S_IMODE(place.private_key.stat().st_mode) & 0o077 and os.access(place.private_key, os.R_OK):
            raise DeliveryError(
                f"the private key {place.private_key} can be read by others", todo=f"chmod 600 {place.private_key}"
            )
        return key_of(place.private_key.read_bytes(), passphrase)
    except FileNotFoundError:
        raise DeliveryError(f"the private key {place.private_key} does not exist") from None
    except (paramiko.SSHException, UnsupportedAlgorithm, ValueError, TypeError, OSError) as error:
        where = place.private_key or "of `private_key_base64`"
        raise DeliveryError(
            f"the private key {where} cannot be read: {type(error).__name__}",
            todo="is it a private key, and is its passphrase right?",
        ) from None


def key_of(content: bytes, passphrase: str | None) -> paramiko.PKey:
    """A private key of whatever kind and form. Raises ValueError, TypeError or SSHException."""
    secret = passphrase.encode() if passphrase else None
    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in content else load_pem_private_key
    key: Any = load(content, secret)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    kinds: dict[type, Any] = {
        RSAPrivateKey: paramiko.RSAKey,
        EllipticCurvePrivateKey: paramiko.ECDSAKey,
        Ed25519PrivateKey: paramiko.Ed25519Key,
    }
    for kind, reader in kinds.items():
        if isinstance(key, kind):
            found: paramiko.PKey = reader.from_private_key(io.StringIO(text))
            return found
    raise ValueError("neither RSA, ECDSA nor Ed25519")


def server(place: Login) -> str:
    return f"{place.host}:{place.port}"


def fingerprint(key: paramiko.PKey) -> str:
    """As OpenSSH shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")


def fingerprints(host: str, port: int, timeout: float) -> Iterator[tuple[str, str]]:
    """Every host key that a server shows: its kind and its fingerprint. Nobody is logged in. Raises DeliveryError."""
    place = Login.model_construct(host=host, port=port)
    shown: set[str] = set()
    for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512"):
        wire = connect(place, timeout)
        try:
            transport = paramiko.Transport(wire)
            transport.get_security_options().key_types = (kind,)
            transport.start_client(timeout=timeout)
            key = transport.get_remote_server_key()
        except (paramiko.SSHException, EOFError, OSError):
            continue
        finally:
            wire.close()
        if fingerprint(key) not in shown:
            shown.add(fingerprint(key))
            yield key.get_name(), fingerprint(key)
    if not shown:
        raise DeliveryError(f"{host}:{port} shows no host key of a kind that is known: is it an SSH server?")


def check_host_key(place: Login, key: paramiko.PKey, name: str) -> None:
    """The server is one that was pinned. Raises DeliveryError before anything is said to it."""
    found = fingerprint(key)
    if found not in place.host_key:
        pinned = " or ".join(place.host_key)
        raise DeliveryError(
            f"{name}: its {key.get_name()} host key is {found}, but {pinned} is pinned: nothing was sent",
            todo="ask the provider whether they changed it, and only then change `host_key` in profiles/routes.yml",
        )


@contextmanager
def stage(name: str, doing: str) -> Iterator[None]:
    """Errors while a session is made, with the stage. What may pass is Lost."""
    try:
        yield
    except paramiko.AuthenticationException as error:
        raise DeliveryError(
            f"{name}: {doing} was refused: {error}", todo="check the route's user and its password or key"
        ) from None
    except paramiko.ssh_exception.IncompatiblePeer as error:
        todo = "ask the provider for a newer server; `allow_old` of the route may name an algorithm that it needs"
        raise DeliveryError(f"{name}: {doing} failed: {error}", todo=todo) from None
    except TimeoutError:
        raise Lost(f"{name}: no answer in time at {doing}") from None
    except socket.gaierror as error:
        raise Lost(f"{name}: {doing} failed: the name is not known: {error.strerror}") from None
    except paramiko.SFTPError as error:
        raise DeliveryError(f"{name}: {doing} failed: the server does not speak SFTP: {error}") from None
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise Lost(f"{name}: {doing} failed: {error or type(error).__name__}") from None
