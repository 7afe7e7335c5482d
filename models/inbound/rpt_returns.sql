-- One row per run and reason: how much of a mailing came back.
with
    pieces as (
        select run_id, campaign, slot as slot_at, count(*) as mailed
        from ({{ dmail.mailed_pieces() }}) as mailed_pieces
        group by run_id, campaign, slot
    ),

    returned as (
        select run_id, reason, count(distinct piece_id) as returned
        from {{ ref("dmail", "int_returned_pieces") }}
        where is_known
        group by run_id, reason
    ),

    final as (
        select
            pieces.run_id,
            pieces.campaign,
            pieces.slot_at,
            returned.reason,
            pieces.mailed,
            returned.returned,
            returned.returned / cast(pieces.mailed as double) as share_of_mailed
        from pieces
        inner join returned on pieces.run_id = returned.run_id
    )

select *
from final
