"""The floor: the same rows by one hand-written DuckDB query and OpenSSH's own sftp. No tests, no verdicts, no ledger."""

import subprocess
import sys
from pathlib import Path

import duckdb

QUERY = """
with
    profiles as (
        select
            *,
            nullif(trim(concat_ws(' ', trim(first_name), trim(last_name))), '') as name,
            nullif(trim(regexp_replace(address_line2, '\\s+', ' ', 'g')), '') as line2
        from read_parquet('{profiles}')
    ),
    mailable as (
        select profiles.*, country_name
        from profiles
        inner join read_csv('{countries}', all_varchar = true, quote = '"') as countries using (country_code)
        where
            is_test_profile = 'false'
            and orders_count > 0
            and last_order_at::timestamp < timestamp '{slot}' - interval 12 month
            and coalesce(postal_mail_consent, '') <> 'n'
            and coalesce(marketing_consent, '') <> 'n'
            and coalesce(name, company) is not null
            and address_line1 is not null
            and city is not null
            and (postal_code is not null or requires_postal_code = 'false')
        qualify row_number() over (
            partition by lower(concat_ws('|',
                coalesce(name, ''), coalesce(company, ''), coalesce(address_line1, ''), coalesce(line2, ''),
                coalesce(city, ''), coalesce(postal_code, ''), country_code
            ))
            order by lifetime_value desc, profile_id
        ) = 1
    )
select
    profile_id as "Customer ID",
    nullif(concat_ws(' ', title, first_name, last_name), '') as "Full Name",
    company as "Company",
    address_line1 as "Address 1",
    line2 as "Address 2",
    city as "City",
    region as "State",
    postal_code as "Postal Code",
    upper(country_name) as "Country",
    country_code as "Country Code",
    language as "Language"
from mailable
order by country_code nulls last, postal_code nulls last, profile_id
"""


def main(arguments: list[str]) -> None:
    """Write the file and upload it with the given sftp command, which reads its batch from standard input."""
    profiles, countries, slot, output, temporary, *sftp = arguments
    connection = duckdb.connect(config={"memory_limit": "3GB", "threads": "2", "temp_directory": temporary})
    query = QUERY.format(profiles=profiles, countries=countries, slot=slot)
    connection.execute(f"copy ({query}) to '{output}' (format csv, header true, new_line '\\r\\n')")
    connection.close()
    subprocess.run(sftp, input=f"put {output} {Path(output).name}\n", text=True, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(sys.argv[1:])
