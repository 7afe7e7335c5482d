"""HTTP requests without the proxies, logins and certificates of the environment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dmail_runner.core.errors import UsageError

if TYPE_CHECKING:
    import requests

# Variables that `requests` reads: no proxy for any host, and no ~/.netrc.
UNPROXIED = {"NO_PROXY": "*", "no_proxy": "*", "NETRC": os.devnull}


def direct_session() -> "requests.Session":
    """A session that reads neither the environment nor ~/.netrc."""
    import requests

    session = requests.Session()
    session.trust_env = False
    return session


@contextmanager
def unproxied() -> Iterator[None]:
    """Change the environment within the context, for libraries that make their own requests."""
    before = {name: os.environ.get(name) for name in UNPROXIED}
    os.environ.update(UNPROXIED)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def check_https(url: str, option: str, *, allow_http: bool) -> None:
    """Raises UsageError for a URL that is not https, unless http is allowed."""
    scheme = url.strip().partition("://")[0].lower()
    if scheme != "https" and not (allow_http and scheme == "http"):
        raise UsageError(f"{option} must be an https address", todo="use https, or --allow-http on a trusted network")
