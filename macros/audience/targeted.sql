{#
    The condition of an audience, which never targets a test profile:

        where {% call dmail.targeted() %} orders_count > 0 {% endcall %}

    `dmail-runner proof` and `preview --test-profiles` target all test profiles instead, whether or not they meet the condition.
    The later waves of a mailing target the people of its first wave, and a copy those of the original.
#}
{% macro targeted() -%}
    {%- set wave, original = dmail.this_wave(), dmail.original() -%}
    {%- set explained = execute and env_var("DMAIL_EXPLAIN", "") != "" -%}
    {# `explain` reads the condition between these marks. #}
    {{- " /* audience if */ " if explained -}}
    {%- if execute and env_var("DMAIL_TEST_PROFILES", "") != "" -%} is_test_profile
    {%- elif original -%} not is_test_profile and {{ dmail.in_original(original) }}
    {%- elif wave.audience -%}
        not is_test_profile and profile_id in (select profile_id from {{ dmail.divided_audience(wave) }})
    {%- else -%} not is_test_profile and ({{ caller() | trim }})
    {%- endif -%}
    {{- " /* audience end */ " if explained -}}
{%- endmacro %}
