-- Returned mail: one row per piece that came back. Empty until the first fetch.
{{
    dmail.received(
        "returns",
        columns={
            "piece_id": "string",
            "profile_id": "string",
            "reason": "string",
            "happened_at": "timestamp",
        },
        key=["piece_id", "profile_id", "happened_at"],
    )
}}
