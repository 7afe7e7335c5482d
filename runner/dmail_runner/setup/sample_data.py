"""Sample profiles: an invented customer database with the defects of real ones. The same number of rows gives the same data."""

from datetime import date
from pathlib import Path

import duckdb

from dmail_runner.core.duck import connect
from dmail_runner.core.errors import UsageError
from dmail_runner.project.warehouse import literal

FIRST_NAMES = "Ann,José,Zoë,Liam,Olivia,Noah,Emma,Mia,Lucas,Sofía,Chloë,Björn,Aoife,Łukasz,Inês,Đorđe,Grace,Henry,Amélie,Karl,Priya,Wei,Yuki,Fatima,Omar,Nina,Oscar,Ruth,Hugo,Ida"
LAST_NAMES = "Ray,O'Brien,Müller,García,McDonald,van der Berg,Smith-Jones,Nguyễn,Kowalski,da Silva,Dubois,Rossi,Andersson,Novák,Ivanova,Tanaka,Kim,Patel,Cohen,Haddad,Johnson,Williams,Brown,Jones,Miller,Davis,Wilson,Moore,Taylor,Clark,Lewis,Young"
STREETS = "Main St,Oak Ave,Maple Dr,Church Rd,Mill Ln,High St,Park Blvd,Lake View,2nd Ave,St. John's Rd,Elm Ct,River Rd,Sunset Blvd,King St,Cedar Way"
# City, region, first postal code, country, language. Postal codes count up from the first one; some have a leading zero.
CITIES = """
    ('Boston', 'MA', '02108', 'US', 'en'), ('Providence', 'RI', '02903', 'US', 'en'), ('Newark', 'NJ', '07102', 'US', 'en'),
    ('Hartford', 'CT', '06103', 'US', 'en'), ('Burlington', 'VT', '05401', 'US', 'en'), ('New York', 'NY', '10001', 'US', 'en'),
    ('Atlanta', 'GA', '30303', 'US', 'en'), ('Miami', 'FL', '33101', 'US', 'es'), ('Chicago', 'IL', '60601', 'US', 'en'),
    ('Dallas', 'TX', '75201', 'US', 'en'), ('Denver', 'CO', '80202', 'US', 'en'), ('Seattle', 'WA', '98101', 'US', 'en'),
    ('San José', 'CA', '95112', 'US', 'es'), ('San Juan', 'PR', '00901', 'US', 'es'), ('Berlin', null, '10115', 'DE', 'de'),
    ('Dresden', null, '01067', 'DE', 'de'), ('Paris', null, '75001', 'FR', 'fr'), ('Ajaccio', null, '20000', 'FR', 'fr'),
    ('Milano', 'MI', '20121', 'IT', 'it'), ('Bologna', 'BO', '40121', 'IT', 'it')
"""

QUERY = """
with
    drawn as (
        -- One in fifty is the same person as the one before, entered again.
        select i, md5_number_lower('dmail' || (case when i % 50 = 49 then i - 1 else i end)) as person, md5_number_lower('row' || i) as row_draw
        from range({rows}) as numbers(i)
    ),
    cities as (select row_number() over () - 1 as number, * from (values {cities}) as c(city, region, first_code, country, language)),
    lists as (select string_split({first}, ',') as firsts, string_split({last}, ',') as lasts, string_split({streets}, ',') as streets),
    rows as (
        select drawn.*, lists.*, cities.*
        from drawn cross join lists inner join cities on cities.number = (drawn.person // 7) % 20
    )
select
    lpad(cast(i as varchar), 10, '0') as profile_id,
    case when person % 5 = 0 then 'Ms' when person % 5 = 1 then 'Mr' when person % 97 = 0 then 'Dr' end as title,
    case when person % 211 <> 0 then firsts[cast(1 + (person // 1000) % 30 as int)] end as first_name,
    case when person % 211 <> 0 then lasts[cast(1 + (person // 100000) % 32 as int)] end as last_name,
    case when person % 29 = 0 then lasts[cast(1 + (person // 100000) % 32 as int)] || ' & Sons, Inc.' end as company,
    case when person % 307 <> 0 then
        cast(1 + cast((person // 10000000) % 9000 as int) as varchar) || ' ' || streets[cast(1 + (person // 1000000000) % 15 as int)]
    end as address_line1,
    case when person % 6 = 0 then 'Apt ' || cast(1 + cast((person // 3000) % 400 as int) as varchar) when person % 401 = 0 then 'c/o "The Mill",' || chr(10) || 'rear' end as address_line2,
    case when person % 503 <> 0 then city end as city,
    region,
    case when person % 149 <> 0 then lpad(cast(cast(first_code as int) + cast((person // 77777) % 60 as int) as varchar), 5, '0') end as postal_code,
    country as country_code,
    language,
    case when row_draw % 25 = 0 then 'n' when row_draw % 3 > 0 then 'y' end as postal_mail_consent,
    case when row_draw % 41 = 0 then 'n' when row_draw % 7 > 0 then 'y' end as marketing_consent,
    case when row_draw % 1009 = 0 then 'true' else 'false' end as is_test_profile,
    strftime(timestamp '2018-01-01' + to_hours(cast((row_draw // 50) % 78000 as int)), '%Y-%m-%dT%H:%M:%SZ') as created_at,
    strftime(timestamp '2025-01-01' + to_hours(cast((row_draw // 70) % 14000 as int)), '%Y-%m-%dT%H:%M:%SZ') as updated_at,
    case when row_draw % 10 > 0 then
        strftime(timestamp '2022-06-01' + to_hours(cast((row_draw // 90) % 36000 as int)), '%Y-%m-%dT%H:%M:%SZ')
    end as last_order_at,
    case when row_draw % 10 > 0 then 1 + cast((row_draw // 110) % 12 as int) else 0 end as orders_count,
    case when row_draw % 10 > 0 then cast(cast((row_draw // 130) % 200000 as decimal(18, 2)) / 100 as decimal(18, 2)) else 0 end as lifetime_value
from rows
order by i
"""


