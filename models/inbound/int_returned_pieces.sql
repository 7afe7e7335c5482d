-- Returned mail with its contact: who was mailed when, and the name and the address as mailed.
{% set columns = ["campaign", "slot", "run_id", "household_key", "person_key", "address_key"] %}
with
    returned as (select * from {{ ref("dmail", "stg_returns") }}),

    -- The pieces are named twice: DuckDB would hold a common table expression, the complete history, in memory. A
    -- copy of a run prints the same ids again: the last run counts. Without a piece, it is the person's last one.
    matched as (
        select returned.entry, returned.file, returned.row_number, pieces.*
        from returned
        inner join ({{ dmail.mailed_pieces() }}) as pieces on upper(returned.piece_id) = pieces.match_id
        union all
        select returned.entry, returned.file, returned.row_number, pieces.*
        from returned
        inner join ({{ dmail.mailed_pieces() }}) as pieces on returned.profile_id = pieces.profile_id
        where returned.piece_id is null and coalesce(pieces.slot <= returned.happened_at, true)
    ),

    last_piece as (
        select *
        from
            (
                select
                    {{ dmail.star_except(["row_number"]) }},
                    row_number as returned_row,
                    row_number() over (
                        partition by entry, file, row_number order by slot desc, run_id desc
                    ) as copy_number
                from matched
            ) as numbered
        where copy_number = 1
    ),

    final as (
        select
            returned.piece_id,
            coalesce(last_piece.profile_id, returned.profile_id) as profile_id,
            returned.reason,
            returned.happened_at,
            {% for column in columns %} last_piece.{{ column }}, {% endfor %}
            last_piece.run_id is not null as is_known,
            coalesce(returned.happened_at < last_piece.slot, false) as is_early,
            returned.entry,
            returned.file,
            returned.received_at
        from returned
        left join
            last_piece
            on returned.entry = last_piece.entry
            and returned.file = last_piece.file
            and returned.row_number = last_piece.returned_row
    )

select *
from final
