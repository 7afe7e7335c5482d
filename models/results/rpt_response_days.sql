-- One row per campaign, cell and day after the in-home date: the units that respond for the first time on it.
with
    responses as (select * from {{ ref("dmail", "int_measured_responses") }}),

    first_responses as (
        select campaign, cell, treatment, unit_key, min(day_number) as day_number
        from responses
        group by campaign, cell, treatment, unit_key
    ),

    final as (
        select campaign, cell, treatment, day_number, count(*) as new_responders
        from first_responses
        group by campaign, cell, treatment, day_number
        union all
        -- All mailed units, if there are several cells.
        select campaign, cell, cast(null as string) as treatment, day_number, count(*) as new_responders
        from first_responses
        where cell = 'mailed' and treatment is not null
        group by campaign, cell, day_number
    )

select *
from final
