-- New and lost addresses, as the post or a provider reports them. Empty until the first fetch.
{% set columns = {
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
    "entry": "string",
    "file": "string",
    "row_number": "bigint",
    "received_at": "timestamp",
} %}
with
    received as (
        select {{ columns | join(", ") }}
        from {{ dmail.read_files(source("dmail", "inbound_address_updates"), otherwise=columns) }}
    ),

    -- A file that is sent again, or with more rows, repeats rows. The first one counts.
    final as (
        select *
        from
            (
                select
                    *,
                    row_number() over (
                        partition by piece_id, profile_id, change, happened_at
                        order by received_at, entry, file, row_number
                    ) as copy_number
                from received
            ) as numbered
        where copy_number = 1
    )

select {{ columns | join(", ") }}
from final
