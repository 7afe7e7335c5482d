{#
    Who a campaign targets: never a test profile. `dmail-runner proof` and `preview --test-profiles` target the test profiles instead,
    and all of them, so that a condition that they do not meet hides nobody.

        where {% call targeted() %} orders_count > 0 {% endcall %}
#}
{% macro targeted() -%}
    {%- if execute and env_var("DMAIL_TEST_PROFILES", "") != "" -%} is_test_profile
    {%- else -%} not is_test_profile and ({{ caller() | trim }})
    {%- endif -%}
{%- endmacro %}
