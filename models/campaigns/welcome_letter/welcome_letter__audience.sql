-- Who has become a customer in the last four weeks. Everybody gets one letter: already_mailed() sees to it.
with profiles as (select * from {{ ref("int_postal_addresses") }})

select *
from profiles
where
    {% call dmail.targeted() %}
        created_at < {{ dmail.slot() }} and created_at >= {{ dmail.slot() }} - interval 28 day
    {% endcall %}
