"""Finds ids that are equal except for changes that spreadsheets make.

- A spreadsheet removes leading zeros, appends `.0`, and adds thousands separators.
- It writes large numbers in scientific notation, or with zeros after the 15th digit.
- People add apostrophes, quotes, blanks and punctuation, write digits of another script, and change capitals.

All of these are found in both sets of ids.
"""

import duckdb

# Blanks, invisible characters, quotes and apostrophes, the sign of a formula, and punctuation that people add to numbers.
ADDED = r"[\p{Z}\p{C}''\"`=#;:()/*\x{b4}\x{2018}\x{2019}\x{201c}\x{201d}]|\b-\b"
# Digits of other scripts: full-width, Arabic and Persian.
OTHER_DIGITS = "".join(chr(zero + digit) for zero in (0xFF10, 0x660, 0x6F0) for digit in range(10))
DIGITS = 15  # the number of digits that a spreadsheet keeps

# The ids of the first table that equal an id of the second: in plain form, cut after the 15th digit, or in scientific notation.
FOUND = """
    select id from dmail_ids semi join dmail_other_ids as other on dmail_ids.plain = other.plain
    union select id from dmail_ids semi join dmail_other_ids as other on dmail_ids.plain = other.cut
    union select id from dmail_ids semi join dmail_other_ids as other on dmail_ids.cut = other.plain
    union
    select dmail_ids.id
    from dmail_ids
    inner join (select * from dmail_other_ids where number is null) as other
        on try_cast(other.plain as double) between dmail_ids.number - dmail_ids.margin and dmail_ids.number + dmail_ids.margin
    where dmail_ids.number is not null
    union
    select dmail_ids.id
    from dmail_ids
    inner join (select * from dmail_other_ids where number is not null) as other
        on try_cast(dmail_ids.plain as double) between other.number - other.margin and other.number + other.margin
"""

WITH_DIGITS = r"""whole as (
        select
            id,
            bare,
            case
                when regexp_full_match(bare, '[0-9]+') then bare
                when regexp_full_match(bare, '[0-9]{1,3}([.,_][0-9]{3})+([.,]0{0,2})?')
                then regexp_replace(regexp_replace(bare, '[.,]0{0,2}$', ''), '[.,_]', '', 'g')
                when regexp_full_match(bare, '[0-9]+[.,]0*') then regexp_extract(bare, '^[0-9]+')
            end as digits,
            regexp_full_match(bare, '[0-9]([.,][0-9]*)?e[+]?[0-9]{1,2}') as in_notation
        from bared
    ),"""


def near_matches(connection: duckdb.DuckDBPyConnection, ids: str, others: str) -> set[str]:
    """The ids that equal another id after the changes of a spreadsheet.

    Args:
        connection: the session.
        ids: SQL for the ids that match nothing, with one column `id`.
        others: SQL for the ids that they are compared with, with one column `id`. It is read once, and may have many rows.
    """
    connection.execute(f"create or replace temp table dmail_ids as {forms(ids)}")
    some, notations = connection.execute("select count(*), count(number) from dmail_ids").fetchone() or (0, 0)
    if not some:
        return set()
    ranges = ""
    if notations:
        ranges = """or try_cast(plain as double) between
            (select min(number - margin) from dmail_ids) and (select max(number + margin) from dmail_ids)"""
    connection.execute(
        f"""
        create or replace temp table dmail_other_ids as
        select *
        from ({forms(others)})
        where
            plain in (select plain from dmail_ids union all select cut from dmail_ids where cut is not null)
            or cut in (select plain from dmail_ids)
            or number is not null
            {ranges}
        """
    )
    return {name for (name,) in connection.execute(FOUND).fetchall()}


def forms(ids: str) -> str:
    """SQL for ids with their forms.

    Columns:
        id: the id.
        plain: the id without everything that a spreadsheet may add or remove.
        cut: the id with zeros after the 15th digit; null for shorter ids.
        number, margin: the value of an id in scientific notation, and its possible error; null for other ids.
    """
    return rf"""
        with
            bared as (
                select
                    distinct id,
                    ltrim(lower(regexp_replace(translate(id, '{OTHER_DIGITS}', '{"0123456789" * 3}'), '{ADDED}', '', 'g')), '+')
                    as bare
                from ({ids})
                where id is not null
            ),
            {WITH_DIGITS}
            plain as (
                select *, coalesce(nullif(ltrim(digits, '0'), ''), left(digits, 1), bare) as plain
                from whole
            )
        select
            id,
            plain,
            case
                when digits is not null and length(plain) > {DIGITS}
                then left(plain, {DIGITS}) || repeat('0', length(plain) - {DIGITS})
            end as cut,
            case when in_notation then try_cast(replace(bare, ',', '.') as double) end as number,
            case
                when in_notation
                then
                    0.5000001 * pow(
                        10,
                        try_cast(regexp_extract(bare, '([0-9]+)$', 1) as integer)
                        - length(regexp_extract(bare, '^[0-9][.,]?([0-9]*)e', 1))
                    )
            end as margin
        from plain
    """
