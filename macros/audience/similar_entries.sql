{#
    The profiles that are similar to an entry of a suppression list: the query of the model `int_similar_entries`, which
    `suppressed(…, tolerant=true)` reads. See `similar_profiles()` for what is compared.

        profile_id, list_name, valid_from, valid_until
                    the profile, and the entry's list and time
        matched_by  `person`, `household` or `address`; `cut`, if blocks were too large: only the first 30 entries and the first 300
                    profiles of a block are compared
        entry       the entry's name and address, for `dmail-runner explain`
        why         how alike the parts of name and address are

    Arguments:
        profiles (relation): The model with the role `profiles`.
        entries (relation): The model with the role `suppressions`, with the names and addresses of its entries.
#}
{% macro similar_entries(profiles, entries) %}
    {% set texts = ["first_name", "last_name", "company", "address_line1", "address_line2", "city", "postal_code"] %}
    {% set details = ["entry", "list_name", "valid_from", "valid_until"] %}
    {% set of_entries = dmail.similar_blocks("listed") %}
    with
        located as ({{ dmail.located_people(profiles) }}),

        candidates as ({{ dmail.similar_words("located", ["profile_id"]) }}),

        written as (
            select
                {{ texts | join(", ") }},
                country_code,
                profile_id,
                list_name,
                valid_from,
                valid_until,
                {{ dmail.written_row("entries") }} as entry
            from {{ entries }} as entries
            where coalesce(first_name, last_name) is not null or coalesce(profile_id, company) is null
        ),

        written_in as ({{ dmail.located_people("written") }}),

        listed as (
            select
                *,
                entry as profile_id,
                case
                    when given is not null and family is not null
                    then 'person'
                    when coalesce(given, family) is not null
                    then 'household'
                    else 'address'
                end as entry_of
            from ({{ dmail.similar_words("written_in", details) }}) as worded
        ),

        placed_entries as (
            select
                *,
                row_number() over (partition by block order by family, given, rest, entry, list_name) as place,
                count(*) over (partition by block) as block_rows
            from ({{ of_entries }}) as every
        ),

        placed as (
            select
                every.*,
                {{ dmail.place_in_block("every.block") }} as place,
                count(*) over (partition by every.block) as block_rows
            from ({{ dmail.similar_blocks("candidates") }}) as every
            inner join (select distinct block from placed_entries) as wanted on every.block = wanted.block
        ),

        compared as (
            {{
                dmail.compared(
                    "placed",
                    "placed_entries",
                    "one.place <= " ~ 10 * dmail.similar_block() ~ " and other.place <= " ~ dmail.similar_block(),
                    details + ["entry_of"],
                )
            }}
        ),

        judged as ({{ dmail.judged("compared") }}),

        final as (
            select distinct one_id as profile_id, list_name, valid_from, valid_until, entry_of as matched_by, entry, why
            from judged
            where
                entry_of = 'person'
                and is_person
                or entry_of = 'household'
                and is_household
                or entry_of = 'address'
                and is_address
            union all
            select
                cast(null as string),
                'cut',
                cast(null as timestamp),
                cast(null as timestamp),
                'cut',
                cast(null as string),
                {{ dmail.cut_blocks() }}
            from (select * from placed where place = 1 and block_rows > {{ 10 * dmail.similar_block() }}) as blocks
            having count(*) > 0
        )

    select *
    from final
{% endmacro %}
