"""The contact history: a record for each profile and file, with the slot."""

from dmail_runner.history.contacts import (
    AUDIENCE,
    FILE,
    FILES,
    VERDICTS,
    NewContacts,
    StoredContacts,
    churn,
    compare,
    find_contacts,
    has_row_hashes,
    mailed_query,
    publish_contacts,
    recent_contacts,
    remove_contacts,
    row_hash_query,
    run_folders,
    run_ids,
    write_audience,
    write_contacts,
)
from dmail_runner.history.expire import remove_before
from dmail_runner.history.record import count_files

__all__ = [
    "AUDIENCE", "FILE", "FILES", "VERDICTS",
    "NewContacts", "StoredContacts", "churn", "compare", "count_files", "find_contacts", "has_row_hashes",
    "mailed_query", "publish_contacts", "recent_contacts", "remove_before", "remove_contacts", "row_hash_query", "run_folders",
    "run_ids", "write_audience", "write_contacts",
]  # fmt: skip
