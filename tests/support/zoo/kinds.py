"""Every kind of server, by groups, as docs/servers.md shows them."""

from zoo.account_kinds import ACCOUNTS, FAULTY
from zoo.entry import Entry
from zoo.ordinary_kinds import ORDINARY, SHARED
from zoo.rename_kinds import RENAMES
from zoo.silent_kinds import SILENT
from zoo.taker_kinds import TAKERS

ZOO: dict[str, tuple[Entry, ...]] = {
    "Servers that need nothing": ORDINARY,
    "Names that exist already": SHARED,
    "Renames": RENAMES,
    "Mail houses that fetch files at once": TAKERS,
    "Accounts with limited rights": ACCOUNTS,
    "Servers that damage files": FAULTY,
    "Servers that do not answer": SILENT,
}
