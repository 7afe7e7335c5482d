-- What is known of each piece: one row per piece and status, with the report that was received first. Later reports of
-- the same status change nothing, so that a trigger has one moment for ever.
with
    reports as (
        select upper(piece_id) as match_id, status, happened_at, received_at
        from {{ ref("dmail", "stg_delivery_status") }}
        union all
        select upper(piece_id) as match_id, 'returned' as status, happened_at, received_at
        from {{ ref("dmail", "stg_returns") }}
        where piece_id is not null
    ),

    pieces as (
        select * from ({{ dmail.mailed_pieces() }}) as mailed_pieces where match_id in (select match_id from reports)
    ),

    -- A copy of a run prints the same ids again: the last run counts.
    numbered_pieces as (
        select *, row_number() over (partition by match_id order by slot desc, run_id desc) as copy_number from pieces
    ),

    last_pieces as (select * from numbered_pieces where copy_number = 1),

    -- A time before the day of the slot, or after the report was received, is an error of the file.
    events as (
        select
            last_pieces.match_id,
            last_pieces.profile_id,
            last_pieces.household_key,
            last_pieces.campaign,
            last_pieces.slot,
            last_pieces.run_id,
            last_pieces.treatment,
            reports.status,
            case
                when reports.happened_at >= cast(last_pieces.slot as date) and reports.happened_at < reports.received_at
                then reports.happened_at
                else reports.received_at
            end as happened_at,
            reports.received_at
        from reports
        inner join last_pieces on reports.match_id = last_pieces.match_id
    ),

    numbered as (
        select
            *,
            row_number() over (partition by match_id, status order by received_at, happened_at) as report_number,
            min(case when status in ('returned', 'failed') then received_at end) over (
                partition by match_id
            ) as lost_known_at
        from events
    ),

    final as (
        select
            match_id as piece_id,
            profile_id,
            household_key,
            campaign,
            slot,
            run_id,
            treatment,
            status,
            happened_at,
            received_at,
            lost_known_at
        from numbered
        where report_number = 1
    )

select *
from final
