-- New and lost addresses, as the post or a provider reports them. Empty until the first fetch. An answer to a
-- question counts
-- from when it was received, so each of them is kept.
{{
    dmail.received(
        "address_updates",
        columns={
            "piece_id": "string",
            "profile_id": "string",
            "request_id": "string",
            "change": "string",
            "address_line1": "string",
            "address_line2": "string",
            "city": "string",
            "region": "string",
            "postal_code": "string",
            "country_code": "string",
            "happened_at": "timestamp",
        },
        key=[
            "piece_id",
            "profile_id",
            "request_id",
            "entry",
            "change",
            "happened_at",
            "case when request_id is not null then received_at end",
        ],
    )
}}
