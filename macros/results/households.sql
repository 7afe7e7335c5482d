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
    has `response_id`, `profile_id`, `piece_id`, `key_code`, `amount`, `currency` and `happened_at`.
#}
{% macro responses() %}
    {% set name = var("dmail_responses", none) %} {{ return(ref(name) if name else ref("dmail", "stg_responses")) }}
{% endmacro %}
