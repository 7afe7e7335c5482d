-- Who was put in which file. Empty until the first run.
with
    source as (
        select *
        from
            {{
                read_files(
                    source("dmail", "contact_history"),
                    otherwise={
                        "profile_id": "string",
                        "household_key": "string",
                        "campaign": "string",
                        "slot": "timestamp",
                        "run_id": "string",
                        "cell": "string",
                    },
                )
            }}
    ),

    final as (select profile_id, household_key, campaign, slot, run_id, cell from source)

select *
from final
