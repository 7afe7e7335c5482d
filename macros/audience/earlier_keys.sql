{#
    Keys of the first version, which the contact history of earlier releases has. Only caps compare them, until those contacts are too old to
    count; nothing here may change.
#}
{#
    The household key of the first version: 16 hexadecimal digits.

    Arguments:
        last_name (column): The last name.
        first_name (column): The first name.
        company (column): The organisation.
        line1 (column): The street line.
        line2 (column): The second line.
        city (column): The city.
        postal_code (column): The postal code as `postal_code()` prints it.
        country_code (column): ISO 3166-1 alpha-2.
#}
{% macro earlier_household_key(last_name, first_name, company, line1, line2, city, postal_code, country_code) %}
    {% set household %}
        case
            when {{ last_name }} is not null
            then {{ dmail.earlier_name(last_name) }}
            when {{ first_name }} is not null
            then {{ dmail.earlier_name(first_name) }}
            else {{ dmail.earlier_name(company) }}
        end
    {% endset %}
    {% set parts = [
        household,
        dmail.earlier_box(line1, line2),
        dmail.earlier_locality(city, postal_code, country_code),
    ] %}
    substr(md5({{ parts | join(" || '|' || ") }}), 1, 16)
{% endmacro %}

{#
    SQL that is true for a household key of the first version. The keys of later versions begin with a letter after `f`.

    Arguments:
        key (column): The household key.
#}
{% macro is_earlier_key(key) -%} {{ key }} < 'g' {%- endmacro %}

{#
    A name without the differences of spelling: spaces, hyphens, apostrophes, accents, and ue for ü.

    Arguments:
        name (column): The name.
#}
{% macro earlier_name(name) -%}
    {% set small = dmail.lower_case(name) %}
    nullif(
        {# Most names are plain letters. Testing for that is cheaper than rewriting them. #}
        case
            when {{ dmail.matches_whole(small, "[a-z]+") }} and not {{ dmail.matches(small, "[aou]e") }}
            then {{ small }}
            else
                {{
                    dmail.replace_all(
                        "translate(" ~ dmail.without_accents(small) ~ ", 'øłđß', 'olds')",
                        "([aou])e|[^\\p{L}\\p{N}]+",
                        "\\1",
                    )
                }}
        end,
        ''
    )
{%- endmacro %}

{#
    The place of a letter box: the words of the street, and of the second line only the numbers and single letters, which tell one
    unit from another. The names of houses and firms are spelled differently each time.

    Arguments:
        line1 (column): The street line.
        line2 (column): The second line.
#}
{% macro earlier_box(line1, line2) -%}
    {% set unit = dmail.each_part(dmail.lower_case(line2), "\\b[a-z]?[0-9]+[a-z]?\\b|\\b[a-z]\\b", "part || ' '") %}
    {{ dmail.earlier_street(line1) }} || coalesce({{ unit }}, '')
{%- endmacro %}

{#
    The words of a street, each followed by one space. Street types are cut to their first letters, unit designators are removed.

    Arguments:
        line (column): The street line.
#}
{% macro earlier_street(line) -%}
    {% set types = [
        "(st)(?:r|reet|rasse|raße)",
        "(av)(?:e|enue|enida)",
        "(r)(?:oa)?d",
        "(dr)(?:ive|v)",
        "(l)(?:ane|n)",
        "(b)(?:oulevard|lvd|d)",
        "(c)(?:our)?t",
        "(pl)(?:ace|atz|aza)",
        "(sq)uare",
    ] %}
    {% set units = "apartment|apt|appartement|unit|suite|ste|no|nr|floor|fl" %}
    {% set small = dmail.lower_case(line) %}
    {# Words and street types take a pattern each: one pattern for both would test its groups in every gap, at five times the cost. #}
    {% set words -%}
        case
            when
                {{ dmail.matches_whole(small, "[0-9a-z]+( [0-9a-z]+)*") }}
                and not {{ dmail.matches(small, " (?:" ~ units ~ ")\\b") }}
            then {{ small }} || ' '
            else
                {{
                    dmail.replace_all(
                        dmail.without_accents(small) ~ " || ' '",
                        "(?:[^\\p{L}\\p{N}]+(?:" ~ units ~ ")\\b)*[^\\p{L}\\p{N}]+",
                        " ",
                    )
                }}
        end
    {%- endset %}
    nullif({{ dmail.replace_all(words, "\\b(?:" ~ types | join("|") ~ ") ", "\\1\\2\\3\\4\\5\\6\\7\\8\\9 ") }}, ' ')
{%- endmacro %}

{#
    The locality of a street: the country and the postal code (of US codes the first five digits), or the city if there is no code.
    If there is a code, the spelling of the city does not matter.

    Arguments:
        city (column): The city.
        postal_code (column): The postal code as `postal_code()` prints it.
        country_code (column): ISO 3166-1 alpha-2.
#}
{% macro earlier_locality(city, postal_code, country_code) -%}
    {{ country_code }} || coalesce(
        case
            when {{ country_code }} = 'US' then substr({{ postal_code }}, 1, 5) else replace({{ postal_code }}, ' ', '')
        end,
        {{ dmail.earlier_name(city) }},
        ''
    )
{%- endmacro %}
