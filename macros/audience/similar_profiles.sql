{#
    The pairs of people that the tolerant tier takes for one: the query of the model `int_similar_profiles`, which `one_per(…, tolerant=true)`
    reads. No weight is learned, so that the same input gives the same pairs next year, on every engine.

        unit                          `person`, `household`, or `cut`: see below
        key, other_key                the two match keys (`similar_key()`), the smaller one first
        profile_id, other_profile_id  a profile with each key
        written, other_written        the names and addresses of both, for `dmail-runner explain`
        why                           how alike the parts of name and address are

    Only rows of one block are compared: those that share the last name and the postal code, the number and the postal code, the street and
    the postal code, the street, the number and the city, or the name and the city. A block of more than `similar_block()` rows is compared
    in parts of that size, neighbours by name and street, so that the cost is linear in the number of rows. The row with the unit `cut` says
    how many blocks were.

    Arguments:
        profiles (relation): The model with the role `profiles`.
#}
{% macro similar_profiles(profiles) %}
    {% set blocks = dmail.similar_blocks("candidates") %}
    with
        located as ({{ dmail.located_people(profiles) }}),

        candidates as ({{ dmail.similar_words("located", ["profile_id"]) }}),

        repeated as (select block from ({{ blocks }}) as every group by block having count(*) > 1),

        placed as (
            select
                every.*,
                {{ dmail.place_in_block("every.block") }} as place,
                count(*) over (partition by every.block) as block_rows
            from ({{ blocks }}) as every
            inner join repeated on every.block = repeated.block
        ),

        compared as (
            {{
                dmail.compared(
                    "placed",
                    "placed",
                    "one.place < other.place and "
                    ~ dmail.part_of_block("one.place")
                    ~ " = "
                    ~ dmail.part_of_block("other.place")
                    ~ " and one.person_key <> other.person_key",
                )
            }}
        ),

        judged as ({{ dmail.judged("compared") }}),

        -- An address with many last names is a building: the same first name there means nothing.
        buildings as (
            select address_key
            from candidates
            where address_key in (select address_key from judged where is_other_family)
            group by address_key
            having count(distinct household_key) > 3
        ),

        -- John Smith of 12 and of 98 Broadway are one person in a village, and two in New York.
        crowds as (
            select {{ dmail.namesake("given", "family", "town") }} as name_in_town
            from candidates
            where
                {{ dmail.namesake("given", "family", "town") }}
                in (select name_in_town from judged where is_person and is_elsewhere)
            group by {{ dmail.namesake("given", "family", "town") }}
            having count(*) > {{ dmail.most_namesakes() }}
        ),

        -- `J Smith` and `Smith` are one person with John, or with James, and never make one person of the two.
        completed as (
            select
                judged.*,
                first_value(complete_name) over (
                    partition by is_person, incomplete_key order by agreeing desc, complete_name
                ) as first_complete_name
            from judged
        ),

        found as (
            select completed.*, buildings.address_key is not null as is_building
            from completed
            left join buildings on completed.address_key = buildings.address_key
            left join crowds on completed.is_elsewhere and completed.name_in_town = crowds.name_in_town
            where
                (incomplete_key is null or complete_name = first_complete_name or not is_person)
                and crowds.name_in_town is null
        ),

        pairs as (
            select 'person' as unit, person_key as key, other_person_key as other_key, one_id, other_id, why
            from found
            where is_person
            union all
            select 'household', household_key, other_household_key, one_id, other_id, why
            from found
            where
                household_key <> other_household_key
                and (is_person or is_household or (is_other_family and not is_building))
        ),

        ordered as (
            select
                unit,
                least(key, other_key) as key,
                greatest(key, other_key) as other_key,
                case when key < other_key then one_id else other_id end as profile_id,
                case when key < other_key then other_id else one_id end as other_profile_id,
                why
            from pairs
        ),

        numbered as (
            select
                *,
                row_number() over (
                    partition by unit, key, other_key order by profile_id, other_profile_id, why
                ) as place
            from ordered
        ),

        final as (
            select
                numbered.unit,
                numbered.key,
                numbered.other_key,
                numbered.profile_id,
                numbered.other_profile_id,
                {{ dmail.written_row("one") }} as written,
                {{ dmail.written_row("other") }} as other_written,
                numbered.why
            from numbered
            inner join {{ profiles }} as one on numbered.profile_id = one.profile_id
            inner join {{ profiles }} as other on numbered.other_profile_id = other.profile_id
            where numbered.place = 1
            union all
            select 'cut', {% for _ in range(6) %} cast(null as string), {% endfor %} {{ dmail.cut_blocks() }}
            from placed
            where block_rows > {{ dmail.similar_block() }} and place = 1
            having count(*) > 0
        )

    select *
    from final
{% endmacro %}

{#
    What a row says about a person, as one text.

    Arguments:
        row (relation): The row.
#}
{% macro written_row(row) -%}
    {%- set columns = [
        "first_name",
        "last_name",
        "company",
        "address_line1",
        "address_line2",
        "city",
        "postal_code",
    ] -%}
    concat_ws(' ' {% for column in columns %}, {{ row }}.{{ column }} {% endfor %})
{%- endmacro %}

{# The greatest number of rows with one name in one town among which a row at another number or street can be the same person. #}
{% macro most_namesakes() %} {{ return(6) }} {% endmacro %}

{# The greatest number of rows of a block that are all compared with each other. #}
{% macro similar_block() %} {{ return(30) }} {% endmacro %}

{# An aggregate over the first rows of blocks: how many blocks were too large. #}
{% macro cut_blocks() -%}
    cast(count(*) as string)
    || ' blocks were too large, and compared in parts: '
    || cast(sum(block_rows) as string)
    || ' rows, '
    || cast(max(block_rows) as string)
    || ' in the largest'
{%- endmacro %}

{#
    A row's place in its block, from 1.

    Arguments:
        block (string): What the block is.
#}
{% macro place_in_block(block) -%}
    row_number() over (partition by {{ block }} order by family, given, rest, profile_id)
{%- endmacro %}

{#
    The part of its block in which a row is compared.

    Arguments:
        place (column): The row's place in the block.
#}
{% macro part_of_block(place) -%} floor(({{ place }} - 1) / {{ dmail.similar_block() }}) {%- endmacro %}

{#
    The key by which a row is grouped: its match key, or one of its own if it has none.

    Arguments:
        unit (string): 'person' or 'household'.
        row (string): What tells rows apart.
#}
{% macro similar_key(unit, row="profile_id") -%} coalesce({{ unit }}_key, 'id-' || {{ row }}) {%- endmacro %}

{#
    The groups of similar keys: a query with the unique column `similar_key`, and `similar_group`, the least key of its group. Keys are in one
    group if a chain of at most eight pairs joins them.

    Arguments:
        unit (string): 'person' or 'household'.
#}
{% macro similar_groups(unit) %}
    {% set pairs %}
        select key, other_key from {{ dmail.similar_model("profiles") }} where unit = '{{ unit }}'
    {% endset %}
    with
        edges as (
            select key, other_key
            from ({{ pairs }}) as pairs
            union
            select other_key, key
            from ({{ pairs }}) as pairs
            union
            select key, key
            from ({{ pairs }}) as pairs
            union
            select other_key, other_key
            from ({{ pairs }}) as pairs
        ),

        groups_0 as (select distinct key as similar_key, key as similar_group from edges),

        {% for step in range(8) %}
            groups_{{ step + 1 }} as (
                select edges.key as similar_key, min(groups_{{ step }}.similar_group) as similar_group
                from edges
                inner join groups_{{ step }} on edges.other_key = groups_{{ step }}.similar_key
                group by edges.key
            ){{ "," if not loop.last }}
        {% endfor %}

    select similar_key, similar_group
    from groups_8
{% endmacro %}

{#
    A pair of each key, as `dmail-runner explain` prints it: a query with the unique column `shown_key`, and `shown_pair`.

    Arguments:
        unit (string): 'person' or 'household'.
#}
{% macro similar_shown(unit) %}
    select shown_key, min(shown_pair) as shown_pair
    from
        (
            select key as shown_key, other_profile_id || ' (' || other_written || '): ' || why as shown_pair
            from {{ dmail.similar_model("profiles") }}
            where unit = '{{ unit }}'
            union all
            select other_key, profile_id || ' (' || written || '): ' || why
            from {{ dmail.similar_model("profiles") }}
            where unit = '{{ unit }}'
        ) as pairs
    group by shown_key
{% endmacro %}

{#
    The model of the tolerant tier: `int_similar_profiles` or `int_similar_entries`, unless the variable `dmail_similar_profiles` or
    `dmail_similar_entries` names another one.

    Arguments:
        kind (string): 'profiles' or 'entries'.
#}
{% macro similar_model(kind) %} {{ return(ref(var("dmail_similar_" ~ kind, "int_similar_" ~ kind))) }} {% endmacro %}
