"""The command `fetch`, which receives the files that providers send back."""

from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Annotated

import typer

from dmail_runner.cli.base import AsJson, app, open_ledger, say, say_json, tell
from dmail_runner.core.errors import UsageError
from dmail_runner.core.suggest import known_names

Entries = Annotated[
    list[str] | None, typer.Argument(metavar="ENTRY", help="Entries of profiles/inbound.yml. The default is all.")
]


@app.command()
def fetch(context: typer.Context, entries: Entries = None, as_json: AsJson = False) -> None:
    """Receive the files that providers send back, such as returns and acknowledgements, as profiles/inbound.yml declares.

    Each file is read once. A file that is not as declared is put aside, and ends with exit code 1.

    Example: dmail-runner fetch acme_returns
    """
    from dmail_runner.declare.inbound import find_inbound
    from dmail_runner.declare.notices import find_notices
    from dmail_runner.run.fetch import fetch as fetch_all
    from dmail_runner.run.fetch import lines
    from dmail_runner.run.notify import Notifier

    settings, ledger = open_ledger(context.obj)
    check_entries(entries or [], find_inbound(settings))
    found = fetch_all(settings, ledger, Notifier(find_notices(settings), ledger, tell), tell, entries)
    if as_json:
        say_json({"files": [asdict(file) for file in found.files], "errors": [str(error) for error in found.errors]})
    else:
        say("\n".join(lines(found)))
    for error in found.errors:
        tell(f"error: {error}")
    raise typer.Exit(1 if found.errors or found.aside else 0)


def check_entries(names: Iterable[str], known: Collection[str]) -> None:
    """Raises UsageError for an entry that does not exist."""
    for name in names:
        if name not in known:
            raise UsageError(f"profiles/inbound.yml has no entry {name}; {known_names(name, known)}")
