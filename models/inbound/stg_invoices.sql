-- What mail houses bill: one row per line of an invoice. Empty until the first fetch.
{{
    dmail.received(
        "invoice",
        columns={
            "invoice_id": "string",
            "run_id": "string",
            "file_name": "string",
            "campaign": "string",
            "pieces": "bigint",
            "production": "decimal(18, 4)",
            "postage": "decimal(18, 4)",
            "amount": "decimal(18, 4)",
            "currency": "string",
            "happened_at": "timestamp",
        },
        key=["invoice_id"],
        keep="last file",
    )
}}
