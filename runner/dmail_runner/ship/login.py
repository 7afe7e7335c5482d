"""Logs in to an SSH server with the credentials of a route, in as few attempts as possible."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import paramiko
from paramiko.ssh_exception import BadAuthenticationType

from dmail_runner.core.errors import DeliveryError
from dmail_runner.core.redact import register_secret
from dmail_runner.declare.route import Login
from dmail_runner.ship.agent import agent_keys
from dmail_runner.ship.algorithms import Transport, quoted
from dmail_runner.ship.answers import Lost
from dmail_runner.ship.refused import HungUp, LoginRefused

AGENT_KEYS = 5  # the number of an agent's keys that are tried: OpenSSH disconnects at the sixth
CODE_SECONDS = 30.0  # the time limit of the command for a one-time code
# Identify a server's question by its words.
NEW_PASSWORD = re.compile(r"(?i)new password|change (your|the) password|password (has )?expired|retype")
CODE = re.compile(r"(?i)code|token|otp\b|one.?time|2fa|factor|\bpin\b|challenge|verification")
# The methods of SSH, and the options of a route for each.
PUBLIC_KEY, PASSWORD, INTERACTIVE = "publickey", "password", "keyboard-interactive"
GIVES = {
    PUBLIC_KEY: "a key (`private_key`, `private_key_base64` or `agent: true`)",
    PASSWORD: "a password (`password`)",
    INTERACTIVE: "an answer to its questions (`password`, `one_time_code` or `one_time_code_command`)",
}
NO_SHA1 = "ask the provider to take rsa-sha2-256 signatures, or give the route an Ed25519 key"
EXPIRED = "set a new password at the provider, and put it into the route"
TODO = "check the route's user, and its password or key, with the provider"


class Secrets(NamedTuple):
    """The credentials of a login."""

    key: paramiko.PKey | None
    password: str | None
    code: str | None


@dataclass
class Answers:
    """Answers the questions of keyboard-interactive. Each secret is sent once, because sending it again is a second attempt.

    Attributes:
        user: the route's user, whose name may be in a question and must not be taken for a word of it.
        fault: why a question was not answered.

    """

    password: str | None
    code: str | None
    user: str = ""
    given: set[str] = field(default_factory=set)
    fault: DeliveryError | None = None

    def __call__(self, _: str, __: str, prompts: list[tuple[str, bool]]) -> list[str]:
        """Return the answers. paramiko calls this from its own thread, and ends the session if it raises."""
        try:
            return [self.answer(quoted(prompt).rstrip(": ")) for prompt, _ in prompts]
        except DeliveryError as error:
            self.fault = error
            raise

    def answer(self, prompt: str) -> str:
        if NEW_PASSWORD.search(prompt):
            raise LoginRefused(f"the server asks `{prompt}`: the password has expired", todo=EXPIRED)
        what = "code" if CODE.search(prompt.replace(f"{self.user}@", "")) or self.password is None else "password"
        if what in self.given:
            raise LoginRefused(f"the server asks `{prompt}` again: it refused the {what}", todo=TODO)
        self.given.add(what)
        if what == "password" and self.password is not None:
            return self.password
        if self.code is None:
            raise LoginRefused(f"the server asks `{prompt}`", todo="give the route `one_time_code` or `one_time_code_command`")
        return self.code


def authenticate(transport: Transport, login: Login, name: str, key: paramiko.PKey | None) -> None:
    """Log in with the route's credentials only. Keys and configuration of this machine's user are ignored.

    The server first lists the methods that it accepts, so that no attempt is wasted. After a refusal no other method is tried,
    because that would be a second attempt with the same secret.

    Args:
        transport: the session, whose host key was checked.
        login: the route's user and credentials.
        name: the server's name for messages.
        key: the private key; None if the route has none.

    Raises:
        LoginRefused: if the server refuses, or requires something that the route does not have.
        HungUp: if the server ends the session instead.
        Lost: if the server does not answer.

    """
    allowed = methods(transport, login, name)
    accepted: list[str] = []
    password = login.password.get_secret_value() if login.password else None
    while allowed is not None:
        method = next_method(login, allowed, accepted)
        if method is None:
            raise LoginRefused(lacking(name, allowed, accepted), todo=f"ask the provider how {login.user} is to log in")
        # Make the code as late as possible, because it is valid for a short time.
        code = one_time_code(login, name) if method == INTERACTIVE else None
        with explained(transport, login, name, method, accepted):
            allowed = use(transport, login, method, Secrets(key, password, code)) or None
        accepted.append(method)


def methods(transport: Transport, login: Login, name: str) -> list[str] | None:
    """The methods that the server accepts; None if it requires no authentication."""
    try:
        with explained(transport, login, name, "none", []):
            transport.auth_none(login.user)
    except BadAuthenticationType as answer:
        return list(answer.allowed_types)
    return None


def next_method(login: Login, allowed: list[str], accepted: list[str]) -> str | None:
    """The method to try next; None if the route has no credentials for the methods that the server accepts."""
    has_key = bool(login.private_key or login.private_key_base64 or login.agent)
    has_code = bool(login.one_time_code or login.one_time_code_command)
    wanted = [PUBLIC_KEY] if has_key else []
    # A server that requires a code asks for the password in the same dialog, or has accepted it before.
    wanted += [INTERACTIVE, PASSWORD] if has_code else [PASSWORD, INTERACTIVE]
    if login.password is None:
        wanted.remove(PASSWORD)
        if not has_code:
            wanted.remove(INTERACTIVE)
    return next((method for method in wanted if method in allowed and method not in accepted), None)


def use(transport: Transport, login: Login, method: str, secrets: Secrets) -> list[str]:
    """Log in by a method. Returns the further methods that the server requires; empty if none. Raises paramiko's errors."""
    if method == PUBLIC_KEY:
        return transport.auth_publickey(login.user, secrets.key) if secrets.key else by_agent(transport, login)
    if method == PASSWORD:
        return transport.auth_password(login.user, secrets.password or "", fallback=False)
    answers = Answers(secrets.password, secrets.code, login.user)
    try:
        return transport.auth_interactive(login.user, answers)
    except (paramiko.SSHException, EOFError):
        raise answers.fault or paramiko.AuthenticationException("the answers were refused") from None


