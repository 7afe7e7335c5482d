-- The materials at mail houses: one row per item and report. Empty until the first fetch.
{{
    dmail.received(
        "stock",
        columns={
            "item": "string",
            "on_hand": "bigint",
            "alert_level": "bigint",
            "valid_until": "timestamp",
            "lead_time_days": "bigint",
            "happened_at": "timestamp",
        },
        key=["item", "happened_at"],
        keep="last",
    )
}}
