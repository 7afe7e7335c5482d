-- New and lost addresses, as the post or a provider reports them. Empty until the first fetch.
{{
    dmail.received(
        "address_updates",
        columns={
            "piece_id": "string",
            "profile_id": "string",
            "change": "string",
            "address_line1": "string",
            "address_line2": "string",
            "city": "string",
            "region": "string",
            "postal_code": "string",
            "country_code": "string",
            "happened_at": "timestamp",
        },
        key=["piece_id", "profile_id", "change", "happened_at"],
    )
}}
