-- Canonical profiles. To bring your own file, change what stands left of `as`; the names on the right are what
-- campaigns use.
with
    source as (select * from {{ read_files(source("crm", "profiles")) }}),

    final as (
        select
            {{ clean_text("profile_id") }} as profile_id,
            {{ clean_text("title") }} as title,
            {{ clean_text("first_name") }} as first_name,
            {{ clean_text("last_name") }} as last_name,
            {{ clean_text("company") }} as company,
            {{ clean_text("address_line1") }} as address_line1,
            {{ clean_text("address_line2") }} as address_line2,
            {{ clean_text("city") }} as city,
            {{ clean_text("region") }} as region,
            {{ clean_text("postal_code") }} as postal_code,
            {{ clean_text("country_code") }} as country_code,
            {{ clean_text("language") }} as language,
            {{ clean_text("postal_mail_consent") }} as postal_mail_consent,
            {{ clean_text("marketing_consent") }} as marketing_consent,
            lower(trim(cast(is_test_profile as varchar))) in ('true', 't', 'yes', 'y', '1') as is_test_profile,
            try_cast(created_at as timestamp) as created_at,
            try_cast(updated_at as timestamp) as updated_at,
            try_cast(last_order_at as timestamp) as last_order_at,
            try_cast(orders_count as integer) as orders_count,
            try_cast(lifetime_value as decimal(18, 2)) as lifetime_value
        from source
    )

select *
from final
