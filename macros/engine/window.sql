{#
    Where the slot's window begins (UTC), as a timestamp literal: where the one before it ended that was not given up. A window is
    half-open, and windows abut:

        triggered_at >= {{ window_start() }} and triggered_at < {{ window_end() }}

    Plain dbt commands fall back on the week before `slot()`'s fixed moment. `in_window` finds rows that arrive late, too.
#}
{% macro window_start() %}
    {{ return("timestamp '" ~ env_var("DMAIL_WINDOW_START", "2026-09-28 10:00:00") ~ "'") }}
{% endmacro %}

{# Where the slot's window ends: the slot. #}
{% macro window_end() %} {{ return(dmail.slot()) }} {% endmacro %}
