"""The letters of spring_catalog by one hand-written query, without verdicts and tests, and the inputs of all contenders.

The query selects people by the campaign's rules, with simpler keys of households and persons.
"""

from datetime import date
from pathlib import Path

import duckdb

from dmail_runner.setup.sample_data import write_sample

ROOT = Path(__file__).parent.parent
SLOT = "2026-10-05 10:00:00"
AS_OF = date(2026, 10, 1)

QUERY = r"""
create table letters as
with
    listed as (
        select profile_id, last_name, first_name, address_line1, address_line2, postal_code, country_code
        from read_csv('{suppressions}', all_varchar = true, quote = '"')
        where list_name in ('do_not_mail', 'deceased', 'returned')
    ),
    keyed as (
        select
            profiles.*,
            country_name,
            nullif(concat_ws(' ', title, first_name, last_name), '') as full_name,
            regexp_replace(translate(strip_accents(lower(coalesce(last_name, first_name, company))), 'øłđß', 'olds'),
                '([aou])e|[^\p{{L}}\p{{N}}]+', '\1', 'g') as surname,
            regexp_replace(translate(strip_accents(lower(coalesce(
                nullif(concat_ws(' ', first_name, last_name), ''), company))), 'øłđß', 'olds'),
                '([aou])e|[^\p{{L}}\p{{N}}]+', '\1', 'g') as whole_name,
            {street} || coalesce(substr(postal_code, 1, 5), city) || country_code as place
        from read_parquet('{profiles}') as profiles
        inner join read_csv('{countries}', all_varchar = true, quote = '"') as countries using (country_code)
        where
            is_test_profile = 'false'
            and orders_count > 0
            and last_order_at::timestamp < timestamp '{slot}' - interval 12 month
            and coalesce(postal_mail_consent, '') <> 'n'
            and coalesce(marketing_consent, '') <> 'n'
            and coalesce(first_name, last_name, company) is not null
            and address_line1 is not null
            and city is not null
            and postal_code is not null
    ),
    mailable as (
        select *, md5(surname || '|' || place) as household
        from keyed
        where
            profile_id not in (select profile_id from listed where profile_id is not null)
            and whole_name || place not in (
                select
                    regexp_replace(translate(strip_accents(lower(concat_ws(' ', first_name, last_name))), 'øłđß', 'olds'),
                        '([aou])e|[^\p{{L}}\p{{N}}]+', '\1', 'g')
                    || {street} || substr(postal_code, 1, 5) || country_code
                from listed
                where address_line1 is not null and postal_code is not null
            )
    ),
    capped as (
        select *
        from mailable
        where substr(household, 1, 16) not in (
            select household_key
            from read_parquet('{history}')
            where cell = 'mailed' and slot > timestamp '{slot}' - interval 30 day and household_key is not null
        )
        qualify row_number() over (partition by household order by lifetime_value desc, profile_id) = 1
    )
select
    profile_id, full_name, company, address_line1, address_line2, city, region, postal_code, upper(country_name) as country,
    country_code, language, 'SPRING-' || country_code as key_code,
    upper(substr(md5('spring_catalog/{slot}/' || profile_id), 1, 12)) as piece_id, false as is_seed
from capped
where substr(md5('spring_catalog/holdout/' || profile_id), 1, 8) >= '0ccccccd'
"""
STREET = r"""regexp_replace(strip_accents(lower(concat_ws(' ', address_line1, address_line2))) || ' ',
    '(?:\b(?:(st)(?:r|reet)?|(av)(?:e|enue)?|(r)(?:oa)?d|(dr)(?:ive|v)?|(l)(?:ane|n)|(b)(?:oulevard|lvd|d)|(c)(?:our)?t|(pl)(?:ace)?))?'
    '(?:[^\p{L}\p{N}]+(?:apartment|apt|unit|suite|ste|no|nr)\b)*[^\p{L}\p{N}]+', '\1\2\3\4\5\6\7\8 ', 'g')"""


def write_inputs(folder: Path, rows: int) -> None:
    """Write profiles, suppression lists with a tenth of them, and two old contacts of each."""
    write_sample(folder / "profiles.parquet", rows, AS_OF)
    history = folder / "history" / "before"
    history.mkdir(parents=True)
    with duckdb.connect(config={"memory_limit": "4GB", "temp_directory": str(folder / "spill")}) as connection:
        connection.execute(
            f"""
            copy (
                select
                    ['do_not_mail', 'returned', 'deceased'][1 + (i % 3)] as list_name, 'bench' as reason,
                    lpad(cast(i * 10 as varchar), 10, '0') as profile_id, null as first_name, null as last_name, null as company,
                    null as address_line1, null as address_line2, null as city, null as postal_code, null as country_code,
                    null as valid_from, null as valid_until, '2026-10-01' as as_of
                from range({rows} // 10) as numbers(i)
                union all by name
                from read_csv('{folder}/suppressions.csv', all_varchar = true)
            ) to '{folder}/lists.csv' (format csv, header true)
            """
        )
        connection.execute(
            f"""
            copy (
                select
                    lpad(cast(i // 2 as varchar), 10, '0') as profile_id,
                    'v2-' || substr(md5(cast(i // 2 as varchar)), 1, 16) as household_key,
                    'autumn' as campaign,
                    timestamp '2026-10-05' - to_days(cast(1 + hash(i) % 700 as int)) as slot,
                    'before' as run_id,
                    'mailed' as cell
                from range({2 * rows}) as numbers(i)
            ) to '{history}/contacts.parquet' (format parquet, compression zstd)
            """
        )


def by_hand(folder: Path) -> str:
    """The query over the inputs in a folder: it makes the table `letters`."""
    return QUERY.format(
        suppressions=folder / "lists.csv",
        profiles=folder / "profiles.parquet",
        history=folder / "history/before/contacts.parquet",
        countries=ROOT / "seeds/countries.csv",
        slot=SLOT,
        street=STREET,
    )
