{#
    An amount with its currency: $1,234.50; 1.234,50 €; ￥1,235. The currency says how many decimals; rounded half away from zero.
    Null is null; so is what is no amount, and a currency that is not in currencies().

    Arguments:
        currency  one of currencies() in quotes ("'EUR'"), or a column expression
        locale    one of locales() in quotes ("'de-DE'"), or a column expression; see by_locale()
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
            {% set parts = {"{s}": dmail.sql_text(symbol), "{n}": dmail.grouped_digits(column, all_currencies[code], words)} %}
            {% set below = dmail.rounded(column, all_currencies[code]) ~ " < 0" %}
            {% do cases.append(
                "when '"
                ~ code
                ~ "' then case when "
                ~ below
                ~ " then "
                ~ dmail.filled(words.negative_money or "-" ~ money, parts)
                ~ " else "
                ~ dmail.filled(money, parts)
                ~ " end"
            ) %}
        {% endfor %}
        {% do expressions.update({name: "case " ~ currency ~ " " ~ cases | join(" ") ~ " end"}) %}
    {% endfor %}
    {{ dmail.by_locale(locale, expressions) }}
{%- endmacro %}
