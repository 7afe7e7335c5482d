{#
    A name that is all capitals or all lower case, in proper case: McDonald, O'Brien, van der Berg, de la Cruz, Ortega y Gasset, 't Hooft,
    Smith-Jones, J.R., MacArthur, IJsbrand, Ray III, Ray Jr., Ray PhD. A name with both capitals and small letters stays as it is. Empty
    text is null.

    The language decides where languages differ. Italian capitalises particles (De Luca, Della Robbia), and French the article after one
    (de La Tour). In Turkish and Azerbaijani, the small letter of I is ı, and the capital of i is İ; without a language, a name with İ
    or Ğ is taken for Turkish.

    The result is a guess. A particle is written in lower case whenever a word follows it, also in the Vietnamese name Nguyen Van
    Minh, and so are y and e between two words. After Mac, only the names listed here have a capital, because Macy and Mackenzie have
    none.

    Arguments:
        column (column): The name.
        language (optional[column]): The language: a column, or a literal in quotes ("'it'"). Of `it-CH`, only `it` counts.
#}
{% macro proper_case(column, language=none) -%}
    {% set text = dmail.blank_to_null(column) %}
    {% set macs = "allister|arthur|donald|dougall|dowell|farlane|gregor|intosh|intyre|lean|leod|millan|neil|pherson|queen|rae|tavish" %}
    {% set particles = [
        "de(?: la| las| los)?|de['’]|del|d[ao]s?|dos|du|des",
        "van(?: de[rn]?| het| ter| ten)?|ter|ten|der|den",
        "von(?: de[rmn]| und zu| zu[rm]?)?|vom|zu[rm]?|af|av|ap|bin|ibn",
    ] %}
    {# Numbers of a dynasty and degrees follow another word. V, VI and XI are names, too. #}
    {% set suffix = "(?:ii|iii|iv|vii|viii|ix|xii|xiii|xiv|xv|xvi|phd|md|mba|dds|dvm|cpa|llm|rn|obe|mbe|cbe|kc|qc)" %}
    {# Particles come first, because the pattern of a word matches them, too. What precedes an apostrophe, and Mc, count as words. #}
    {% set parts = [
        " (?:y|e) ",
        ",? " ~ suffix ~ "(?:,? " ~ suffix ~ ")*(?:$|[^\\p{L}\\p{M}])",
        "(?:" ~ particles | join("|") ~ ") ",
        "['’](?:t |s-)",
        "(?:dall|dell|sant|\\p{L})['’]",
        "mc",
        "[\\p{L}\\p{M}]+(?:['’][\\p{L}\\p{M}]+)*",
        "[^\\p{L}\\p{M}]",
    ] %}
    {% set turkish = "contains(" ~ text ~ ", 'İ') or contains(" ~ text ~ ", 'Ğ') or contains(" ~ text ~ ", 'ğ')" %}
    {% if language is not none %}
        {% set spoken = "lower(split_part(replace(" ~ language ~ ", '_', '-'), '-', 1))" %}
        {% set turkish = "coalesce(" ~ spoken ~ " in ('tr', 'az'), false) or " ~ turkish %}
    {% endif %}
    {% set small %}
        case
            when {{ turkish }}
            then {{ dmail.lower_case("replace(replace(" ~ text ~ ", 'I', 'ı'), 'İ', 'i')") }}
            else {{ dmail.lower_case(text) }}
        end
    {% endset %}
    {% set capital %}
        case
            {% if language is not none %}
                when part like '% ' and {{ spoken }} = 'it' and {{ dmail.matches("part", "^[a-z]") }}
                then {{ dmail.upper_case("substr(part, 1, 1)") }} || substr(part, 2)
                when part = 'de la ' and {{ spoken }} = 'fr'
                then 'de La '
            {% endif %}
            when {{ dmail.matches("part", "^,? " ~ suffix ~ "(?:$|[^\\p{L}\\p{M}])") }}
            then replace({{ dmail.upper_case("part") }}, 'PHD', 'PhD')
            when part like '% ' or {{ dmail.matches("part", "^['’]") }}
            then part
            when part = 'ii' or part = 'iii' or part = 'iv'
            then {{ dmail.upper_case("part") }}
            when {{ dmail.matches("part", "^mac(?:" ~ macs ~ ")$") }}
            then 'Mac' || {{ dmail.upper_case("substr(part, 4, 1)") }} || substr(part, 5)
            when {{ dmail.matches("part", "^ij[b-df-hj-np-tv-z]") }}
            then 'IJ' || substr(part, 3)
            when part like 'i%' and ({{ turkish }})
            then 'İ' || substr(part, 2)
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
                    dmail.replace_all(small, "σ([^\\p{L}\\p{M}]|$)", "ς\\1"),
                    parts | join("|"),
                    capital,
                )
            }}
    end
{%- endmacro %}
