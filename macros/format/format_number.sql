{#
    A number with grouped thousands: 1,234.50; 1.234,50; 1’234.50. It is rounded half away from zero: a decimal exactly, a float as it
    is stored. Values that are not numbers, or have more than 38 digits, are null.

    Arguments:
        column (column): The number.
        locale (column): A locale of `locales()` in quotes ("'de-DE'"), or a column; see `by_locale()`.
        decimals (int): The number of decimals, 0 to 10.
#}
{% macro format_number(column, locale, decimals=0) -%}
    {% if decimals is not integer or decimals < 0 or decimals > 10 %}
        {{ exceptions.raise_compiler_error("format_number(): `decimals` accepts 0 to 10, not `" ~ decimals ~ "`") }}
    {% endif %}
    {% set known = dmail.locales() %} {% do dmail.check_choice("format_number", "locale", locale, known) %}
    {% set number = "cast(" ~ dmail.rounded(column, decimals) ~ " as string)" %}
    case when {{ number }} like '-%' then '-' else '' end || {{ dmail.grouped_digits(number, locale, known) }}
{%- endmacro %}

{#
    A number with a fixed number of decimals, rounded half away from zero, or null if it is not a number.

    Arguments:
        column (column): The number.
        decimals (int): The number of decimals.
#}
{% macro rounded(column, decimals) -%} {{ dmail.read_as(column, "decimal(38, " ~ decimals ~ ")") }} {%- endmacro %}

{#
    The digits of a number with grouped thousands, without its sign. Regular expressions cannot count from the right, so the digits are
    grouped in reverse.

    Arguments:
        number (column): The number as text, with a point and a fixed number of decimals.
        locale (column): A locale of `locales()` in quotes, or a column; see `by_locale()`.
        known (dict[string, any]): The locales.
#}
{% macro grouped_digits(number, locale, known) -%}
    {% set marks = {} %}
    {% for name, words in known.items() %}
        {% do marks.update({name: dmail.sql_text(words.group ~ words.point)}) %}
    {% endfor %}
    {% set digits = "replace(" ~ number ~ ", '-', '')" %}
    {% set backwards = dmail.replace_all("reverse(split_part(" ~ digits ~ ", '.', 1))", "([0-9]{3})", "\\1,") %}
    translate(
        {{ dmail.replace_all("reverse(" ~ backwards ~ ")", "^,", "") }}
        || case when {{ digits }} like '%.%' then '.' || split_part({{ digits }}, '.', 2) else '' end,
        ',.',
        {{ dmail.by_locale(locale, marks) }}
    )
{%- endmacro %}
