-- Lapsed catalogue buyers: they have ordered before, but not in the last 12 months.
with profiles as (select * from {{ ref("int_postal_addresses") }})

select *
from profiles
where
    {% call dmail.targeted() %}
        orders_count > 0 and last_order_at < {{ dmail.slot() }} - interval 12 month
    {% endcall %}
