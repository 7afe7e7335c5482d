{#
    The expression of a locale. A locale in quotes ("'de-DE'") is resolved when the model is compiled. A column is resolved row by row:
    `de_de` is `de-DE`, and a language alone is the first locale of that language in `locales()` (`en` is en-US, `pt` is pt-BR). Other
    values give null: a country that is not listed is not guessed, because 10/5 is in May in one country and in October in another.

    Arguments:
        locale (column): A locale of `locales()` in quotes, or a column.
        expressions (dict[string, string]): Locale -> SQL.
#}
{% macro by_locale(locale, expressions) -%}
    {% if locale.startswith("'") %} {{ expressions[locale[1:-1]] }}
    {% else %}
        {% set languages, key = [], "lower(replace(" ~ locale ~ ", '_', '-'))" %}
        case
            {% for known, expression in expressions.items() %}
                {% set values = [known | lower] if known[:2] in languages else [known | lower, known[:2]] %}
                when {{ key }} in ('{{ values | join("', '") }}')
                then {{ expression }} {% do languages.append(known[:2]) %}
            {% endfor %}
        end
    {% endif %}
{%- endmacro %}

{#
    Raises a compile error if a literal is not known, or has no quotes: without them, de-DE is a subtraction.

    Arguments:
        name (string): The macro's name, for the message.
        argument (string): The argument's name.
        value (column): The value.
        known (any): The known literals.
#}
{% macro check_choice(name, argument, value, known) %}
    {% set quoted = modules.re.fullmatch("'[^']*'", value) %}
    {% if (quoted and value[1:-1] not in known) or value in known %}
        {{
            exceptions.raise_compiler_error(
                name ~ "(): `" ~ argument ~ "` accepts a column expression, or within quotes one of " ~ known
                | join(", ") ~ "; write it as \"'..'\", not `" ~ value ~ "`"
            )
        }}
    {% endif %}
{% endmacro %}
