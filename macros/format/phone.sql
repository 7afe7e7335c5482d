{#
    A telephone number as printed: its digits, and the + before them where there is one. What is not a number (fewer than 7 or more
    than 15 digits, or letters among them) is null, as is nothing. An extension (x12, ext. 12, #12) goes, and so does the (0) of
    +49 (0) 30.

    Arguments:
        country_code  column expression (ISO 3166-1 alpha-2), or a literal in quotes: a national number becomes an international
                      one where the country is known below; otherwise the digits stay as they are
#}
{% macro phone(column, country_code=none) -%}
    {# Calling code, and the 0 (or 1) that is dialled only within the country. #}
    {% set countries = {
        "US": ["1", "1?"],
        "CA": ["1", "1?"],
        "GB": ["44", "0?"],
        "IE": ["353", "0?"],
        "DE": ["49", "0?"],
        "AT": ["43", "0?"],
        "CH": ["41", "0?"],
        "FR": ["33", "0?"],
        "NL": ["31", "0?"],
        "BE": ["32", "0?"],
        "SE": ["46", "0?"],
        "BR": ["55", "0?"],
        "JP": ["81", "0?"],
        "IT": ["39", ""],
        "ES": ["34", ""],
        "PT": ["351", ""],
        "PL": ["48", ""],
        "DK": ["45", ""],
        "NO": ["47", ""],
        "MX": ["52", ""],
    } %}
    {% set number = dmail.replace_all(
        "lower(" ~ dmail.blank_to_null(column) ~ ")",
        "^(?:tel|phone|fon|tlf|mobile)[.:]* *|[,; ]*(?:ext|extension|x|#)[.: ]*[0-9]+$",
        "",
    ) %}
    {% set number = dmail.replace_all(number, "^([^0-9]*\\+[0-9 ]+)\\(0\\)", "\\1") %}
    {% set digits = dmail.replace_all(number, "[^0-9]", "") %}
    {% set plus = "case when " ~ dmail.matches(number, "^[^0-9]*\\+") ~ " then '+' else '' end" %}
    {% set national = plus ~ " || " ~ digits %}
    {% if country_code is not none %}
        {% set cases = [] %}
        {% for country, rule in countries.items() %}
            {% do cases.append(
                "when '" ~ country ~ "' then '+" ~ rule[0] ~ "' || " ~ dmail.replace_all(digits, "^" ~ rule[1], "")
            ) %}
        {% endfor %}
        {% set national -%}
            case
                when {{ dmail.matches(number, "^[^0-9]*\\+") }}
                then '+' || {{ digits }}
                when {{ dmail.matches(digits, "^00") }}
                then '+' || substr({{ digits }}, 3)
                when {{ dmail.matches(digits, "^011") }} and {{ dmail.matches("upper(" ~ country_code ~ ")", "^(?:US|CA)$") }}
                then '+' || substr({{ digits }}, 4)
                else case upper({{ country_code }}) {{ cases | join(" ") }} else {{ digits }} end
            end
        {%- endset %}
    {% endif %}
    case
        when {{ dmail.matches(number, "\\pL") }}
        then null
        when {{ dmail.matches(digits, "^[0-9]{7,15}$") }} and {{ dmail.matches(national, "^\\+?[0-9]{7,15}$") }}
        then {{ national }}
    end
{%- endmacro %}
