-- Every profile with its one postal address, normalised and judged. What campaigns select from.
with
    profiles as (select * from {{ ref("stg_profiles") }}),

    countries as (select * from {{ ref("countries") }}),

    normalised as (
        select
            profiles.*,
            upper(coalesce(country_code, '{{ var("home_country") }}')) as iso_country_code,
            {{ join_words(["first_name", "last_name"]) }} as full_name
        from profiles
    ),

    final as (
        select
            {{ star_except(["country_code", "iso_country_code", "has_postal_code"]) }},
            iso_country_code as country_code,
            case
                when coalesce(full_name, company) is null
                then 'no name'
                when address_line1 is null
                then 'no address line'
                when city is null
                then 'no city'
                when country_name is null
                then 'unknown country'
                when has_postal_code and postal_code is null
                then 'no postal code'
            end as address_problem,
            lower(
                concat_ws(
                    '|',
                    coalesce(full_name, ''),
                    coalesce(company, ''),
                    coalesce(address_line1, ''),
                    coalesce(address_line2, ''),
                    coalesce(city, ''),
                    coalesce(postal_code, ''),
                    iso_country_code
                )
            ) as person_key
        from normalised
        left join countries on normalised.iso_country_code = countries.country_code
    )

select *
from final
