"""Lists a server's host keys, so that a person can compare them with the provider's statement."""

from collections.abc import Iterator
from typing import get_args

import paramiko

from dmail_runner.declare.route import Login, Old
from dmail_runner.ship.algorithms import HOST_KEYS, Transport
from dmail_runner.ship.ssh import connect, fingerprint, handshake, server, shake


def fingerprints(host: str, port: int, timeout: float) -> Iterator[tuple[str, str]]:
    """The kind and the fingerprint of each host key of a server. It does not log in. Raises DeliveryError."""
    place = Login.model_construct(host=host, port=port)
    key, offered = shown(place, timeout, HOST_KEYS)
    yield key.get_name(), fingerprint(key)
    found = {fingerprint(key)}
    for kind in HOST_KEYS:
        # Each further key needs a connection. An RSA key has two names, and the first key is known already.
        if kind in offered and family(kind) != family(key.get_name()):
            key, _ = shown(place, timeout, (kind,))
            if fingerprint(key) not in found:
                found.add(fingerprint(key))
                yield key.get_name(), fingerprint(key)


def family(kind: str) -> str:
    """The kind of key that an algorithm needs. Two algorithms use RSA keys."""
    return "rsa" if "rsa" in kind.split("-") else kind


def shown(place: Login, timeout: float, kinds: tuple[str, ...]) -> tuple[paramiko.PKey, list[str]]:
    """The host key that the server chooses among these kinds, and all kinds that it has."""
    wire = connect(place, timeout)
    with handshake(wire, wire, server(place), timeout) as transport:
        # Old ciphers do no harm here, because no secret is sent.
        transport.restrict(get_args(Old), kinds)
        shake(transport, server(place))
        return transport.get_remote_server_key(), kinds_of(transport)


def kinds_of(transport: Transport) -> list[str]:
    return list(transport.offered["server_key_algo_list"]) if transport.offered else []
