select
    'do_not_mail' as list_name,
    customer as profile_id,
    cast(null as string) as person_key,
    cast(requested_on as timestamp) as valid_from,
    cast(null as timestamp) as valid_until,
    {{ dmail.slot() }} as as_of
from {{ ref("raw_opt_outs") }}
union all
select 'forgotten', profile_id, null, null, null, forgotten_at
from {{ dmail.forgotten() }}
