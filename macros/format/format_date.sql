{#
    A date as text: long (October 5, 2026; 5. Oktober 2026), short (10/5/2026; 5.10.2026) or iso (2026-10-05). The date of a timestamp
    is its date in UTC. Values that are not dates, and years outside 1 to 9999, are null.

    Arguments:
        column (column): The date.
        locale (column): A locale of `locales()` in quotes ("'de-DE'"), or a column; see `by_locale()`.
        style (string): 'long', 'short' or 'iso'.
#}
{% macro format_date(column, locale="'en-US'", style="long") -%}
    {% if style not in ["long", "short", "iso"] %}
        {{
            exceptions.raise_compiler_error(
                "format_date(): unknown style `" ~ style ~ "`; it accepts long, short, iso"
            )
        }}
    {% endif %}
    {% set known = dmail.locales() %} {% do dmail.check_choice("format_date", "locale", locale, known) %}
    {% set date = dmail.read_as(column, "date") %}
    {% set year, month, day = "year(" ~ date ~ ")", "month(" ~ date ~ ")", "day(" ~ date ~ ")" %}
    {% set expressions = {} %}
    {% for name, words in known.items() %}
        {% set parts = {
            "{y}": "cast(" ~ year ~ " as string)",
            "{m}": "cast(" ~ month ~ " as string)",
            "{d}": "cast(" ~ day ~ " as string)",
            "{mm}": "lpad(cast(" ~ month ~ " as string), 2, '0')",
            "{dd}": "lpad(cast(" ~ day ~ " as string), 2, '0')",
            "{month}": "split_part('" ~ words.months ~ "', ' ', cast(" ~ month ~ " as integer))",
        } %}
        {% do expressions.update({name: dmail.filled(words.get(style, ""), parts)}) %}
    {% endfor %}
    case
        when {{ year }} between 1 and 9999
        then
            {% if style == "iso" %}
                lpad(cast({{ year }} as string), 4, '0')
                || '-'
                || lpad(cast({{ month }} as string), 2, '0')
                || '-'
                || lpad(cast({{ day }} as string), 2, '0')
            {% else %} {{ dmail.by_locale(locale, expressions) }}
            {% endif %}
    end
{%- endmacro %}

{#
    A pattern such as `{d}. {month}` as a SQL expression.

    Arguments:
        pattern (string): The pattern.
        parts (dict[string, column]): The SQL of each part.
#}
{% macro filled(pattern, parts) -%}
    {% set sql = namespace(text=dmail.sql_text(pattern)) %}
    {% for name, part in parts.items() %}
        {% set sql.text = sql.text | replace(name, "' || " ~ part ~ " || '") %}
    {% endfor %}
    {{- sql.text -}}
{%- endmacro %}
