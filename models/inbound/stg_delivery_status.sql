-- The way of pieces: one row per event. Empty until the first fetch.
{{
    dmail.received(
        "delivery_status",
        columns={
            "piece_id": "string",
            "status": "string",
            "happened_at": "timestamp",
        },
        key=["piece_id", "status", "happened_at"],
    )
}}
