"""The contact history: who was put into which file, and when."""

from dmail_runner.history.contacts import (
    AUDIENCE,
    FILE,
    Contacts,
    Kept,
    churn,
    compare,
    forget_before,
    has_looks,
    kept,
    live_names,
    looks,
    mailed,
    put_contacts,
    run_names,
    take_back_contacts,
    write_audience,
    write_contacts,
)

__all__ = [
    "AUDIENCE", "FILE", "Contacts", "Kept", "churn", "compare", "forget_before", "has_looks", "kept", "live_names", "looks",
    "mailed", "put_contacts", "run_names", "take_back_contacts", "write_audience", "write_contacts",
]  # fmt: skip
