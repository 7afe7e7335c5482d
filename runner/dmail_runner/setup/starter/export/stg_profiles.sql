-- One row per profile, from the export of << label >>. Correct the expressions left of `as` where they are wrong.
with
    source as (select * from {{ dmail.read_files(source("crm", "profiles")) }}),

    final as (
        select
%% for line in lines
<< line >>
%% endfor
        from source
%% if without
        where not {{ dmail.is_yes(<< without >>) }}
%% endif
    )

select *
from final
