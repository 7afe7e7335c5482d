"""Entries of the YAML files that say every key once, as people write them."""

from typing import Any

from dmail_runner.declare.budget import Budget
from dmail_runner.declare.campaign import ColumnMeta, DirectMail
from dmail_runner.declare.inbound import Inbound, Layout
from dmail_runner.declare.notices import Notices
from dmail_runner.declare.policy import Policy
from dmail_runner.declare.provider import Provider, SharedContract
from dmail_runner.declare.role import ModelMeta
from dmail_runner.declare.route import Route
from dmail_runner.declare.source import SourceMeta

PGP = "D1A67CE3900000000000000000000000000000" + "01"
HOST_KEY = "SHA256:" + "A" * 43
LOGIN = {"host": "h", "port": 22, "user": "u", "password": "p", "host_key": HOST_KEY}
FORMAT = {
    "line_end": "crlf",
    "encoding": "latin-1",
    "bom": True,
    "transliterate": True,
    "scripts": {"han": "pinyin", "hangul": "revised", "georgian": "national"},
}
TEXT = {**FORMAT, "header": False, "quoting": "all", "newlines": "keep"}
COMMON = {
    "status": "draft",
    "retries": 2,
    "require_approval": "one",
    "encryption": {"keys": [{"file": "a.asc", "fingerprint": PGP}], "armor": True, "suffix": ".gpg"},
}
STORE = {**COMMON, "prefix": "in", "endpoint": "http://store:9000", "allow_http": True, "timeout": 5.5}
ROUTES: dict[str, dict[str, Any]] = {
    "folder": {
        "type": "folder", "path": "out", "mode": "0640", "owner": "o", "group": "g", "finish": "rename", "temporary": "tmp/.{name}",
        "verify": "hash", **COMMON,
    },
    "folder that is emptied": {"type": "folder", "path": "out", "finish": "direct", "taken": "at_close"},
    "sftp": {
        "type": "sftp", **LOGIN, **COMMON, "directory": "in", "make_directory": False, "timeout": 10, "parallel": 4, "ahead": True, "rename": "plain",
        "allow_old": ["hmac-sha1"], "finish": "direct_then_marker", "jump": {**LOGIN, "agent": True, "password": None},
    },
    "sftp by key": {"type": "sftp", "host": "h", "user": "u", "private_key": "k", "passphrase": "p", "host_key": [HOST_KEY, HOST_KEY]},
    "sftp by key in Base64": {"type": "sftp", "host": "h", "user": "u", "private_key_base64": "YWJj", "host_key": HOST_KEY},
    "sftp by key and code": {
        "type": "sftp", "host": "h", "user": "u", "private_key": "k", "one_time_code": "123456", "host_key": HOST_KEY,
    },
    "sftp by password and a command's code": {
        "type": "sftp", "host": "h", "user": "u", "password": "p", "one_time_code_command": ["totp", "acme"], "host_key": HOST_KEY,
    },
    "s3": {
        "type": "s3", "bucket": "b", "region": "r", "access_key_id": "a", "secret_access_key": "s", "session_token": "t",
        "virtual_hosted": True, "server_side_encryption": "aws:kms", "kms_key_id": "k", **STORE,
    },
    "s3 by the machine": {"type": "s3", "bucket": "b", "credentials": "environment"},
    "azure": {"type": "azure", "container": "c", "account": "a", "key": "k", **STORE},
    "azure by signature": {"type": "azure", "container": "c", "account": "a", "sas": "s"},
    "azure by string": {"type": "azure", "container": "c", "connection_string": "AccountName=a;AccountKey=k"},
    "gcs": {"type": "gcs", "bucket": "b", "service_account": "s.json", **STORE},
    "gcs by the machine": {"type": "gcs", "bucket": "b", "credentials": "environment"},
    "signed": {
        "type": "folder", "path": "out",
        "encryption": {"keys": [{"file": "a.asc", "fingerprint": PGP}], "sign": {"file": "o", "fingerprint": PGP, "passphrase": "p"}},
    },
}  # fmt: skip
RULES = {
    "required": True,
    "min_length": 1,
    "max_length": 9,
    "pattern": "[A-Z]+",
    "allowed": ["A", "B"],
    "upper": True,
    "trimmed": True,
}
CONTRACT = {
    "columns": {"Name": RULES}, "required_one_of": [["Name", "Company"]], "max_columns": 9, "extra_columns": "refuse", "on_breach": "exclude",
    "compared": "2027-01-01",
}  # fmt: skip
PROVIDERS: dict[str, dict[str, Any]] = {
    "csv": {
        "label": "l", "route": "r", "format": {"type": "csv", "delimiter": ",", **TEXT}, "prefix": "p_", "split": {"rows": 9},
        "records": {"header": "H", "trailer": "T"}, "side_files": ["sha256", "done"], "empty": "header_only",
        "tariff": {"currency": "EUR", "fixed": 4, "per_piece": 0.5}, "require_encryption": True, "compress": "zip", "retention_days": 9, "history_days": 99, "acknowledge_within": "2d", "stock_counted_within": "14d", "require_approval": "two",
        "lead_times": {"country": "DE", "region": "BY", "production_days": 3, "delivery_days": 0},
        "recall_until": "6h", "recall_contact": "Ann", "recall_file": {"name": "{run}.csv", "header": "h", "line": "{file}"},
        "postal_classes": {"standard": {"min_pieces": 200}}, "contract": "lob", **CONTRACT,
    },
    "delimited": {"label": "l", "route": "r", "format": {"type": "delimited", "delimiter": "|", **TEXT}, "split": {"size": "500 MB"}},
    "fixed": {"label": "l", "route": "r", "format": {"type": "fixed_width", "header": False, "pad": "_", "width_in": "bytes", **FORMAT}, "split": {"size": 900}},
    "tiers": {"label": "l", "route": "r", "tariff": {"currency": "EUR", "tiers": [{"up_to": 9, "per_piece": "0.5"}, {"per_piece": 0.4}]}},
    "split": {
        "label": "l", "route": "r", "postal_classes": {"c": {"min_pieces": 1}},
        "tariff": {
            "currency": "EUR", "production": {"fixed": 4, "per_piece": "0.5"},
            "postage": {"rates": [{"countries": ["DE"], "classes": ["c"], "up_to_grams": 20, "per_piece": 0.5}]},
        },
    },
    "one postage": {
        "label": "l", "route": "r", "tariff": {"currency": "EUR", "production": {"tiers": [{"per_piece": 1}]}, "postage": {"per_piece": 1}},
    },
}  # fmt: skip
MAIL: dict[str, dict[str, Any]] = {
    "all": {
        "status": "active", "provider": "p", "priority": 5, "postal_class": "c", "purpose": "contractual", "legal_basis": "legitimate_interests",
        "processor": "Acme Print, contract of 2027-01-02", "exempt_from": {"gb_mps": "own customers only"}, "approval": "four_eyes",
        "file": {
            "name": "f.csv", "timestamp": True, "sort_by": ["city desc nulls first"], "seeds": "last", "note": {"text": "t", "position": "footer"},
        },
        "schedule": {"cron": "0 6 * * mon", "timezone": "UTC", "start": "2027-02-01", "weeks": 2, "end": "2027-03-01", "missed": "all", "max_late": "2d"},
        "waves": {"apart": "2d", "sizes": [{"share": "20%"}, {"share": 0.3, "after": "3 d"}, {"after": "1w"}]},
        "guard": {"min_rows": 0, "max_rows": 9, "max_change": "30%", "max_churn": 0.4, "max_unmatched": "50%", "max_missing_profiles": "20%",
                  "max_reason_change": 1, "near_matches": "tell"},
        "recheck": {"after": "30min", "then": "hold"}, "weight_grams": 20,
        "materials": [{"item": "envelope", "per_piece": 2}, {"by": "language", "items": {"de": "leaflet", "fr": None}}],
        "budget": {"order": "PO-4711", "max": "20000.50 EUR", "cost_centre": "4200"},
    },
    "dates": {
        "status": "draft", "provider": "p", "file": {"name": "f.csv", "sort_by": "post:us_presort"}, "schedule": {"at": ["2027-03-01T06:00"]},
        "in_home": "2027-04-01",
        "waves": {"sizes": [{"count": 9}, {"at": "2027-03-09 06:00"}]},
    },
    "windows": {"status": "stopped", "programme": "spring", "provider": "p", "file": {"name": "f.csv"}, "schedule": {"every": "4h"}},
}  # fmt: skip
COLUMNS = {"all": {"label": "l", "export": False, "width": 9, "align": "right", "pad": "0"}}
NOTICES = {
    "all": {
        "owner": "mailtos://x",
        "allow_http": True,
        "channels": [
            {"url": "u", "kinds": ["held"], "campaigns": ["c"]},
            {"webhook": "http://w", "headers": {"A": "b"}, "allow_http": True},
        ],
    }
}
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxkrR8Fnwy0TPI0Gd5NflzTvQ0yDOgzSFdIW2Ed4JwP"
POLICY = {
    "require_approval": "four_eyes",
    "approvers": {"ann": {"account": ["ann", "ann.s"], "git": "ann@example.com"}, "bob": {"key": SSH_KEY}},
    "allow_hooks": ["shop.on-run-start"],
    "draft_in": ["prod"],
    "source_folders": ["data"],
    "require_registers": "recommended",
    "address_services": {"US": {"ncoa": "95d"}},
    "controller": {"name": "Shop Ltd, 1 High St", "contact": "a@b.c", "representative": "r", "data_protection_officer": "d"},
}
REGISTER_COPY = {"name": "mps", "register": "gb_mps", "max_age": "90d", "licensed_until": "2027-03-01"}
FINGERPRINT = "A" * 40
INBOUND: dict[str, dict[str, Any]] = {
    "csv": {
        "description": "Orders of the shop.", "route": "r", "files": "a/*.csv", "layout": "generic_returns", "kind": "returns", "marker": "{name}.done", "compress": "gzip",
        "format": {"type": "csv", "delimiter": ";", "header": True, "skip": 1, "encoding": "latin-1"}, "afterwards": "move", "move_to": "old",
        "every": "1h", "max_bad_rows": "1%", "retention_days": 9,
        "decrypt": {"file": "k.asc", "fingerprint": FINGERPRINT, "passphrase": "secret"},
        "columns": {
            "piece_id": {"header": "Nr"}, "profile_id": "Customer", "reason": {"value": "moved"},
            "happened_at": {"from_name": "_([0-9]{8})", "format": ["%Y%m%d"]},
        },
    },
    "asking": {
        "route": "r", "files": "a/*.csv", "layout": "generic_address_service", "kind": "address_updates",
        "columns": {"profile_id": "a", "request_id": "b", "change": "c"},
        "requests": {"file": "q/a.csv", "route": "s", "countries": ["US"], "max_age": "95d", "answer_within": "2w"},
    },
    "fixed": {
        "route": "r", "files": "x", "kind": "stock",
        "format": {"type": "fixed_width", "record_length": 9, "select": [{"start": 1, "values": ["2"]}], "encoding": "utf-8"},
        "columns": {"item": {"start": 1, "length": 3, "codes": {"A": "b"}, "otherwise": "c"}, "on_hand": {"position": 2, "decimal": ","}},
    },
}  # fmt: skip
ENTRIES = [
    *((Inbound, entry) for entry in INBOUND.values()),
    (Layout, {"kind": "returns", "format": {"type": "csv"}, "columns": {"reason": "r"}}),
    (Policy, POLICY),
    (Budget, {"order": "PO-4711", "max": "20000 EUR", "cost_centre": "4200"}),
    *((Route, entry) for entry in ROUTES.values()),
    *((Provider, entry) for entry in PROVIDERS.values()),
    (SharedContract, {**CONTRACT, "format": {"type": "csv"}}),
    *((Notices, entry) for entry in NOTICES.values()),
    *((DirectMail, entry) for entry in MAIL.values()),
    (ModelMeta, {"role": "suppressions", "lists": ["do_not_mail", REGISTER_COPY]}),
    (ModelMeta, {"role": "profiles", "kept": True}),
    (SourceMeta, {"min_rows": 1000, "row_count_file": "data/profiles.rows", "max_missing": "10%", "encoding": "utf-16"}),
    *((ColumnMeta, entry) for entry in COLUMNS.values()),
]
