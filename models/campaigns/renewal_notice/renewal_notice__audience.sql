-- Members whose year ends four to eight weeks from now.
with
    profiles as (select * from {{ ref("int_postal_addresses") }}),

    members as (
        select
            *,
            {{ dmail.anniversary("created_at", dmail.slot() ~ " + interval 28 day") }} as renews_on,
            cast(36 + 6 * least(orders_count, 10) as decimal(10, 2)) as fee,
            case when country_code = 'US' then 'USD' else 'EUR' end as currency,
            case
                country_code when 'US' then 'en-US' when 'FR' then 'fr-FR' when 'IT' then 'it-IT' else 'de-DE'
            end as locale
        from profiles
    )

select *
from members
where
    {% call dmail.targeted() %}
        created_at < {{ dmail.slot() }} - interval 180 day and renews_on < cast({{ dmail.slot() }} as date) + interval 56 day
    {% endcall %}
