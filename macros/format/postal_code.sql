{#
    A postal code as its country's post prints it: `02134-1234`, `K1A 0B1`, `SW1A 1AA`, `1012 AB`, `01310-100`, `100-0001`.

    It is trimmed and in upper case. Letters of the country before the number are removed (`D-80331`), and zeros that a spreadsheet
    removed are restored as far as the country's codes allow: `2134` and `501` are codes of the United States, because its codes begin
    with up to two zeros. A value that does not look like a code of the country is only trimmed and put in upper case:
    `postal_addresses()` judges it. Applying the macro twice changes nothing.

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
        ["DE ES MX TR UA MY KR LT LA DZ GT PE MM", "[0-9]{5}", [5, 4], none, none],
        ["FI LK KE VA", "[0-9]{5}", [5, 3], none, none],
        ["IT", "[0-9]{5}", [5, 2], none, none],
        ["CN SG RO CO EC KZ", "[0-9]{6}", [6, 5], none, none],
        ["AU NZ DK GE PH", "[0-9]{4}", [4, 3], none, none],
        ["NO AM", "[0-9]{4}", [4, 2], none, none],
        ["ZA", "[0-9]{4}", [4, 1], none, none],
        ["GN", "[0-9]{3}", [3, 1], none, none],
        ["IN", "[0-9]{6}", none, "([0-9]{3})[^0-9A-Z]+([0-9]{3})", "\\1\\2"],
        ["CL", "[0-9]{7}", none, "([0-9]{3})[^0-9A-Z]+([0-9]{4})", "\\1\\2"],
        ["IR", "[0-9]{5}-[0-9]{5}", none, "([0-9]{5})[^0-9A-Z]*([0-9]{5})", "\\1-\\2"],
        ["LB", "[0-9]{4}( [0-9]{4})?", none, "([0-9]{4})[^0-9A-Z]*([0-9]{4})", "\\1 \\2"],
        ["MT", "[A-Z]{3} [0-9]{2,4}", none, "([A-Z]{3})[^0-9A-Z]*([0-9]{2,4})", "\\1 \\2"],
        ["AZ", "[0-9]{4}", none, "(?:AZ)?[^0-9A-Z]*([0-9]{4})", "\\1"],
        ["FO", "[0-9]{3}", none, "(?:FO)?[^0-9A-Z]*([0-9]{3})", "\\1"],
        ["HT", "[0-9]{4}", none, "(?:HT)?[^0-9A-Z]*([0-9]{4})", "\\1"],
        ["MD", "[0-9]{4}", none, "(?:MD)?[^0-9A-Z]*([0-9]{4})", "\\1"],
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
        ["PL", "[0-9]{2}-[0-9]{3}", [5, 2], "([0-9]{2})[^0-9A-Z]*([0-9]{3})", "\\1-\\2"],
        ["PT", "[0-9]{4}-[0-9]{3}", none, "([0-9]{4})[^0-9A-Z]*([0-9]{3})", "\\1-\\2"],
        ["CZ GR SE", "[0-9]{3} [0-9]{2}", none, "([0-9]{3})[^0-9A-Z]*([0-9]{2})", "\\1 \\2"],
        ["SK", "[0-9]{3} [0-9]{2}", [5, 4], "([0-9]{3})[^0-9A-Z]*([0-9]{2})", "\\1 \\2"],
        [
            "BR",
            "[0-9]{5}-[0-9]{3}",
            [8, 7],
            "([0-9]{2})[^0-9A-Z]*([0-9]{3})[^0-9A-Z]*([0-9]{3})",
            "\\1\\2-\\3",
        ],
        ["JP", "[0-9]{3}-[0-9]{4}", [7, 5], "〒?[^0-9A-Z]*([0-9]{3})[^0-9A-Z]*([0-9]{4})", "\\1-\\2"],
        ["LV", "LV-[0-9]{4}", none, "(?:LV)?[^0-9A-Z]*([0-9]{4})", "LV-\\1"],
    ] %}
    {% set upper = dmail.replace_first(
        dmail.upper_case(dmail.trimmed("cast(" ~ column ~ " as string)")), "\\.0+$", ""
    ) %}
    {% set bare = dmail.replace_first(upper, "^[A-Z]{1,3}[ -]+([0-9]{3}[0-9A-Z -]*)$", "\\1") %}
    case
        {# Not `in (…)`: DuckDB turns a long list into a join. #}
        {% for countries, right, zeros, parts, print in shapes %}
            {# The letters of a Maltese code are a part of it. #}
            {% set code = upper if countries == "MT" else bare %}
            when contains('{{ countries }}', {{ country_code }})
            then
                case
                    when {{ dmail.matches_whole(column, right) }}
                    then {{ column }}
                    {% if zeros %}
                        when {{ dmail.matches_whole(code, "[0-9]{" ~ zeros[1] ~ "," ~ (zeros[0] - 1) ~ "}") }}
                        then
                            {% set filled = "lpad(" ~ code ~ ", " ~ zeros[0] ~ ", '0')" %}
                            {{ dmail.replace_first(filled, "^" ~ parts ~ "$", print) if parts else filled }}
                    {% endif %}
                    {% if countries.startswith("US") %}
                        when {{ dmail.matches_whole(bare, "[0-9]{7,8}|[0-9]{3,4}-[0-9]{4}") }}
                        then
                            {% set nine = "lpad(replace(" ~ bare ~ ", '-', ''), 9, '0')" %}
                            {{ dmail.replace_first(nine, "^(.{5})(.{4})$", "\\1-\\2") }}
                    {% endif %}
                    else {{ dmail.replace_first(code, "^" ~ parts ~ "$", print) if parts else code }}
                end
        {% endfor %}
        {# In other countries the letters may be part of the code. #}
        when contains('AT AX BE BG CH EE HR HU LI LU MC MK RS SI', {{ country_code }})
        then case when {{ dmail.matches_whole(column, "[0-9]+") }} then {{ column }} else {{ bare }} end
        else {{ upper }}
    end
{%- endmacro %}
