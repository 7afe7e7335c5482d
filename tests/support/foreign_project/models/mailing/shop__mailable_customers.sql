select
    customer_id as profile_id,
    cast(null as string) as title,
    name_given as first_name,
    name_family as last_name,
    cast(null as string) as company,
    street as address_line1,
    cast(null as string) as address_line2,
    town as city,
    state as region,
    zip as postal_code,
    'US' as country_code,
    {{ dmail.consent_value("mail_ok") }} as postal_mail_consent,
    cast(null as string) as marketing_consent,
    {{ dmail.is_yes("staff") }} as is_test_profile
from {{ ref("dim_customers") }}
