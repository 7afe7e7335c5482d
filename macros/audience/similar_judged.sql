{# What makes two rows one person or one household. #}
{#
    The nicknames of given names, in both directions: a query with `name` and `nickname`. It is empty unless the variable `dmail_nicknames` is true,
    or names a model or seed with these two columns.
#}
{% macro nicknames() %}
    {% set given = var("dmail_nicknames", false) %}
    {% set model = ref(given) if given is string else ref("dmail", "nicknames") %}
    {% set name, nickname = dmail.short_vowels("name"), dmail.short_vowels("nickname") %}
    {% set enabled = "true" if given else "false" %}
    select {{ name }} as name, {{ nickname }} as nickname
    from {{ model }}
    where {{ enabled }}
    union
    select {{ nickname }} as name, {{ name }} as nickname
    from {{ model }}
    where {{ enabled }}
{% endmacro %}
{# The first names of the seed `given_names`, as `plain_name()` spells them: a query with the unique column `name`. #}
{% macro known_given_names() %}
    select distinct {{ dmail.short_vowels("name") }} as name from {{ ref("dmail", "given_names") }}
{% endmacro %}
{#
    A name in a town.

    Arguments:
        given (column): The given name.
        family (column): The family name.
        town (column): The town.
#}
{% macro namesake(given, family, town) -%}
    {{ given }} || ' ' || {{ family }} || ' ' || coalesce(left({{ town }}, 4), '')
{%- endmacro %}

{#
    Pairs of rows, with what they have in common: `is_person`, `is_household`, `is_address`, and `is_other_family` (the same first name and
    address, and another last name, as after a marriage). `is_elsewhere`: the number or the street differs; it is the same person only if few
    have the name in the town.

    Arguments:
        compared (relation): What `compared()` returned.
#}
{% macro judged(compared) %}
    {% set parts = {
        "first name": "given",
        "last name": "family",
        "street": "street",
        "number": "number",
        "postal code": "code",
        "city": "town",
    } %}
    with
        counted as (
            select
                *,
                {% for letters in [["agreeing", "('E', 'S')"], ["differing", "('D')"]] %}
                    {% for part in ["street", "number", "code", "town"] %}
                        case when {{ part }}_is in {{ letters[1] }} then 1 else 0 end {{ "+" if not loop.last }}
                    {% endfor %} as {{ letters[0] }},
                {% endfor %}
                given_family_is in ('E', 'S') and family_given_is in ('E', 'S') as is_swapped,
                given_is = 'E' and family_is = 'E' or given_family_is = 'E' and family_given_is = 'E' as is_same_name,
                given_is = 'E' or family_is = 'E' or given_family_is = 'E' or family_given_is = 'E' as has_same_name,
                street_is = 'E'
                or street_is = 'S'
                and least(
                    levenshtein(street_name_1, street_name_2), coalesce(levenshtein(line1_name_1, line1_name_2), 99)
                )
                <= case when length(street_name_1) >= 8 then 2 else 1 end as is_same_street,
                number_1 is not distinct from number_2 as is_same_number,
                code_is in ('E', 'S') or code_is = 'M' and town_is in ('E', 'S') or town_is = 'E' as is_same_town,
                case
                    when given_is = 'M' and family_is in ('E', 'S') and generation_1 = generation_2
                    then
                        case
                            when given_1 is null or length(given_1) < coalesce(length(given_2), 0)
                            then person_key
                            else other_person_key
                        end
                    when family_is = 'M' and given_is in ('E', 'S')
                    then case when family_1 is null then person_key else other_person_key end
                end as incomplete_key
            from compared
        )

    select
        *,
        case
            when generation_1 <> generation_2
            then false
            when incomplete_key is not null
            then agreeing >= 3
            when (given_is in ('E', 'S') and family_is in ('E', 'S')) or is_swapped
            then
                agreeing >= 3
                and (street_is in ('E', 'S') and number_is in ('E', 'S', 'M') or has_same_name and differing <= 1)
                or is_same_name
                and agreeing >= 2
                and (
                    differing <= 1
                    and (street_is = 'E' or street_is = 'S' and number_is = 'E')
                    or street_is = 'E'
                    and code_is = 'E'
                )
            else false
        end as is_person,
        coalesce(family_is in ('E', 'S') and is_same_street and is_same_number and is_same_town, false) as is_household,
        coalesce(
            given_is in ('E', 'S') and family_is = 'D' and street_is in ('E', 'S') and is_same_number and agreeing >= 3,
            false
        ) as is_other_family,
        coalesce(number_is = 'D' or street_is = 'D', false) as is_elsewhere,
        {{ dmail.namesake("given_1", "family_1", "town_1") }} as name_in_town,
        case
            when incomplete_key = person_key
            then concat_ws(' ', given_2, family_2)
            else concat_ws(' ', given_1, family_1)
        end as complete_name,
        coalesce(is_same_street and is_same_number and is_same_town, false) as is_address,
        concat_ws(
            ', '
            {% for name, part in parts.items() %}
                ,
                '{{ name }} ' || case
                    {{ part }}_is when 'E' then 'equal' when 'S' then 'similar' when 'M' then 'missing' else 'different'
                end
            {% endfor %}
        ) as why
    from counted
{% endmacro %}
