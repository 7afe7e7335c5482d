{#
    Keys by which two rows are known as the same person, household or address: 16 hexadecimal digits, the same whatever the case,
    the accents, the punctuation, the street type's abbreviation and the unit's designator.

        Müller, 12 Oak Street, Apt. 5   =   MUELLER, 12 oak st #5

    Null where there is no name or no street: nobody is the duplicate of somebody unknown.
    Arguments: column expressions; the postal code as `postal_code()` prints it. With a postal code the city's spelling does not matter.
#}
{% macro match_key(parts) %}
    substr(md5({% for part in parts %}{{ part }} {{ "|| '|' ||" if not loop.last }} {% endfor %}), 1, 16)
{% endmacro %}

{# A name without what people spell differently: spaces, hyphens, apostrophes, accents, and ue for ü. #}
{% macro name_words(name) -%}
    {% set small = dmail.lower_case(name) %}
    nullif(
        {# Most names are plain letters: a look is cheaper than a rewrite. #}
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
    Where a letter box is: the street's words, and of the second line only what tells one unit from another, numbers and single
    letters. Names of houses and firms are spelled differently each time.
#}
{% macro box_words(line1, line2) -%}
    {{ dmail.street_words(line1) }}
    || coalesce({{ dmail.each_part(dmail.lower_case(line2), "\\b[a-z]?[0-9]+[a-z]?\\b|\\b[a-z]\\b", "part || ' '") }}, '')
{%- endmacro %}

{# A street's words with one space after each; street types cut to their first letters, unit designators left out. #}
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
    {# The words first, then their types: in one pattern the groups would be looked at in every gap, which takes five times as long. #}
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

{# Where a street is: country and postal code (of US codes the first five digits), or the city where there is no code. #}
{% macro place_words(city, postal_code, country_code) -%}
    {{ country_code }} || coalesce(
        case
            when {{ country_code }} = 'US' then substr({{ postal_code }}, 1, 5) else replace({{ postal_code }}, ' ', '')
        end,
        {{ dmail.name_words(city) }},
        ''
    )
{%- endmacro %}
