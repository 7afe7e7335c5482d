-- The last known status of each piece. Pieces of which nothing is known are not listed.
with
    events as (select * from {{ ref("dmail", "int_piece_events") }}),

    -- Of events of one time, such as of one day, the one counts after which less can happen.
    numbered as (
        select
            *,
            row_number() over (
                partition by piece_id
                order by
                    happened_at desc,
                    case
                        status
                        when 'returned'
                        then 1
                        when 'failed'
                        then 2
                        when 'delivered'
                        then 3
                        when 'rerouted'
                        then 4
                        else 5
                    end
            ) as event_number
        from events
    ),

    final as (
        select
            piece_id,
            profile_id,
            household_key,
            campaign,
            slot,
            run_id,
            treatment,
            status,
            happened_at as status_at,
            received_at as known_at
        from numbered
        where event_number = 1
    )

select *
from final
