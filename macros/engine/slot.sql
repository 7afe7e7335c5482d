{#
    The slot (UTC), as a timestamp literal: the moment at which this campaign is due. Models use it in place of now(), so that a
    slot gives the same file whenever it is built. Without the runner it is a fixed moment.
#}
{% macro slot() %} {{ return("timestamp '" ~ dmail.from_runner("DMAIL_SLOT", "2026-10-05 10:00:00") ~ "'") }} {% endmacro %}

{#
    The value of a variable that the runner sets for each slot. It is not read while dbt parses: dbt parses a model again when a
    variable that its parsing read has changed.

    Arguments:
        variable (string): The name of the environment variable.
        default (string): The value while dbt parses, and without the runner.
#}
{% macro from_runner(variable, default) %} {{ return(env_var(variable, default) if execute else default) }} {% endmacro %}

{#
    The moment (UTC) up to which suppressions count, as a timestamp literal: the slot or, for a file that is made long after it, the
    later moment that the runner passes in DMAIL_AS_OF.
#}
{% macro as_of() %}
    {% set known = dmail.from_runner("DMAIL_AS_OF", "") %}
    {{ return("timestamp '" ~ known ~ "'" if known else dmail.slot()) }}
{% endmacro %}