def by_agent(transport: Transport, login: Login) -> list[str]:
    """Offer the keys of the SSH agent one by one."""
    keys = agent_keys(transport)
    for offered in keys[:AGENT_KEYS]:
        try:
            return transport.auth_publickey(login.user, offered)
        except BadAuthenticationType:
            raise
        except paramiko.AuthenticationException as error:
            refusal = error
            if not transport.is_active():
                break
    if len(keys) > AGENT_KEYS:
        raise paramiko.AuthenticationException(f"the server refused the first {AGENT_KEYS} of the agent's {len(keys)} keys")
    raise refusal


def one_time_code(login: Login, name: str) -> str | None:
    """A code for one login; None if the route has none. Raises DeliveryError."""
    if login.one_time_code:
        return login.one_time_code.get_secret_value()
    command = login.one_time_code_command
    if not command:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CODE_SECONDS, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        # Do not quote the command's output: it may contain the secret from which codes are made.
        raise DeliveryError(f"{name}: `one_time_code_command` ({command[0]}) failed: {type(error).__name__}") from None
    code = done.stdout.strip()
    if not code or "\n" in code:
        raise DeliveryError(f"{name}: `one_time_code_command` ({command[0]}) printed no code, or more than one line")
    register_secret(code)
    return code


def lacking(name: str, allowed: list[str], accepted: list[str]) -> str:
    """A message about the methods that the server requires and the route does not have."""
    wants = " or ".join(GIVES.get(method, quoted(method)) for method in allowed) or "nothing that it names"
    if accepted:
        return f"{name}: the login is accepted in part, by {' and '.join(accepted)}; the server also wants {wants}"
    return f"{name}: the route has no login that the server takes: it wants {wants}"


@contextmanager
def explained(transport: Transport, login: Login, name: str, method: str, accepted: list[str]) -> Iterator[None]:
    """Turn paramiko's errors into LoginRefused, HungUp, or Lost if there was no answer."""
    before = f", after {' and '.join(accepted)}" if accepted else ""
    doing = f"authentication as {login.user} ({method}{before})"
    try:
        with transport.watchdog.limit(doing):
            yield
    except DeliveryError as error:
        raise type(error)(f"{name}: {doing}: {error.what}", todo=error.todo) from None
    except (paramiko.SSHException, OSError, EOFError) as error:
        if transport.watchdog.late:
            raise Lost(f"{name}: no answer in time at {doing}") from None
        if method == "none" and isinstance(error, BadAuthenticationType):
            raise
        raise refusal(transport, error, method, f"{name}: {doing}") from None


def refusal(transport: Transport, error: Exception, method: str, doing: str) -> DeliveryError:
    """The delivery error for paramiko's error of a login."""
    if "Illegal info request" in str(error):
        return LoginRefused(f"{doing}: the password has expired", todo=EXPIRED)
    if "pubkey algorithm" in str(error):
        return LoginRefused(f"{doing} is not possible: the server accepts RSA keys with SHA-1 only", todo=NO_SHA1)
    if not transport.is_active():
        return HungUp(f"{doing}: the server hung up" + (f": {transport.farewell}" if transport.farewell else ""))
    if isinstance(error, BadAuthenticationType):
        return LoginRefused(f"{doing} was refused: the server takes {listed(error)} only", todo=TODO)
    if isinstance(error, paramiko.AuthenticationException):
        because = hint(transport, method)
        return LoginRefused(f"{doing} was refused{because}", todo=f"{TODO}; {NO_SHA1}" if because else TODO)
    return Lost(f"{doing} failed: {quoted(str(error)) or type(error).__name__}")


def listed(error: BadAuthenticationType) -> str:
    return quoted(", ".join(error.allowed_types)) or "no method"


def hint(transport: Transport, method: str) -> str:
    """A note why a server may refuse a valid RSA key; empty for other keys."""
    key = transport.auth_handler.private_key if method == PUBLIC_KEY and transport.auth_handler else None
    if key is not None and key.get_name() == "ssh-rsa":
        return "; it is an RSA key, and an old server may accept signatures with SHA-1 only, which the runner does not make"
    return ""
