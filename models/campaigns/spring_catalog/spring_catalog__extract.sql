-- The printer's columns, one row per piece.
with
    recipients as (select profile_id from {{ ref("spring_catalog__recipients") }} where exclusion_reason is null),

    audience as (select * from {{ ref("spring_catalog__audience") }}),

    final as (
        select
            audience.profile_id,
            {{ join_words(["title", "first_name", "last_name"]) }} as full_name,
            company,
            address_line1,
            address_line2,
            city,
            region,
            postal_code,
            upper(country_name) as country,
            country_code,
            language
        from audience
        inner join recipients on audience.profile_id = recipients.profile_id
    )

select *
from final