SUPPRESSIONS = """
with
    drawn as (select *, md5_number_lower('listed' || profile_id) % 400 as draw from {profiles})
select
    case draw when 0 then 'do_not_mail' when 1 then 'returned' else 'deceased' end as list_name,
    case draw when 0 then 'asked by telephone' when 1 then 'moved, no new address' else 'registry' end as reason,
    case when draw < 2 then profile_id end as profile_id,
    case when draw = 2 then upper(first_name) end as first_name,
    case when draw = 2 then upper(last_name) end as last_name,
    case when draw = 2 and first_name is null and last_name is null then company end as company,
    case when draw = 2 then replace(address_line1, ' St', ' Street') end as address_line1,
    case when draw = 2 then replace(address_line2, 'Apt ', '#') end as address_line2,
    case when draw = 2 then upper(city) end as city,
    case when draw = 2 then postal_code end as postal_code,
    case when draw = 2 then country_code end as country_code,
    cast(null as varchar) as valid_from,
    cast(null as varchar) as valid_until,
    '{today}' as as_of
from drawn
where draw < 3
order by profile_id
"""


def write_sample(path: Path, rows: int, today: date, *, keep_lists: bool = False) -> None:
    """Write sample profiles in the canonical columns of `stg_profiles`, and suppression lists for some of them.

    One profile in fifty is a duplicate. About 4 % refuse postal mail, and 2 % refuse all marketing. A few have no name, address line,
    city or postal code.

    Args:
        path: the file to write, .csv or .parquet. The suppression lists are written beside it, as suppressions.csv.
        rows: the number of profiles.
        today: the date of the suppression lists.
        keep_lists: True to keep a suppressions.csv that exists.

    Raises:
        UsageError: if the file has another suffix, or cannot be written.
    """
    options = {".csv": "format csv, header true", ".parquet": "format parquet, compression zstd"}.get(path.suffix)
    if options is None:
        raise UsageError(f"{path}: sample profiles are written as .csv or .parquet")
    query = QUERY.format(
        rows=int(rows), cities=CITIES, first=literal(FIRST_NAMES), last=literal(LAST_NAMES), streets=literal(STREETS)
    )
    temporary = path.with_name(f".{path.name}.part")
    reader = {".csv": "read_csv({}, all_varchar = true)", ".parquet": "read_parquet({})"}[path.suffix]
    lists = SUPPRESSIONS.format(profiles=reader.format(literal(str(temporary))), today=today)
    listed = path.with_name(".suppressions.csv.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with connect() as connection:
            connection.execute("set preserve_insertion_order = true")
            connection.execute(f"copy ({query}) to {literal(str(temporary))} ({options})")
            connection.execute(f"copy ({lists}) to {literal(str(listed))} (format csv, header true)")
        if keep_lists and path.with_name("suppressions.csv").exists():
            listed.unlink()
        else:
            listed.replace(path.with_name("suppressions.csv"))
        temporary.replace(path)
    except (OSError, duckdb.IOException) as error:
        temporary.unlink(missing_ok=True)
        listed.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error}") from None
