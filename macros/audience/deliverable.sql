{#
    Excludes addresses that lack what the post of their country requires (`address_problem` of `postal_addresses()`), or that are
    worse than the given limits.

    Arguments:
        max_lines (optional[int]): The greatest number of lines of the printed block, without the country.
        min_quality (optional[int]): The least `address_quality`, a rating by the address provider. An address without a rating passes.
        max_errors (optional[int]): The greatest `address_errors`, the number of returned pieces. Null passes.
#}
{% macro deliverable(max_lines=none, min_quality=none, max_errors=none) %}
    {% set faults = ["address_problem is not null"] %}
    {% set shows = {"address": "coalesce(address_problem, 'complete')"} %}
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
    {{ return({"reason": "incomplete_address", "condition": "(" ~ faults | join(" or ") ~ ")", "shows": shows}) }}
{% endmacro %}
