{#
    A name that is all capitals or all lower case, in proper case: McDonald, O'Brien, van der Berg, de la Cruz, Smith-Jones, J.R.,
    MacArthur, Ray III, Ray Jr. A name with both capitals and small letters stays as it is. Empty text is null.

    The result is a guess. A particle is written in lower case whenever a word follows it, also in the Vietnamese name Nguyen Van
    Minh. After Mac, only the names listed here have a capital, because Macy and Mackenzie have none.

    Arguments:
        column (column): The name.
#}
{% macro proper_case(column) -%}
    {% set text = dmail.blank_to_null(column) %}
    {% set macs = "allister|arthur|donald|dougall|dowell|farlane|gregor|intosh|intyre|lean|leod|millan|neil|pherson|queen|rae|tavish" %}
    {% set particles = [
        "de(?: la| las| los)?|del|d[ao]s?|dos|du|des",
        "van(?: de[rn]?| het| ter| ten)?|ter|ten|der|den",
        "von(?: de[rmn]| und zu| zu[rm]?)?|vom|zu[rm]?|af|av|bin|ibn",
    ] %}
    {# Particles come first, because the pattern of a word matches them, too. What precedes an apostrophe, and Mc, count as words. #}
    {% set parts = [
        "(?:" ~ particles | join("|") ~ ") ",
        "(?:dall|dell|sant|\\p{L})['’]",
        "mc",
        "[\\p{L}\\p{M}]+(?:['’][\\p{L}\\p{M}]+)*",
        "[^\\p{L}\\p{M}]+",
    ] %}
    {% set capital %}
        case
            when part like '% ' then part
            when part = 'ii' or part = 'iii' or part = 'iv' then {{ dmail.upper_case("part") }}
            when {{ dmail.matches("part", "^mac(?:" ~ macs ~ ")$") }} then 'Mac' || {{ dmail.upper_case("substr(part, 4, 1)") }} || substr(part, 5)
            else {{ dmail.upper_case("substr(part, 1, 1)") }} || substr(part, 2)
        end
    {% endset %}
    case
        when {{ dmail.matches("replace(" ~ text ~ ", 'ß', '')", "\\p{Ll}") }} and {{ dmail.matches(text, "\\p{Lu}") }}
        then {{ text }}
        else
            {# lower() does not write the small sigma that Greek has at the end of a word. #}
            {{
                dmail.each_part(
                    dmail.replace_all(dmail.lower_case(text), "σ([^\\p{L}\\p{M}]|$)", "ς\\1"),
                    parts | join("|"),
                    capital,
                )
            }}
    end
{%- endmacro %}
