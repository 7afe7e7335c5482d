{# What the tolerant tier compares, and how alike two rows are. #}
{#
    People with what is compared: a query with the columns of `ids`, the match keys, and

        country_code, given, family, generation
        street, line1, line2  the street as in the match key; both lines as they are written, in words
        number, rest         the number, and the rest of the street as one word
        code, town           the postal code and the city as one word

    Arguments:
        people (relation): As in `match_keys()`.
        ids (list[string]): Columns to pass on.
#}
{% macro similar_words(people, ids) %}
    {% set words %} ({{ dmail.match_words(people, ["street_plain", "unit_plain"]) }}) {% endset %}
    with
        worded as {{ words }},

        streets as (
            select
                {{ ids | join(", ") }},
                country_code,
                match_given as given,
                match_family as family,
                match_generation as generation,
                {{ dmail.match_key(["match_person", "match_street", "match_locality"]) }} as match_person_key,
                {{ dmail.match_key(["match_household", "match_street", "match_locality"]) }} as match_household_key,
                {{ dmail.match_key(["match_street", "match_locality"]) }} as address_key,
                match_street as street,
                street_plain as line1,
                unit_plain as line2,
                case when postal_code is not null then substr(match_locality, 3) end as code,
                replace({{ dmail.plain_name(dmail.without_accents(dmail.lower_case("city"))) }}, ' ', '') as town
            from worded
            where match_given is not null or match_family is not null or match_street is not null
        )

    select
        *,
        coalesce(match_person_key, 'id-' || {{ ids[0] }}) as person_key,
        coalesce(match_household_key, 'id-' || {{ ids[0] }}) as household_key,
        nullif({{ dmail.street_number("street") }}, '') as number,
        nullif({{ dmail.street_rest("street") }}, '') as rest
    from streets
{% endmacro %}

{#
    The number of a street: its first word with a digit.

    Arguments:
        street (column): The words of the street.
#}
{% macro street_number(street) -%}
    case
        when {{ street }} < ':'
        then split_part({{ street }}, ' ', 1)
        else {{ dmail.replace_first(street, "^[^0-9]*\\b([a-z]?[0-9][0-9a-z]*)\\b.*$|^.*$", "\\1") }}
    end
{%- endmacro %}

{#
    A street without digits, as one word.

    Arguments:
        street (column): The words of the street.
#}
{% macro street_rest(street) -%} translate({{ street }}, '0123456789 ', '') {%- endmacro %}

{#
    The rows of a relation, once for each block that they are in: a query with the column `block`.

    Arguments:
        people (relation): What `similar_words()` returned.
#}
{% macro similar_blocks(people) %}
    {% set names = "least(given, family) || '|' || greatest(given, family)" %}
    {% set written = "nullif(" ~ dmail.street_rest("line1") ~ ", '')" %}
    {% set blocks = [
        "'1' || family || '|' || country_code || coalesce(code, town)",
        "'2' || number || '|' || country_code || code",
        "'3' || rest || '|' || country_code || coalesce(code, town)",
        "'4' || rest || '|' || number || '|' || country_code || left(town, 3)",
        "'5' || " ~ names ~ " || '|' || country_code || left(town, 3)",
        "'6' || " ~ written ~ " || '|' || country_code || coalesce(code, town)",
    ] %}
    select *
    from (select *, {{ dmail.each_row(blocks) }} as block from {{ people }}) as unfolded
    where block is not null
{% endmacro %}

{#
    Pairs of rows of one block, with how alike their parts are: `E` equal, `S` similar, `M` missing in one, `D` different.

    Arguments:
        ones (relation): Rows of `similar_blocks()`.
        others (relation): The rows to compare them with.
        which (string): SQL that is true for the pairs to compare, over `one` and `other`.
        details (list[string]): Columns of the other row to pass on.
#}
{% macro compared(ones, others, which, details=[]) %}
    {% set columns = [
        "given",
        "family",
        "generation",
        "street",
        "line1",
        "line2",
        "number",
        "rest",
        "code",
        "town",
    ] %}
    with
        pairs as (
            select distinct
                one.profile_id as one_id,
                other.profile_id as other_id,
                one.address_key,
                one.person_key,
                one.household_key,
                other.person_key as other_person_key,
                other.household_key as other_household_key,
                {% for detail in details %} other.{{ detail }}, {% endfor %}
                {% for column in columns %}
                    one.{{ column }} as {{ column }}_1, other.{{ column }} as {{ column }}_2 {{ "," if not loop.last }}
                {% endfor %}
            from {{ ones }} as one
            inner join {{ others }} as other on one.block = other.block
            where {{ which }}
        ),

        named as (
            select
                pairs.*,
                {{ dmail.bare_street("line1_1") }} as line1_name_1,
                {{ dmail.bare_street("line1_2") }} as line1_name_2,
                {{ dmail.bare_street("line2_1") }} as line2_name_1,
                {{ dmail.bare_street("line2_2") }} as line2_name_2,
                {{ dmail.bare_street("street_1") }} as street_name_1,
                {{ dmail.bare_street("street_2") }} as street_name_2,
                {{ dmail.street_marks("street_1", "number_1") }} as marks_1,
                {{ dmail.street_marks("street_2", "number_2") }} as marks_2,
                known_1.name is not null as is_known_1,
                known_2.name is not null as is_known_2,
                nicknames.name is not null as is_nickname
            from pairs
            left join ({{ dmail.known_given_names() }}) as known_1 on pairs.given_1 = known_1.name
            left join ({{ dmail.known_given_names() }}) as known_2 on pairs.given_2 = known_2.name
            left join
                ({{ dmail.nicknames() }}) as nicknames
                on pairs.given_1 = nicknames.name
                and pairs.given_2 = nicknames.nickname
        )

    select
        *,
        {{ dmail.alike_given() }} as given_is,
        {{ dmail.alike("family_1", "family_2") }} as family_is,
        {{ dmail.alike("given_1", "family_2") }} as given_family_is,
        {{ dmail.alike("family_1", "given_2") }} as family_given_is,
        {{ dmail.alike_street() }} as street_is,
        {{ dmail.alike("number_1", "number_2", 0) }} as number_is,
        {{ dmail.alike("code_1", "code_2", 0) }} as code_is,
        {{ dmail.alike("town_1", "town_2") }} as town_is
    from named
{% endmacro %}

{#
    How alike two words are. Similar words differ in one letter if they have three or four letters, in two if they have up to eight, and in
    three if they are longer; codes and numbers in one, or in the order of theirs.

    Arguments:
        one (column): A word, or null.
        other (column): The other word, or null.
        edits (optional[int]): 0 for codes and numbers.
#}
{% macro alike(one, other, edits=none) -%}
    {% set longest = "greatest(length(" ~ one ~ "), length(" ~ other ~ "))" %}
    case
        when {{ one }} is null or {{ other }} is null
        then 'M'
        when {{ one }} = {{ other }}
        then 'E'
        {% if edits == 0 %}
            when {{ longest }} > 1 and levenshtein({{ one }}, {{ other }}) <= 1
            then 'S'
            when {{ dmail.sorted_letters(one) }} = {{ dmail.sorted_letters(other) }}
            then 'S'
        {% else %}
            when
                levenshtein({{ one }}, {{ other }}) <= case
                    when {{ longest }} >= 9 then 3 when {{ longest }} >= 5 then 2 when {{ longest }} >= 3 then 1 else 0
                end
            then 'S'
        {% endif %}
        else 'D'
    end
{%- endmacro %}

{#
    How alike two given names are. Two names of the seed `given_names` are two people, however alike they are (Marie and Maria), and two that
    it does not have may differ in one letter, or have the same beginning. An initial says nothing.
#}
{% macro alike_given() -%}
    case
        when given_1 = given_2
        then 'E'
        when given_1 is null or given_2 is null
        then 'M'
        when least(length(given_1), length(given_2)) = 1
        then case when left(given_1, 1) = left(given_2, 1) then 'M' else 'D' end
        when is_nickname
        then 'S'
        when is_known_1 and is_known_2
        then 'D'
        when
            not is_known_1
            and not is_known_2
            and levenshtein(given_1, given_2) > 1
            and left(given_1, 2) <> left(given_2, 2)
        then 'D'
        else {{ dmail.alike("given_1", "given_2") }}
    end
{%- endmacro %}

{#
    How alike two streets are, as the key spells them or as they are written. The street can be in the other line. Streets whose directions or
    units contradict each other are different.
#}
{% macro alike_street() -%}
    {% set ways = [
        ["street_name_1", "street_name_2"],
        ["line1_name_1", "line1_name_2"],
        ["line1_name_1", "line2_name_2"],
        ["line2_name_1", "line1_name_2"],
    ] %}
    case
        when not contains(' ' || marks_1, ' ' || marks_2) and not contains(' ' || marks_2, ' ' || marks_1)
        then 'D'
        when {% for one, other in ways %} {{ one }} = {{ other }} {{ "or" if not loop.last }} {% endfor %}
        then 'E'
        when {% for one, other in ways %} ({{ dmail.alike(one, other) }}) = 'S' {{ "or" if not loop.last }} {% endfor %}
        then 'S'
        when street_name_1 is null or street_name_2 is null
        then 'M'
        else 'D'
    end
{%- endmacro %}

{#
    The name of a street without numbers and single letters, as one word, or null.

    Arguments:
        words (column): The words of the street.
#}
{% macro bare_street(words) -%}
    nullif(replace({{ dmail.replace_all(words, "\\b(?:[a-z]?[0-9][0-9a-z]*|[a-z])\\b", "") }}, ' ', ''), '')
{%- endmacro %}

{#
    What else tells a street or a unit from another one: directions and the numbers and letters of units. Null if there is nothing.

    Arguments:
        street (column): The words of the street.
        number (column): Its number.
#}
{% macro street_marks(street, number) -%}
    {% set marks = dmail.each_part(street, "\\b(?:[a-z]?[0-9][0-9a-z]*|[a-z])\\b", "part || ' '") %}
    nullif(substr({{ marks }}, 1 + coalesce(length({{ number }}) + 1, 0)), '')
{%- endmacro %}
