-- One row per run and last known status of its pieces. Runs of which nothing is known are not listed.
with
    statuses as (
        select run_id, status, count(*) as pieces, max(status_at) as last_at
        from {{ ref("dmail", "int_piece_status") }}
        group by run_id, status
    ),

    mailed as (
        select run_id, campaign, slot as slot_at, count(*) as mailed
        from ({{ dmail.mailed_pieces() }}) as mailed_pieces
        group by run_id, campaign, slot
    ),

    final as (
        select
            mailed.run_id,
            mailed.campaign,
            mailed.slot_at,
            statuses.status,
            mailed.mailed,
            statuses.pieces,
            statuses.pieces / cast(mailed.mailed as double) as share_of_mailed,
            statuses.last_at
        from mailed
        inner join statuses on mailed.run_id = statuses.run_id
    )

select *
from final
