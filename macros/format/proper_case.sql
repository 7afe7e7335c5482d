{#
    A name that is all capitals or all lower case, in proper case: McDonald, O'Brien, van der Berg, de la Cruz, Smith-Jones, J.R.,
    MacArthur, Ray III, Ray Jr. What has both capitals and small letters was written by somebody who knew, and stays as it is.
    Empty is null.

    A guess, as any such rule: a particle is written small wherever a word follows it, also in the Vietnamese name Nguyen Van Minh;
    after Mac a capital follows only in the names listed here, since Macy and Mackenzie have none.
#}
{% macro proper_case(column) -%}
    {% set text = dmail.blank_to_null(column) %}
    {% set macs = "allister|arthur|donald|dougall|dowell|farlane|gregor|intosh|intyre|lean|leod|millan|neil|pherson|queen|rae|tavish" %}
    {% set particles = [
        "de(?: la| las| los)?|del|d[ao]s?|dos|du|des",
        "van(?: de[rn]?| het| ter| ten)?|ter|ten|der|den",
        "von(?: de[rmn]| und zu| zu[rm]?)?|vom|zu[rm]?|af|av|bin|ibn",
    ] %}
    {# Particles first: a word would swallow them. What comes before an apostrophe, and Mc, are words of their own. #}
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
            {# Greek has a small sigma for the end of a word, which lower() does not know. #}
            {{ dmail.each_part(dmail.replace_all(dmail.lower_case(text), "σ([^\\p{L}\\p{M}]|$)", "ς\\1"), parts | join("|"), capital) }}
    end
{%- endmacro %}
