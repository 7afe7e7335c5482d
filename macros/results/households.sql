{#
    The model with `profile_id` and `household_key`, by which the response of a member counts for the household: the variable
    `dmail_households`. By default, only persons whom the campaign has contacted are matched.
#}
{% macro households() %}
    {% set name = var("dmail_households", "int_postal_addresses" if project_name == "dmail" else none) %}
    {{ return(ref(name) if name else none) }}
{% endmacro %}
