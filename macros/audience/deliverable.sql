{# Out: the address lacks what the post needs (int_postal_addresses says what: the name, a line, the city, the postal code). #}
{% macro deliverable() %}
    {{ return({"reason": "incomplete_address", "condition": "address_problem is not null"}) }}
{% endmacro %}
