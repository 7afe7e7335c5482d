{#
    The model with `profile_id` and `household_key`, by which the response of a member counts for the household: the variable
    `dmail_households`. By default, only persons whom the campaign has contacted are matched.
#}
{% macro households() %}
    {% set name = var("dmail_households", "int_postal_addresses" if project_name == "dmail" else none) %}
    {{ return(ref(name) if name else none) }}
{% endmacro %}

{#
    The model with the orders or other responses: the variable `dmail_responses`, or by default what `dmail-runner fetch` has received. It
    has `response_id`, `profile_id`, `piece_id`, `key_code`, `amount`, `currency` and `happened_at`, and may have `purl`.
#}
{% macro responses() %}
    {% set name = var("dmail_responses", none) %} {{ return(ref(name) if name else ref("dmail", "stg_responses")) }}
{% endmacro %}

{#
    Whether responses are matched by personal addresses: the models with the responses and with the contact history have the columns.
    Models of projects may lack newer ones.
#}
{% macro has_purls() %}
    {% set name, found = var("dmail_responses", "stg_responses"), namespace(has=false) %}
    {% for node in graph.get("nodes", {}).values() %}
        {% if node.name == name and node.resource_type == "model" and "purl" in node.columns %}
            {% set found.has = dmail.has_contact_column("purl_hash") %}
        {% endif %}
    {% endfor %}
    {# The graph is empty within a unit test, which replaces the models. #}
    {{ return(found.has or not graph.get("nodes")) }}
{% endmacro %}
