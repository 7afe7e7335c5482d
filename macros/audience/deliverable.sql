{#
    Out: the address lacks what the post of its country needs (int_postal_addresses says what), or is worse than is wanted.

    Arguments:
        max_lines    how many lines the printed block may have, the country's not counted
        min_quality  least `address_quality` that the provider has rated the address with; no rating is no fault
        max_errors   most `address_errors`: how often mail to it came back
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
