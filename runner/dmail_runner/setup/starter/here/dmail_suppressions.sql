-- One row per entry of a suppression list. Add your lists by `union all`, as docs/howto/dbt-package.md shows. The people whom
-- `dmail-runner forget` has erased must stay in it.
DO_NOT_MAIL
select
    'forgotten' as list_name,
    profile_id,
    cast(null as string) as person_key,
    cast(null as timestamp) as valid_from,
    cast(null as timestamp) as valid_until,
    forgotten_at as as_of
from {{ dmail.forgotten() }}
