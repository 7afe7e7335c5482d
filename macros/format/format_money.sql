{#
    An amount with its currency: $1,234.50; 1.234,50 €; ￥1,235. The currency determines the decimals. It is rounded half away from
    zero. Values that are not numbers, and currencies that `currencies()` does not list, are null.

    Arguments:
        column (column): The amount.
        currency (column): A currency of `currencies()` in quotes ("'EUR'"), or a column.
        locale (column): A locale of `locales()` in quotes ("'de-DE'"), or a column; see `by_locale()`.
#}
{% macro format_money(column, currency, locale) -%}
    {% set known, all_currencies = dmail.locales(), dmail.currencies() %}
    {% do dmail.check_choice("format_money", "locale", locale, known) %}
    {% do dmail.check_choice("format_money", "currency", currency, all_currencies) %}
    {% set chosen = [currency[1:-1]] if currency.startswith("'") else all_currencies.keys() | list %}
    {% set expressions = {} %}
    {% for name, words in known.items() %}
        {% set cases = [] %}
        {% for code in chosen %}
            {% set symbol = words.symbols.get(code, code) %}
            {% set money = words.money %}
            {% if money.startswith("{s}{n}") and symbol[-1] in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" %}
                {% set money = "{s}\u00a0{n}" %}
            {% endif %}
            {% set parts = {
                "{s}": dmail.sql_text(symbol),
                "{n}": dmail.grouped_digits(column, all_currencies[code], words),
            } %}
            {% set negative = words.negative_money or "-" ~ money %}
            {% set case %}
                when '{{ code }}'
                then
                    case
                        when {{ dmail.rounded(column, all_currencies[code]) }} < 0
                        then {{ dmail.filled(negative, parts) }}
                        else {{ dmail.filled(money, parts) }}
                    end
            {% endset %}
            {% do cases.append(case) %}
        {% endfor %}
        {% do expressions.update({name: "case " ~ currency ~ " " ~ cases | join(" ") ~ " end"}) %}
    {% endfor %}
    {{ dmail.by_locale(locale, expressions) }}
{%- endmacro %}
