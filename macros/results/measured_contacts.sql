{#
    The contacts that results count, with their household. The variable `dmail_results_since` has, for a campaign, the day from which it
    is measured: everybody enters again at their first contact from that day.
#}
{% macro measured_contacts() %}
    {% set starts = var("dmail_results_since", {}) %}
    {% for campaign, start in starts.items() %}
        {% do dmail.check_campaign("dmail_results_since", campaign) %}
        {% if not modules.re.match("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", start ~ "") %}
            {{
                exceptions.raise_compiler_error(
                    "the variable dmail_results_since: "
                    ~ campaign
                    ~ " has `"
                    ~ start
                    ~ "`; it accepts a day such as 2027-03-01"
                )
            }}
        {% endif %}
    {% endfor %}
    select profile_id, coalesce(household_key, profile_id) as household, campaign, slot, run_id, cell, treatment
    from {{ dmail.role_model("contact_history") }}
    where
        cell in ('mailed', 'holdout')
        {% for campaign, start in starts.items() %}
            and not (campaign = {{ dmail.sql_text(campaign) }} and slot < timestamp '{{ start }} 00:00:00')
        {% endfor %}
{% endmacro %}

{# The days after the in-home date in which a response counts: the variable `dmail_response_days`. #}
{% macro response_days() %} {{ return(var("dmail_response_days", 90) | int) }} {% endmacro %}
