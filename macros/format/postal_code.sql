{#
    A postal code as its country's post prints it: `02134-1234`, `K1A 0B1`, `SW1A 1AA`, `1012 AB`, `01310-100`, `100-0001`.

    It is trimmed and in upper case. Letters of the country before the number are removed (`D-80331`), and zeros that a spreadsheet
    removed are restored (`2134`, `2134.0`). A value that does not look like a code of the country is only trimmed and put in upper
    case: `postal_addresses()` judges it. Applying the macro twice changes nothing.

    Arguments:
        column (column): The postal code.
        country_code (column): ISO 3166-1 alpha-2, in upper case.
#}
{% macro postal_code(column, country_code) -%}
    {# Countries; the right form; digits, and the least number of them after lost zeros; the parts of a code; how they are printed. #}
    {% set shapes = [
        ["US PR VI", "[0-9]{5}(-[0-9]{4})?", [5, 3], "([0-9]{5})[^0-9A-Z]*([0-9]{4})", "\\1-\\2"],
        ["AS FM GU MH MP PW", "[0-9]{5}(-[0-9]{4})?", none, "([0-9]{5})[^0-9A-Z]*([0-9]{4})", "\\1-\\2"],
        ["FR", "[0-9]{5}", [5, 4], "([0-9]{2})[^0-9A-Z]+([0-9]{3})", "\\1\\2"],
        ["DE IT ES FI MX TR UA MY KR", "[0-9]{5}", [5, 4], none, none],
        ["CN SG RO CO EC", "[0-9]{6}", [6, 5], none, none],
        ["AU NO NZ ZA DK", "[0-9]{4}", [4, 3], none, none],
        [
            "CA",
            "[A-Z][0-9][A-Z] [0-9][A-Z][0-9]",
            none,
            "([A-Z][0-9][A-Z])[^0-9A-Z]*([0-9][A-Z][0-9])",
            "\\1 \\2",
        ],
        [
            "GB GG IM JE",
            "[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}",
            none,
            "([A-Z]{1,2}[0-9][0-9A-Z]?|GIR)[^0-9A-Z]*([0-9][A-Z]{2})",
            "\\1 \\2",
        ],
        ["IE", "[A-Z][0-9][0-9W] [0-9A-Z]{4}", none, "([0-9A-Z]{3})[^0-9A-Z]*([0-9A-Z]{4})", "\\1 \\2"],
        ["NL", "[0-9]{4} [A-Z]{2}", none, "([0-9]{4})[^0-9A-Z]*([A-Z]{2})", "\\1 \\2"],
        ["PL", "[0-9]{2}-[0-9]{3}", [5, 4], "([0-9]{2})[^0-9A-Z]*([0-9]{3})", "\\1-\\2"],
        ["PT", "[0-9]{4}-[0-9]{3}", none, "([0-9]{4})[^0-9A-Z]*([0-9]{3})", "\\1-\\2"],
        ["CZ GR SE SK", "[0-9]{3} [0-9]{2}", [5, 4], "([0-9]{3})[^0-9A-Z]*([0-9]{2})", "\\1 \\2"],
        [
            "BR",
            "[0-9]{5}-[0-9]{3}",
            [8, 7],
            "([0-9]{2})[^0-9A-Z]*([0-9]{3})[^0-9A-Z]*([0-9]{3})",
            "\\1\\2-\\3",
        ],
        ["JP", "[0-9]{3}-[0-9]{4}", [7, 6], "〒?[^0-9A-Z]*([0-9]{3})[^0-9A-Z]*([0-9]{4})", "\\1-\\2"],
        ["LV", "LV-[0-9]{4}", none, "(?:LV)?[^0-9A-Z]*([0-9]{4})", "LV-\\1"],
    ] %}
    {% set upper = dmail.replace_first(
        dmail.upper_case(dmail.trimmed("cast(" ~ column ~ " as string)")), "\\.0+$", ""
    ) %}
    {% set bare = dmail.replace_first(upper, "^[A-Z]{1,3}[ -]+([0-9]{3}[0-9A-Z -]*)$", "\\1") %}
    case
        {# Not `in (…)`: DuckDB turns a long list into a join. #}
        {% for countries, right, zeros, parts, print in shapes %}
            when contains('{{ countries }}', {{ country_code }})
            then
                case
                    when {{ dmail.matches_whole(column, right) }}
                    then {{ column }}
                    {% if zeros %}
                        when {{ dmail.matches_whole(bare, "[0-9]{" ~ zeros[1] ~ "," ~ (zeros[0] - 1) ~ "}") }}
                        then
                            {% set filled = "lpad(" ~ bare ~ ", " ~ zeros[0] ~ ", '0')" %}
                            {{ dmail.replace_first(filled, "^" ~ parts ~ "$", print) if parts else filled }}
                    {% endif %}
                    {% if countries.startswith("US") %}
                        when {{ dmail.matches_whole(bare, "[0-9]{7,8}") }}
                        then {{ dmail.replace_first("lpad(" ~ bare ~ ", 9, '0')", "^(.{5})(.{4})$", "\\1-\\2") }}
                    {% endif %}
                    else {{ dmail.replace_first(bare, "^" ~ parts ~ "$", print) if parts else bare }}
                end
        {% endfor %}
        {# In other countries the letters may be part of the code. #}
        when contains('AT AX BE BG CH EE HR HU LI LT LU MC MD MK RS SI', {{ country_code }})
        then case when {{ dmail.matches_whole(column, "[0-9]+") }} then {{ column }} else {{ bare }} end
        else {{ upper }}
    end
{%- endmacro %}
