{#
    Excludes addresses outside an area. An area is a dictionary: `country_code`, `region` or `postal_code` -> list of values. A `*`
    at the end of a postal code matches any rest.

    Arguments:
        only (dict[string, list[string]]): Areas that an address must all lie in, such as {'country_code': ['US', 'CA']}. A null in the
            column is excluded.
        never (dict[string, list[string]]): Areas that an address must not lie in, such as {'region': ['AK', 'HI']}.
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
                    dmail.begins_with(column, text[:-1])
                    if text.endswith("*")
                    else column ~ " = " ~ dmail.sql_text(text)
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
