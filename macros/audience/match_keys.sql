{#
    A key by which two rows are recognised as the same person, household or address: 16 hexadecimal digits that do not depend on
    case, accents, punctuation, the abbreviation of the street type or the designator of the unit.

        Müller, 12 Oak Street, Apt. 5   =   MUELLER, 12 oak st #5

    The key is null if a part is null, so that nobody counts as the duplicate of an unknown person.

    Arguments:
        parts (list[column]): The parts of the key, as `name_words()`, `box_words()` and `locality_words()` return them.
#}
{% macro match_key(parts) %}
    substr(md5({% for part in parts %}{{ part }} {{ "|| '|' ||" if not loop.last }} {% endfor %}), 1, 16)
{% endmacro %}

{#
    A name without the differences of spelling: spaces, hyphens, apostrophes, accents, and ue for ü.

    Arguments:
        name (column): The name.
#}
{% macro name_words(name) -%}
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
{% macro box_words(line1, line2) -%}
    {% set unit = dmail.each_part(dmail.lower_case(line2), "\\b[a-z]?[0-9]+[a-z]?\\b|\\b[a-z]\\b", "part || ' '") %}
    {{ dmail.street_words(line1) }} || coalesce({{ unit }}, '')
{%- endmacro %}

{#
    The words of a street, each followed by one space. Street types are cut to their first letters, unit designators are removed.

    Arguments:
        line (column): The street line.
#}
{% macro street_words(line) -%}
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
{% macro locality_words(city, postal_code, country_code) -%}
    {{ country_code }} || coalesce(
        case
            when {{ country_code }} = 'US' then substr({{ postal_code }}, 1, 5) else replace({{ postal_code }}, ' ', '')
        end,
        {{ dmail.name_words(city) }},
        ''
    )
{%- endmacro %}
