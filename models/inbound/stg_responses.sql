-- Orders and other responses: one row each. Empty until the first fetch.
{% set columns = {
    "response_id": "string",
    "profile_id": "string",
    "piece_id": "string",
    "key_code": "string",
    "amount": "decimal(18, 4)",
    "currency": "string",
    "happened_at": "timestamp",
    "entry": "string",
    "file": "string",
    "row_number": "bigint",
    "received_at": "timestamp",
} %}
with
    received as (
        select {{ columns | join(", ") }}
        from {{ dmail.read_files(source("dmail", "inbound_responses"), otherwise=columns) }}
    ),

    -- A file that is sent again, or with more rows, repeats rows. The first one counts.
    final as (
        select *
        from
            (
                select
                    *,
                    row_number() over (
                        partition by response_id order by received_at, entry, file, row_number
                    ) as copy_number
                from received
            ) as numbered
        where copy_number = 1
    )

select {{ columns | join(", ") }}
from final
