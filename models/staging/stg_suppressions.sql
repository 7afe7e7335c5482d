-- One row per entry of a suppression list. For another source, change only the expressions left of `as`.
with
    source as (select * from {{ dmail.read_files(source("crm", "suppressions")) }}),

    forgotten as (select * from {{ dmail.forgotten() }}),

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

    worded as (
        select
            *,
            {{ dmail.name_words("coalesce(" ~ dmail.join_words(["first_name", "last_name"]) ~ ", company)") }} as name,
            {{ dmail.box_words("address_line1", "address_line2") }} as street,
            {{ dmail.locality_words("city", dmail.postal_code("postal_code", "country_code"), "country_code") }}
            as locality
        from renamed
    ),

    -- An entry without a first name is of the household, and one without a name of the address, unless it names a
    -- profile.
    entries as (
        select
            list_name,
            reason,
            profile_id,
            {{ dmail.match_key(["name", "street", "locality"]) }} as person_key,
            case
                when profile_id is null and first_name is null and last_name is not null
                then {{ dmail.match_key(["name", "street", "locality"]) }}
            end as household_key,
            case
                when profile_id is null and name is null then {{ dmail.match_key(["street", "locality"]) }}
            end as address_key,
            valid_from,
            valid_until,
            as_of
        from worded
    ),

    final as (
        select *
        from entries
        union all
        select
            'forgotten' as list_name,
            'erased on request' as reason,
            profile_id,
            cast(null as string) as person_key,
            cast(null as string) as household_key,
            cast(null as string) as address_key,
            cast(null as timestamp) as valid_from,
            cast(null as timestamp) as valid_until,
            forgotten_at as as_of
        from forgotten
    )

select *
from final
