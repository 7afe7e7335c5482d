"""The ledger's tables. A column that is added must be nullable: a ledger of an earlier version gets it as it is."""

import sqlalchemy as sa

metadata = sa.MetaData()

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run_id", sa.String, primary_key=True),
    sa.Column("campaign", sa.String, nullable=False),
    sa.Column("slot", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("hold", sa.String),
    sa.Column("error", sa.Text),
    sa.Column("targeted", sa.BigInteger),
    sa.Column("included", sa.BigInteger),
    sa.Column("seeds", sa.BigInteger),
    sa.Column("cost", sa.String),  # an estimate, with its currency
    sa.Column("created_at", sa.String, nullable=False),
    sa.Column("updated_at", sa.String, nullable=False),
    sa.UniqueConstraint("campaign", "slot"),
)
exclusions = sa.Table(
    "exclusions",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.run_id"), primary_key=True),
    sa.Column("reason", sa.String, primary_key=True),
    sa.Column("profiles", sa.BigInteger, nullable=False),
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
    sa.Column("intended_at", sa.String),  # when its final name was about to be given to it
    sa.Column("delivered_at", sa.String),
    sa.Column("location", sa.String),
)
events = sa.Table(
    "events",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.run_id"), nullable=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
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
