-- The profiles that qualify, before any rule excludes them: everybody who has ordered in the last 12 months.
with profiles as (select * from {{ ref("ADDRESSES") }})

select *
from profiles
where
    {% call dmail.targeted() %}
        last_order_at < {{ dmail.slot() }} and last_order_at >= {{ dmail.slot() }} - interval 12 month
    {% endcall %}
