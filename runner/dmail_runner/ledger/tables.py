"""The tables of the ledger.

- Times are texts in UTC that sort.
- A new column must be nullable, because it is added to the tables of earlier versions.
- Any other change needs a new VERSION, and a migration in `migrate`.
"""

import sqlalchemy as sa

VERSION = 7

metadata = sa.MetaData()

# One row: the version of these tables, and the last event's number and hash.
head = sa.Table(
    "head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.String, nullable=False),
)
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run_id", sa.String, primary_key=True),
    sa.Column("campaign", sa.String, nullable=False),
    sa.Column("slot", sa.String, nullable=False),
    sa.Column("wall", sa.String),  # the slot in local time with its zone, as the schedule declares it
    sa.Column("wave", sa.Integer),  # 1, 2 …; null for a mailing without waves
    sa.Column("first", sa.String),  # the run of the first wave
    sa.Column("copy_of", sa.String),  # the run that this one sends again
    sa.Column("window_start", sa.String),  # the window is from here to the slot
    sa.Column("state", sa.String, nullable=False),
    sa.Column("hold", sa.String),
    sa.Column("error", sa.Text),
    sa.Column("targeted", sa.BigInteger),
    sa.Column("included", sa.BigInteger),
    sa.Column("seeds", sa.BigInteger),
    sa.Column("cost", sa.String),  # an estimate, with its currency
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("updated_at", sa.String, nullable=False),
    sa.Column("frozen_at", sa.String),  # when its content was frozen
    sa.Column("host", sa.String),  # the host that has its files
    sa.Column("against", sa.String),  # the run that `came` and `went` compare with
    sa.Column("came", sa.BigInteger),
    sa.Column("went", sa.BigInteger),
    sa.Index("runs_of_a_campaign", "campaign", "slot"),
)
exclusions = sa.Table(
    "exclusions",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.run_id"), primary_key=True),
    sa.Column("reason", sa.String, primary_key=True),
    sa.Column("profiles", sa.BigInteger, nullable=False),
)
places = sa.Table(
    "places",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.run_id"), primary_key=True),
    sa.Column("country", sa.String, primary_key=True),  # empty if it is unknown
    sa.Column("region", sa.String, primary_key=True),
    sa.Column("pieces", sa.BigInteger, nullable=False),
)
parts = sa.Table(
    "parts",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.run_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("route", sa.String, nullable=False),
    sa.Column("side", sa.Boolean),
    sa.Column("plain_bytes", sa.BigInteger),
    sa.Column("plain_sha256", sa.String),
    sa.Column("inner_bytes", sa.BigInteger),
    sa.Column("inner_sha256", sa.String),
    sa.Column("intended_at", sa.String),  # just before it got its final name
    sa.Column("delivered_at", sa.String),
    sa.Column("location", sa.String),
)
# The records of the parts: see `intents`. Rows are added and never changed.
intents = sa.Table(
    "intents",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.run_id"), nullable=False, index=True),
    sa.Column("part", sa.Integer, nullable=False),  # its number. A part that is sent before the freeze has no row in `parts` yet
    sa.Column("at", sa.String, nullable=False),
    sa.Column("word", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),  # the final name
    sa.Column("temporary", sa.String, nullable=False),  # the name to which the bytes are sent
    sa.Column("staged", sa.String),  # the second name of a rename in two steps
    sa.Column("sha256", sa.String, nullable=False),  # of the bytes
    sa.Column("route", sa.String, nullable=False),
    sa.Column("location", sa.String),  # the final name with its server
)
events = sa.Table(
    "events",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("run_id", sa.String, nullable=False, index=True),  # or the campaign, for an event without a run
    sa.Column("at", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("hash", sa.String),  # of this row and of the hash before it
    sa.Column("content", sa.Text),  # JSON: the rows that were written with it
)
schedules = sa.Table(
    "schedules",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("campaign", sa.String, nullable=False, index=True),
    sa.Column("seen_at", sa.String, nullable=False),
    sa.Column("declared", sa.Text, nullable=False),  # JSON; null while the campaign is not active
    sa.Column("planned_to", sa.String, nullable=False),  # every slot until then has a run
)
approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("campaign", sa.String, nullable=False, index=True),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("fingerprint", sa.String, nullable=False),
    sa.Column("content", sa.Text, nullable=False),  # JSON: what was approved, part by part
    sa.Column("account", sa.String),  # that recorded it
    sa.Column("key", sa.String),  # the SSH public key of a signed one
    sa.Column("signature", sa.Text),
    sa.Column("after", sa.String),  # the hash of the event of what was in force before
    sa.Column("note", sa.Text),
    sa.Column("revision", sa.String),  # the commit that the project was at
)
# The files of the contact history: see `ledger/history_files`.
history_files = sa.Table(
    "history_files",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("file", sa.String, nullable=False, index=True),  # the path within the folder
    sa.Column("contacts", sa.BigInteger, nullable=False),  # rows
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("modified", sa.BigInteger),  # nanoseconds since 1970, as it was last seen with this content
    sa.Column("expected", sa.Boolean, nullable=False),  # false while it is being changed: it may have this content
)
# The files that providers have sent: see `ledger/inbound_files`.
inbound_files = sa.Table(
    "inbound_files",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("entry", sa.String, nullable=False, index=True),  # of profiles/inbound.yml
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("route", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),  # the path on the route
    sa.Column("at", sa.String, nullable=False),  # when it was read
    sa.Column("state", sa.String, nullable=False),  # taken, aside, duplicate or expired
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("modified", sa.String),  # the server's time of change, as the server gives it
    sa.Column("sha256", sa.String, nullable=False),  # of the file as received
    sa.Column("declared", sa.String, nullable=False),  # a hash of how it was read
    sa.Column("rows", sa.BigInteger),
    sa.Column("bad_rows", sa.BigInteger),
    sa.Column("error", sa.Text),  # why it was put aside
    sa.Column("stored", sa.String),  # the Parquet file within the folder
    sa.Column("stored_sha256", sa.String),
    sa.Column("moved", sa.Boolean),  # whether the server's copy was moved or removed
)
notices = sa.Table(
    "notices",
    metadata,
    sa.Column("subject", sa.String, primary_key=True),  # the event, so that it is reported once
    sa.Column("at", sa.String, nullable=False),
)
proofs = sa.Table(
    "proofs",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("campaign", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("route", sa.String, nullable=False),
    sa.Column("location", sa.String, nullable=False),
)

route_tests = sa.Table(
    "route_tests",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("route", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)

# The runs without the later waves of mailings that have not begun.
not_to_come = sa.or_(runs.c.state != "planned", runs.c.wave.is_(None), runs.c.wave == 1)


def accounts(campaign: str) -> sa.ColumnElement[bool]:
    """The condition for a campaign's runs that have a window of their own. Later waves and copies have none."""
    own = sa.and_(sa.or_(runs.c.wave.is_(None), runs.c.wave == 1), runs.c.copy_of.is_(None))
    return sa.and_(runs.c.campaign == campaign, runs.c.state.not_in(("missed", "cancelled")), own)
