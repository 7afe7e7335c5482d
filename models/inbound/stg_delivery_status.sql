-- The way of pieces: one row per event. Empty until the first fetch.
{% set columns = {
    "piece_id": "string",
    "status": "string",
    "happened_at": "timestamp",
    "entry": "string",
    "file": "string",
    "row_number": "bigint",
    "received_at": "timestamp",
} %}
with
    received as (
        select {{ columns | join(", ") }}
        from {{ dmail.read_files(source("dmail", "inbound_delivery_status"), otherwise=columns) }}
    ),

    -- A file that is sent again, or with more rows, repeats rows. The first one counts.
    final as (
        select *
        from
            (
                select
                    *,
                    row_number() over (
                        partition by piece_id, status, happened_at order by received_at, entry, file, row_number
                    ) as copy_number
                from received
            ) as numbered
        where copy_number = 1
    )

select {{ columns | join(", ") }}
from final
