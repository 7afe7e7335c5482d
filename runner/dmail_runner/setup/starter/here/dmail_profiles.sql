-- Everybody who can be mailed, one row per profile_id. Correct the expressions left of `as` where they are wrong.
-- `dbt docs` shows the lineage from your sources to the campaign.
with
    customers as (select * from {{ CUSTOMERS }}),

    final as (
        select
            MAPPING
        from customers
    )

select *
from final
