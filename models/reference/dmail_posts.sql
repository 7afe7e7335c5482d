-- One row per country: what its post requires of an address, and how it prints one.
with
    countries as (select * from {{ ref("dmail", "countries") }}),

    names as (
        select country_code, {{ dmail.entries_by_key("language", "country_name") }} as country_names
        from {{ ref("dmail", "country_names") }}
        group by country_code
    ),

    divided as (select distinct country_code from {{ ref("dmail", "regions") }}),

    final as (
        select countries.*, names.country_names, divided.country_code is not null as has_regions
        from countries
        left join names on countries.country_code = names.country_code
        left join divided on countries.country_code = divided.country_code
    )

select *
from final
