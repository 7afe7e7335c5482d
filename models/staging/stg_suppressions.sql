-- Canonical suppression lists. To bring your own, change what stands left of `as`.
with
    source as (select * from {{ read_files(source("crm", "suppressions")) }}),

    forgotten as (
        select *
        from
            {{
                read_files(
                    source("dmail", "forgotten"), otherwise={"profile_id": "string", "forgotten_at": "timestamp"}
                )
            }}
    ),

    renamed as (
        select
            {{ clean_text("source.list_name") }} as list_name,
            {{ clean_text("source.reason") }} as reason,
            {{ clean_text("source.profile_id") }} as profile_id,
            {{ clean_text("source.first_name") }} as first_name,
            {{ clean_text("source.last_name") }} as last_name,
            {{ clean_text("source.company") }} as company,
            {{ clean_text("source.address_line1") }} as address_line1,
            {{ clean_text("source.address_line2") }} as address_line2,
            {{ clean_text("source.city") }} as city,
            {{ clean_text("source.postal_code") }} as postal_code,
            {{ country_code("coalesce(" ~ clean_text("source.country_code") ~ ", '" ~ var("home_country") ~ "')") }}
            as country_code,
            {{ read_as("source.valid_from", "timestamp") }} as valid_from,
            {{ read_as("source.valid_until", "timestamp") }} as valid_until,
            {{ read_as("source.as_of", "timestamp") }} as as_of
        from source
    ),

    entries as (
        select
            list_name,
            reason,
            profile_id,
            {{
                match_key(
                    [
                        name_words("coalesce(" ~ join_words(["first_name", "last_name"]) ~ ", company)"),
                        box_words("address_line1", "address_line2"),
                        place_words("city", postal_code("postal_code", "country_code"), "country_code"),
                    ]
                )
            }} as person_key,
            valid_from,
            valid_until,
            as_of
        from renamed
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
            cast(null as timestamp) as valid_from,
            cast(null as timestamp) as valid_until,
            forgotten_at as as_of
        from forgotten
    )

select *
from final
