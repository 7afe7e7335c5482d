{#
    Out: the address lies outside the area.

    Arguments: dictionaries of `country_code`, `region` or `postal_code` to lists of values; a `*` at the end of a postal code stands
    for any rest.
        only   such as {'country_code': ['US', 'CA']}: an address must be in each of these; with nothing in the column it is out
        never  such as {'region': ['AK', 'HI']}: an address must be in none of these
#}
{% macro outside_area(only={}, never={}) %}
    {% if not only and not never %}
        {{ exceptions.raise_compiler_error("outside_area(): it needs `only` or `never`") }}
    {% endif %}
    {% set out = [] %}
    {% for areas, wanted in [(only, false), (never, true)] %}
        {% for column, values in areas.items() %}
            {% do dmail.one_of("outside_area", "a column", column, ["country_code", "region", "postal_code"]) %}
            {% if values is string or values is not sequence or not values %}
                {{
                    exceptions.raise_compiler_error(
                        "outside_area(): `" ~ column ~ "` takes a list of values, not `" ~ values ~ "`"
                    )
                }}
            {% endif %}
            {% set inside = [] %}
            {% for value in values %}
                {% set text = value | string %}
                {% do inside.append(
                    dmail.begins_with(column, text[:-1]) if text.endswith("*") else column ~ " = " ~ dmail.sql_text(text)
                ) %}
            {% endfor %}
            {% do out.append(("" if wanted else "not ") ~ "coalesce(" ~ inside | join(" or ") ~ ", false)") %}
        {% endfor %}
    {% endfor %}
    {{
        return(
            {
                "reason": "outside_area",
                "condition": "(" ~ out | join(" or ") ~ ")",
                "shows": {"country": "country_code", "region": "region", "postal code": "postal_code"},
            }
        )
    }}
{% endmacro %}
