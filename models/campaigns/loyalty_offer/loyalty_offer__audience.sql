-- Buyers of the last two years, with the columns that their offers depend on.
with profiles as (select * from {{ ref("int_postal_addresses") }})

select *
from profiles
where
    {% call dmail.targeted() %}
        orders_count >= 3 and last_order_at >= {{ dmail.slot() }} - interval 24 month
    {% endcall %}
