{#
    The start of the slot's window (UTC), as a timestamp literal: the end of the last window that was not given up. Windows are
    half-open and contiguous:

        triggered_at >= {{ dmail.window_start() }} and triggered_at < {{ dmail.window_end() }}

    Without the runner it is one week before the fixed moment of `slot()`. `in_window()` also finds rows that arrive late.
#}
{% macro window_start() %}
    {% set given = env_var("DMAIL_WINDOW_START", "") if execute else "" %}
    {{ return("timestamp '" ~ (given or "2026-09-28 10:00:00") ~ "'") }}
{% endmacro %}

{# The end of the slot's window (UTC), as a timestamp literal: the slot. #}
{% macro window_end() %} {{ return(dmail.slot()) }} {% endmacro %}
