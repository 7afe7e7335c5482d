"""SSH sessions, by the library paramiko: pinned host keys, modern algorithms, and a deadline for each stage."""

import base64
import hashlib
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import paramiko
from paramiko.channel import Channel

from dmail_runner.core.deadline import in_time
from dmail_runner.core.errors import DeliveryError
from dmail_runner.declare.route import Login, SftpRoute
from dmail_runner.ship.algorithms import Transport, quoted
from dmail_runner.ship.answers import Lost
from dmail_runner.ship.login import authenticate
from dmail_runner.ship.private_key import private_key
from dmail_runner.ship.refused import attempt
from dmail_runner.ship.watchdog import Watchdog

# Errors are reported by this module's exceptions, not by paramiko's log as well.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

HANDSHAKE = "the SSH handshake"
FOREVER = 1e9  # seconds. Turns paramiko's time-outs off, so that only the watchdog ends a session
Wire = Channel | socket.socket
Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]  # as socket.getaddrinfo returns them


@contextmanager
def session(route: SftpRoute) -> Iterator[Transport]:
    """An authenticated session on the route's server, through its jump host if it has one.

    Raises:
        DeliveryError: if the session cannot be opened. The message names the stage. Lost means that another try may succeed.
        Lost: if the server does not answer in time, at any stage.

    """
    with ExitStack() as stack:
        root = connect(route.jump or route, route.timeout)
        wire: Wire = root
        if route.jump:
            jump = stack.enter_context(login(root, root, route.jump, route))
            with stage(server(route.jump), f"opening a way to {server(route)}", jump.watchdog):
                wire = jump.open_channel("direct-tcpip", (route.host, route.port), ("127.0.0.1", 0))
        yield stack.enter_context(login(wire, root, route, route))


def connect(place: Login, timeout: float) -> socket.socket:
    """A connection that ends soon after its other end has. `timeout`: seconds for all addresses of the server together."""
    until = time.monotonic() + timeout
    with stage(server(place), "looking its address up"):
        addresses = look_up(place.host, place.port, timeout)
    with stage(server(place), "connecting"):
        for number, (family, _, _, _, address) in enumerate(addresses, start=1):
            wire = socket.socket(family, socket.SOCK_STREAM)
            wire.settimeout(max(0.001, until - time.monotonic()))
            try:
                wire.connect(address)
                break
            except OSError:
                wire.close()
                if number == len(addresses) or time.monotonic() >= until:
                    raise
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(timeout * 1000))
    return wire


def look_up(host: str, port: int, timeout: float) -> list[Address]:
    """The addresses of a host. Raises TimeoutError after `timeout` seconds, and socket.gaierror. The system has no time-out."""
    try:
        return in_time(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), timeout, "look-up")
    except ValueError:
        raise socket.gaierror(socket.EAI_NONAME, "it is not the name of a server") from None


@contextmanager
def login(wire: Wire, root: socket.socket, place: Login, route: SftpRoute) -> Iterator[Transport]:
    """Agree on keys, check the host key, and then log in. `root`: the socket below the session."""
    name = server(place)
    key = private_key(place)
    with handshake(wire, root, name, route.timeout) as transport:
        transport.restrict(route.allow_old)
        shake(transport, name)
        check_host_key(place, transport.get_remote_server_key(), name)
        with attempt(place, name):
            authenticate(transport, place, name, key)
        yield transport


@contextmanager
def handshake(wire: Wire, root: socket.socket, name: str, seconds: float) -> Iterator[Transport]:
    """A transport with a watchdog, before the handshake. If the watchdog ends the session, the error says so."""
    with ExitStack() as stack:
        stack.callback(wire.close)
        with stage(name, HANDSHAKE):
            transport = Transport(wire)
        transport.banner_timeout = transport.handshake_timeout = FOREVER
        transport.auth_timeout = transport.channel_timeout = FOREVER
        transport.watchdog = Watchdog(seconds, lambda: hang_up(root, transport))
        stack.callback(transport.watchdog.stop)
        stack.callback(close, transport)
        try:
            yield transport
        except Lost as error:
            if transport.watchdog.late and "no answer in time" not in error.what:
                raise Lost(f"{name}: no answer in time at {transport.watchdog.late}") from None
            raise


def shake(transport: Transport, name: str) -> None:
    """Agree on algorithms and keys. Raises DeliveryError. Without a common algorithm, it says what to ask the provider for."""
    try:
        with stage(name, HANDSHAKE, transport.watchdog):
            transport.start_client()
    except DeliveryError as error:
        if transport.watchdog.late:
            waited = "the key exchange" if transport.remote_version else "its version"
            raise Lost(f"{name}: no answer in time at {HANDSHAKE} ({waited})") from None
        if transport.farewell:
            raise Lost(f"{name}: {HANDSHAKE} failed: the server hung up: {transport.farewell}") from None
        asked = None if transport.remote_version else "is it an SSH server?"
        raise transport.disagreement(name) or Lost(error.what, todo=asked) from None


def hang_up(root: socket.socket, transport: Transport) -> None:
    """End a session, so that everything that waits for it, or for the SSH agent, fails."""
    for wire in filter(None, (root, transport.agent)):
        with suppress(OSError):
            wire.shutdown(socket.SHUT_RDWR)
    transport.packetizer.close()


def close(transport: Transport) -> None:
    with transport.watchdog.limit("closing the session"):
        transport.close()


def server(place: Login) -> str:
    return f"{place.host}:{place.port}"


def fingerprint(key: paramiko.PKey) -> str:
    """The fingerprint of a key in OpenSSH's format."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")


def check_host_key(place: Login, key: paramiko.PKey, name: str) -> None:
    """Check that the server has a pinned key. Raises DeliveryError before any secret is sent."""
    found = fingerprint(key)
    if found not in place.host_key:
        pinned = " or ".join(place.host_key)
        raise DeliveryError(
            f"{name}: its {key.get_name()} host key is {found}, but {pinned} is pinned: nothing was sent",
            todo="ask the provider whether they changed it, and only then change `host_key` in profiles/routes.yml",
        )


@contextmanager
def stage(name: str, doing: str, watchdog: Watchdog | None = None) -> Iterator[None]:
    """Raise errors while a session is opened as DeliveryErrors that name the stage. Lost means that another try may succeed."""
    with ExitStack() as stack:
        if watchdog:
            stack.enter_context(watchdog.limit(doing))
        try:
            yield
        except TimeoutError:
            raise Lost(f"{name}: no answer in time at {doing}") from None
        except socket.gaierror as error:
            raise Lost(f"{name}: {doing} failed: the name is not known: {error.strerror}") from None
        except (paramiko.SSHException, OSError, EOFError) as error:
            text = getattr(error, "strerror", None) or str(error)
            raise Lost(f"{name}: {doing} failed: {quoted(text) or type(error).__name__}") from None
