-- Who was put in which file. Empty until the first run.
with
    source as (
        select *
        from
            {{
                read_files(
                    source("dmail", "contact_history"),
                    otherwise={
                        "profile_id": "varchar",
                        "household_key": "varchar",
                        "campaign": "varchar",
                        "slot": "timestamp",
                        "run_id": "varchar",
                        "cell": "varchar",
                    },
                )
            }}
    ),

    final as (select profile_id, household_key, campaign, slot, run_id, cell from source)

select *
from final
