{#
    A telephone number as it is printed: its digits, after a + if there is one. Values that are not numbers are null: fewer than 7 or
    more than 15 digits, or letters. An extension (x12, ext. 12, #12) is removed, and so is the (0) of +49 (0) 30.

    Arguments:
        column (column): The number.
        country_code (optional[column]): ISO 3166-1 alpha-2: a column, or a literal in quotes. National numbers of the countries listed
            below become international. By default, they stay as they are.
#}
{% macro phone(column, country_code=none) -%}
    {# The calling code, and the prefix that is dialled only within the country. #}
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
        {% set national -%}
            case
                when {{ dmail.matches(number, "^[^0-9]*\\+") }}
                then '+' || {{ digits }}
                when {{ dmail.matches(digits, "^00") }}
                then '+' || substr({{ digits }}, 3)
                when {{ dmail.matches(digits, "^011") }} and {{ dmail.matches("upper(" ~ country_code ~ ")", "^(?:US|CA)$") }}
                then '+' || substr({{ digits }}, 4)
                else
                    case
                        upper({{ country_code }})
                        {% for country, rule in countries.items() %}
                            when '{{ country }}'
                            then '+{{ rule[0] }}' || {{ dmail.replace_all(digits, "^" ~ rule[1], "") }}
                        {% endfor %}
                        else {{ digits }}
                    end
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
