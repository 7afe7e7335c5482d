{#
    The slot (UTC), as a timestamp literal: the moment at which this campaign is due. Models use it in place of now(), so that a
    slot gives the same file whenever it is built. Without the runner it is a fixed moment.
#}
{% macro slot() %}
    {# While dbt parses, the variable is not read: otherwise dbt would parse every model again for another slot. #}
    {% set given = env_var("DMAIL_SLOT", "") if execute else "" %}
    {{ return("timestamp '" ~ (given or "2026-10-05 10:00:00") ~ "'") }}
{% endmacro %}

{#
    The moment (UTC) up to which suppressions count, as a timestamp literal: the slot or, for a file that is made long after it, the
    later moment that the runner passes in DMAIL_AS_OF.
#}
{% macro as_of() %}
    {% set known = env_var("DMAIL_AS_OF", "") if execute else "" %}
    {{ return("timestamp '" ~ known ~ "'" if known else dmail.slot()) }}
{% endmacro %}
