{#
    Excludes addresses that lack what the post of their country requires, or that cannot be (`address_problems()`), or that are worse than
    the given limits. What is missing has the reason `incomplete_address`. Any other problem is a reason of its own, such as
    `placeholder_city`.

    Arguments:
        allow (list[string]): Problems to let pass, such as ['postal code not of its region'].
        max_lines (optional[int]): The greatest number of lines of the printed block, without the country.
        min_quality (optional[int]): The least `address_quality`, a rating by the address provider. An address without a rating passes.
        max_errors (optional[int]): The greatest `address_errors`, the number of returned pieces. Null passes.
#}
{% macro deliverable(allow=[], max_lines=none, min_quality=none, max_errors=none) %}
    {% set known = dmail.address_problems() | map("first") | list %}
    {% if allow is string or allow is not sequence %}
        {{ exceptions.raise_compiler_error("deliverable(): allow takes a list of problems, not `" ~ allow ~ "`") }}
    {% endif %}
    {% for problem in allow %} {% do dmail.one_of("deliverable", "a problem of `allow`", problem, known) %} {% endfor %}
    {% set problem = dmail.worst_problem(known, allow) %}
    {% set faults = [problem ~ " is not null"] %}
    {% set shows = {"address": "coalesce(" ~ problem ~ ", 'complete')"} %}
    {% if max_lines is not none %}
        {% do dmail.number_between("deliverable", "max_lines", max_lines, 2, 20) %}
        {% do faults.append("address_lines > " ~ max_lines) %}
        {% do shows.update({"lines": "address_lines"}) %}
    {% endif %}
    {% if min_quality is not none %}
        {% do dmail.number_between("deliverable", "min_quality", min_quality, 0, 1000000) %}
        {% do faults.append("coalesce(address_quality < " ~ min_quality ~ ", false)") %}
        {% do shows.update({"quality": "address_quality"}) %}
    {% endif %}
    {% if max_errors is not none %}
        {% do dmail.number_between("deliverable", "max_errors", max_errors, 0, 1000000) %}
        {% do faults.append("coalesce(address_errors > " ~ max_errors ~ ", false)") %}
        {% do shows.update({"errors": "address_errors"}) %}
    {% endif %}
    {% set reason %}
        case
            when {{ problem }} in ('{{ dmail.missing_parts() | join("', '") }}')
            then 'incomplete_address'
            else coalesce(replace({{ problem }}, ' ', '_'), 'incomplete_address')
        end
    {% endset %}
    {{
        return(
            {
                "reason": "incomplete_address",
                "reason_of_row": reason,
                "condition": "(" ~ faults | join(" or ") ~ ")",
                "shows": shows,
            }
        )
    }}
{% endmacro %}

{#
    SQL of the first problem of an address that is not allowed, or null.

    Arguments:
        known (list[string]): All problems, in order.
        allow (list[string]): Problems to let pass.
#}
{% macro worst_problem(known, allow) %}
    {% if not allow %} {{ return("address_problem") }} {% endif %}
    {% set problem %}
        case
            {% for name in known if name not in allow %}
                when contains(all_address_problems, ';{{ name }};') then '{{ name }}'
            {% endfor %}
        end
    {% endset %}
    {{ return(problem) }}
{% endmacro %}

{# The problems of addresses that lack something, or whose postal code is misspelt: the reason `incomplete_address`. #}
{% macro missing_parts() %}
    {{
        return(
            [
                "no name",
                "unknown country",
                "no address line",
                "no city",
                "no region",
                "no postal code",
                "postal code not of its country",
            ]
        )
    }}
{% endmacro %}
