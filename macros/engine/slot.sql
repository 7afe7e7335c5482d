{#
    The moment (UTC) at which this campaign is due, as a timestamp literal: what a model uses in place of now().

    The runner passes it, so that a slot gives the same file whenever it is built. Plain dbt commands fall back on a fixed moment.
#}
{% macro slot() %} {{ return("timestamp '" ~ env_var("DMAIL_SLOT", "2026-10-05 10:00:00") ~ "'") }} {% endmacro %}

{#
    The moment (UTC) up to which what people have asked for counts: the slot, or, where a file is made long after it, that later moment,
    which the runner gives in DMAIL_AS_OF.
#}
{% macro as_of() %}
    {% set known = env_var("DMAIL_AS_OF", "") if execute else "" %}
    {{ return("timestamp '" ~ known ~ "'" if known else dmail.slot()) }}
{% endmacro %}
