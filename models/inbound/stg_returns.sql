-- Returned mail: one row per piece that came back. Empty until the first fetch.
{% set columns = {
    "piece_id": "string",
    "profile_id": "string",
    "reason": "string",
    "happened_at": "timestamp",
    "entry": "string",
    "file": "string",
    "row_number": "bigint",
    "received_at": "timestamp",
} %}
with
    received as (
        select {{ columns | join(", ") }}
        from {{ dmail.read_files(source("dmail", "inbound_returns"), otherwise=columns) }}
    ),

    -- A file that is sent again, or with more rows, repeats rows. The first one counts.
    final as (
        select *
        from
            (
                select
                    *,
                    row_number() over (
                        partition by piece_id, profile_id, happened_at order by received_at, entry, file, row_number
                    ) as copy_number
                from received
            ) as numbered
        where copy_number = 1
    )

select {{ columns | join(", ") }}
from final
