"""The kinds of files that providers send back, and the columns of each kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["acknowledgement", "returns", "delivery_status", "responses", "invoice", "address_updates", "stock"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# What `addresses export` has asked for is stored beside the answers, and is erased with them. No entry can have this kind.
REQUESTS = "address_requests"
STORED = (*KINDS, REQUESTS)
Type = Literal["text", "time", "integer", "number"]
SQL_TYPES: Mapping[Type, str] = {"text": "varchar", "time": "timestamp", "integer": "bigint", "number": "decimal(18, 4)"}


@dataclass(frozen=True)
class Field:
    """A column of a kind of file.

    Attributes:
        type: the type of its values.
        values: the only values that it may have; empty if there is no list.
        required: whether each row must have a value.
    """

    type: Type = "text"
    values: tuple[str, ...] = ()
    required: bool = False


TEXT, TIME, INTEGER, NUMBER = Field(), Field("time"), Field("integer"), Field("number")
STATUS = ("received", "rejected", "printed", "mailed")
REASONS = ("moved", "unknown", "no_such_address", "deceased", "refused", "temporary", "other")
DELIVERY = ("in_transit", "delivered", "rerouted", "returned", "failed")
CHANGES = ("moved", "no_forwarding", "address_closed", "confirmed")

FIELDS: Mapping[Kind, Mapping[str, Field]] = {
    "acknowledgement": {
        "run_id": TEXT,
        "file_name": TEXT,
        "piece_id": TEXT,
        "status": Field(values=STATUS, required=True),
        "pieces": INTEGER,
        "reason": TEXT,
        "happened_at": TIME,
    },
    "returns": {
        "piece_id": TEXT,
        "profile_id": TEXT,
        "reason": Field(values=REASONS, required=True),
        "happened_at": TIME,
    },
    "delivery_status": {
        "piece_id": Field(required=True),
        "status": Field(values=DELIVERY, required=True),
        "happened_at": TIME,
    },
    "responses": {
        "response_id": Field(required=True),
        "profile_id": TEXT,
        "piece_id": TEXT,
        "purl": TEXT,
        "key_code": TEXT,
        "amount": NUMBER,
        "currency": TEXT,
        "happened_at": Field("time", required=True),
    },
    "invoice": {
        "invoice_id": Field(required=True),
        "run_id": TEXT,
        "file_name": TEXT,
        "campaign": TEXT,
        "pieces": INTEGER,
        "production": NUMBER,
        "postage": NUMBER,
        "amount": NUMBER,
        "currency": TEXT,
        "happened_at": TIME,
    },
    "address_updates": {
        "piece_id": TEXT,
        "profile_id": TEXT,
        "request_id": TEXT,
        "change": Field(values=CHANGES, required=True),
        "address_line1": TEXT,
        "address_line2": TEXT,
        "city": TEXT,
        "region": TEXT,
        "postal_code": TEXT,
        "country_code": TEXT,
        "happened_at": TIME,
    },
    "stock": {
        "item": Field(required=True),
        "on_hand": Field("integer", required=True),
        "alert_level": INTEGER,
        "valid_until": TIME,
        "lead_time_days": INTEGER,
        "happened_at": TIME,
    },
}
# Each row must have a value in one of these columns.
ONE_OF: Mapping[Kind, tuple[str, ...]] = {
    "acknowledgement": ("run_id", "file_name", "piece_id"),
    "returns": ("piece_id", "profile_id"),
    "responses": ("profile_id", "piece_id", "purl", "key_code"),
    "invoice": ("run_id", "file_name", "campaign"),
    "address_updates": ("piece_id", "profile_id"),
}
# The columns that identify a person, or could.
IDENTIFYING = ("profile_id", "piece_id", "response_id", "purl", "key_code")
ADDRESS = ("request_id", "address_line1", "address_line2", "city", "region", "postal_code")
