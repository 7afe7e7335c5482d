-- Orders and other responses: one row each. Empty until the first fetch.
{{
    dmail.received(
        "responses",
        columns={
            "response_id": "string",
            "profile_id": "string",
            "piece_id": "string",
            "purl": "string",
            "key_code": "string",
            "amount": "decimal(18, 4)",
            "currency": "string",
            "happened_at": "timestamp",
        },
        key=["response_id"],
    )
}}
