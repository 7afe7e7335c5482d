-- One row per profile, in the columns that campaigns use. For another source, change only the expressions left of `as`.
with
    source as (select * from {{ dmail.read_files(source("crm", "profiles")) }}),

    final as (
        select
            {{ dmail.clean_text("source.profile_id") }} as profile_id,
            {{ dmail.clean_text("source.title") }} as title,
            {{ dmail.clean_text("source.first_name") }} as first_name,
            {{ dmail.clean_text("source.last_name") }} as last_name,
            {{ dmail.clean_text("source.company") }} as company,
            {{ dmail.clean_text("source.address_line1") }} as address_line1,
            {{ dmail.clean_text("source.address_line2") }} as address_line2,
            {{ dmail.clean_text("source.city") }} as city,
            {{ dmail.clean_text("source.region") }} as region,
            {{ dmail.clean_text("source.postal_code") }} as postal_code,
            {{ dmail.clean_text("source.country_code") }} as country_code,
            {{ dmail.clean_text("source.language") }} as language,
            {{ dmail.consent_value("source.postal_mail_consent") }} as postal_mail_consent,
            {{ dmail.consent_value("source.marketing_consent") }} as marketing_consent,
            {{ dmail.is_yes("source.is_test_profile") }} as is_test_profile,
            {{ dmail.read_as("source.created_at", "timestamp") }} as created_at,
            {{ dmail.read_as("source.updated_at", "timestamp") }} as updated_at,
            {{ dmail.read_as("source.last_order_at", "timestamp") }} as last_order_at,
            {{ dmail.read_as("source.orders_count", "integer") }} as orders_count,
            {{ dmail.read_as("source.lifetime_value", "decimal(18, 2)") }} as lifetime_value
        from source
    )

select *
from final
