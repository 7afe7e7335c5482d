%% if "last_order_at" in columns
-- The profiles that qualify, before any rule excludes them: everybody who has ordered in the last 12 months.
%% else
-- The profiles that qualify, before any rule excludes them: everybody. Replace `true` by a condition of yours.
%% endif
with profiles as (select * from {{ ref("ADDRESSES") }})

select *
from profiles
where
    {% call dmail.targeted() %}
%% if "last_order_at" in columns
        last_order_at < {{ dmail.slot() }} and last_order_at >= {{ dmail.slot() }} - interval 12 month
%% else
        true
%% endif
    {% endcall %}
