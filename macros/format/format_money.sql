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
    {% set symbols, patterns, negatives = {}, {}, {} %}
    {% for name, words in known.items() %}
        {% do symbols.update({name: dmail.currency_symbol(currency, chosen, words)}) %}
        {% do patterns.update({name: dmail.sql_text(words.money)}) %}
        {% do negatives.update({name: dmail.sql_text(words.negative_money or "-" ~ words.money)}) %}
    {% endfor %}
    {% set amount %}
        case
            {{ currency }}
            {% for code in chosen %}
                when '{{ code }}' then cast({{ dmail.rounded(column, all_currencies[code]) }} as string)
            {% endfor %}
        end
    {% endset %}
    {% set pattern %}
        case
            when {{ amount }} like '-%' then {{ dmail.by_locale(locale, negatives) }}
            else {{ dmail.by_locale(locale, patterns) }}
        end
    {% endset %}
    replace(
        replace({{ pattern }}, '{s}', {{ dmail.by_locale(locale, symbols) }}),
        '{n}',
        {{ dmail.grouped_digits(amount, locale, known) }}
    )
{%- endmacro %}

{#
    The symbol of a currency in a locale. A code in front of the number (CHF) is followed by a no-break space.

    Arguments:
        currency (column): A currency in quotes, or a column.
        chosen (list[string]): The currencies that it may have.
        words (dict[string, any]): An entry of `locales()`.
#}
{% macro currency_symbol(currency, chosen, words) -%}
    case
        {{ currency }}
        {% for code in chosen %}
            {% set symbol = words.symbols.get(code, code) %}
            {% set spaced = words.money.startswith("{s}{n}") and symbol[-1] in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" %}
            when '{{ code }}'
            then {{ dmail.sql_text(symbol ~ "\u00a0" if spaced else symbol) }}
        {% endfor %}
    end
{%- endmacro %}
