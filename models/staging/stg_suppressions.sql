-- One row per entry of a suppression list. For another source, change only the expressions left of `as`.
with
    source as (select * from {{ dmail.read_files(source("crm", "suppressions")) }}),

    forgotten as (select * from {{ dmail.forgotten() }}),

    returned as (select * from {{ dmail.returned_mail() }}),

    renamed as (
        select
            {{ dmail.clean_text("source.list_name") }} as list_name,
            {{ dmail.clean_text("source.reason") }} as reason,
            {{ dmail.clean_text("source.profile_id") }} as profile_id,
            {{ dmail.clean_text("source.first_name") }} as first_name,
            {{ dmail.clean_text("source.last_name") }} as last_name,
            {{ dmail.clean_text("source.company") }} as company,
            {{ dmail.clean_text("source.address_line1") }} as address_line1,
            {{ dmail.clean_text("source.address_line2") }} as address_line2,
            {{ dmail.clean_text("source.city") }} as city,
            {{ dmail.clean_text("source.postal_code") }} as postal_code,
            {{
                dmail.country_code(
                    "coalesce(" ~ dmail.clean_text("source.country_code") ~ ", '" ~ var("home_country") ~ "')"
                )
            }} as country_code,
            {{ dmail.read_as("source.valid_from", "timestamp") }} as valid_from,
            {{ dmail.read_as("source.valid_until", "timestamp") }} as valid_until,
            {{ dmail.read_as("source.as_of", "timestamp") }} as as_of
        from source
    ),

    located as (
        select
            {{ dmail.star_except(["postal_code"]) }},
            {{ dmail.postal_code("postal_code", "country_code") }} as postal_code
        from renamed
    ),

    keyed as ({{ dmail.match_keys("located") }}),

    -- An entry without a first name is of the household, and one without a name of the address, unless it names a
    -- profile.
    entries as (
        select
            list_name,
            reason,
            profile_id,
            first_name,
            last_name,
            company,
            address_line1,
            address_line2,
            city,
            postal_code,
            country_code,
            person_key,
            case
                when profile_id is null and first_name is null and last_name is not null then household_key
            end as household_key,
            case when coalesce(profile_id, first_name, last_name, company) is null then address_key end as address_key,
            valid_from,
            valid_until,
            as_of
        from keyed
    ),

    final as (
        select *
        from entries
        union all
        select
            'forgotten' as list_name,
            'erased on request' as reason,
            profile_id,
            cast(null as string) as first_name,
            cast(null as string) as last_name,
            cast(null as string) as company,
            cast(null as string) as address_line1,
            cast(null as string) as address_line2,
            cast(null as string) as city,
            cast(null as string) as postal_code,
            cast(null as string) as country_code,
            cast(null as string) as person_key,
            cast(null as string) as household_key,
            cast(null as string) as address_key,
            cast(null as timestamp) as valid_from,
            cast(null as timestamp) as valid_until,
            forgotten_at as as_of
        from forgotten
        union all
        select
            list_name,
            reason,
            profile_id,
            cast(null as string) as first_name,
            cast(null as string) as last_name,
            cast(null as string) as company,
            cast(null as string) as address_line1,
            cast(null as string) as address_line2,
            cast(null as string) as city,
            cast(null as string) as postal_code,
            cast(null as string) as country_code,
            person_key,
            cast(null as string) as household_key,
            address_key,
            cast(null as timestamp) as valid_from,
            valid_until,
            cast(null as timestamp) as as_of
        from returned
    )

select *
from final
