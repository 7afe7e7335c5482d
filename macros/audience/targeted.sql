{#
    Who a campaign targets: never a test profile. `dmail-runner proof` and `preview --test-profiles` target the test profiles instead,
    and all of them, so that a condition that they do not meet hides nobody. The later waves of a mailing target whom the first one did.

        where {% call targeted() %} orders_count > 0 {% endcall %}
#}
{% macro targeted() -%}
    {%- set wave = dmail.this_wave() -%}
    {%- if execute and env_var("DMAIL_TEST_PROFILES", "") != "" -%} is_test_profile
    {%- elif wave.audience -%}
        not is_test_profile and profile_id in (select profile_id from {{ dmail.divided_audience(wave) }})
    {%- else -%} not is_test_profile and ({{ caller() | trim }})
    {%- endif -%}
{%- endmacro %}
