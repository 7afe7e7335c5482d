-- New customers of the last four weeks. already_mailed() makes sure that each gets one letter.
with profiles as (select * from {{ ref("int_postal_addresses") }})

select *
from profiles
where
    {% call dmail.targeted() %}
        created_at < {{ dmail.slot() }} and created_at >= {{ dmail.slot() }} - interval 28 day
    {% endcall %}
