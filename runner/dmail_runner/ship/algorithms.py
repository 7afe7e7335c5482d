"""The algorithms of SSH sessions: which ones the client offers, and what to ask a provider whose server supports none of them."""

import re
import socket
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, get_args

import paramiko
from paramiko.message import Message

from dmail_runner.core.errors import DeliveryError
from dmail_runner.declare.route import Old
from dmail_runner.ship.lenient import lenient
from dmail_runner.ship.watchdog import Watchdog

CIPHERS = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr")
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
HOST_KEYS = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256",
)  # fmt: skip
# The lists of SSH's KEXINIT message, by paramiko's names: the usual name of each, and what to ask a provider for.
LISTS = {
    "kex_algo_list": ("key exchange", "curve25519-sha256, ecdh-sha2-nistp256 or diffie-hellman-group14-sha256"),
    "server_key_algo_list": ("host key", "an Ed25519 host key, or rsa-sha2-256 for the RSA key that it has"),
    "server_encrypt_algo_list": ("cipher", "aes256-gcm@openssh.com or aes256-ctr"),
    "server_mac_algo_list": ("MAC", "hmac-sha2-256"),
    "server_compress_algo_list": ("compression", "no compression (none)"),
}
# paramiko knows this algorithm by its older name only.
RFC_8731 = "curve25519-sha256"
PARAMIKO: Any = paramiko.Transport


class Transport(paramiko.Transport):
    """paramiko's transport, with a record of what the server sent.

    Attributes:
        watchdog: limits the time of each stage.
        server_extensions: the extensions that the server announced (set by paramiko).
        offered: the algorithms that the server supports, by the names of paramiko's lists.
        farewell: the message with which the server disconnected.
        agent: the connection to the SSH agent that the login uses; None if it uses none.

    """

    _kex_info: ClassVar[dict[str, Any]] = PARAMIKO._kex_info | {RFC_8731: PARAMIKO._kex_info[f"{RFC_8731}@libssh.org"]}
    _preferred_kex = (RFC_8731, *PARAMIKO._preferred_kex)

    watchdog: Watchdog
    server_extensions: Mapping[str, bytes]
    offered: Mapping[str, list[str]] | None = None
    farewell = ""
    agent: socket.socket | None = None

    def __init__(self, wire: Any) -> None:
        super().__init__(wire)
        packets: Any = self.packetizer
        read = packets.read_message

        def read_message() -> tuple[int, Message]:
            kind, message = read()
            return kind, lenient(message)

        packets.read_message = read_message

    def _parse_kex_init(self, message: Message) -> None:
        start = message.packet.tell()
        self.offered = PARAMIKO._really_parse_kex_init(self, message)
        message.packet.seek(start)
        PARAMIKO._parse_kex_init(self, message)

    def _parse_disconnect(self, message: Message) -> None:
        start = message.packet.tell()
        message.get_int()
        self.farewell = quoted(message.get_text())
        message.packet.seek(start)
        PARAMIKO._parse_disconnect(self, message)

    def restrict(self, allow_old: tuple[Old, ...] = (), host_keys: tuple[str, ...] = HOST_KEYS) -> None:
        """Offer the safe algorithms, and those of `allow_old`."""
        options = self.get_security_options()
        options.ciphers = (*CIPHERS, *(old for old in allow_old if "cbc" in old))
        options.digests = (*MACS, *(old for old in allow_old if "hmac" in old))
        options.key_types = host_keys

    def ours(self, which: str) -> tuple[str, ...]:
        """The algorithms of a list that the client offers."""
        options = self.get_security_options()
        names = {
            "kex_algo_list": options.kex,
            "server_key_algo_list": options.key_types,
            "server_encrypt_algo_list": options.ciphers,
            "server_mac_algo_list": options.digests,
            "server_compress_algo_list": options.compression,
        }
        return tuple(names[which])

    def disagreement(self, server: str) -> DeliveryError | None:
        """The error for a server without a common algorithm, with what to ask the provider for. None if there is none missing."""
        for which, (what, wanted) in LISTS.items():
            if self.offered and not set(self.offered[which]) & set(self.ours(which)):
                theirs = self.offered[which]
                said = f"{server}: the server offers no {what} algorithm that is supported: it offers {listed(theirs)}"
                return DeliveryError(said + sha1(theirs), todo=todo(theirs, wanted))
        return None


def todo(theirs: list[str], wanted: str) -> str:
    """The advice for a server that offers only these algorithms."""
    asked = f"ask the provider to enable {wanted}"
    old = [name for name in get_args(Old) if name in theirs]
    return f"{asked}; until then, `allow_old: [{old[0]}]` in the route allows what the server has" if old else asked


def sha1(theirs: list[str]) -> str:
    """The note for a message about algorithms that use SHA-1."""
    old = list(names_with_sha1(theirs))
    if not old:
        return ""
    return f" ({listed(old)} {'rests' if len(old) == 1 else 'rest'} on SHA-1, which can be forged, and cannot be allowed)"


def names_with_sha1(names: list[str]) -> Iterator[str]:
    """The algorithms that use SHA-1 and that no option of a route allows."""
    return (name for name in names if (name.endswith("-sha1") or name in ("ssh-rsa", "ssh-dss")) and name not in get_args(Old))


def listed(names: list[str]) -> str:
    """The first eight names that a server sent, as text."""
    shown = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
    return quoted(shown) or "none"


def quoted(text: str) -> str:
    """A server's text for a message: one line of at most 300 ASCII characters."""
    return " ".join(re.sub(r"[^\x20-\x7e\s]", "?", text).split())[:300]
