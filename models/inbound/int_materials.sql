-- What mail houses have on hand: the newest count of each item. Counts are those of received files, or of the model
-- that the variable `dmail_materials` names.
{% set given = var("dmail_materials", none) %}
with
    {% if given %}
        counts as (select item, on_hand, alert_level, valid_until, lead_time_days, counted_at from {{ ref(given) }}),
    {% else %}
        counts as (
            select
                item,
                on_hand,
                alert_level,
                valid_until,
                lead_time_days,
                coalesce(happened_at, received_at) as counted_at
            from {{ ref("dmail", "stg_stock") }}
        ),
    {% endif %}

    -- Two counts of one moment are both kept: the runner cannot know which is right, and holds the run.
    numbered as (select *, rank() over (partition by item order by counted_at desc) as age from counts),

    final as (
        select
            cast(item as {{ dbt.type_string() }}) as item,
            cast(on_hand as bigint) as on_hand,
            cast(alert_level as bigint) as alert_level,
            cast(valid_until as timestamp) as valid_until,
            cast(lead_time_days as bigint) as lead_time_days,
            cast(counted_at as timestamp) as counted_at
        from numbered
        where age = 1
    )

select *
from final
