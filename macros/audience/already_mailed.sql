{#
    Excludes profiles that a campaign has mailed before.

    Arguments:
        days (optional[int]): Count only contacts of the last `days` calendar days, in the campaign's zone. By default, contacts of any age count.
        campaigns (any): The campaigns whose contacts count: 'this', 'all', or a list of names.
#}
{% macro already_mailed(days=none, campaigns="this") %}
    {% set window = none %}
    {% if days is not none %}
        {% do dmail.number_between("already_mailed", "days", days, 1, 10000) %}
        {% set window = dmail.within_days("slot", days, later=false) %}
    {% endif %}
    {% set mailed %}
        select profile_id as mailed_profile_id, max(slot) as mailed_slot
        from {{ dmail.role_model("contact_history") }}
        where {{ dmail.contact_filter("already_mailed", campaigns, window) }}
        group by profile_id
    {% endset %}
    {{
        return(
            {
                "reason": "already_mailed",
                "counts_contacts": true,
                "joins": [{"query": mailed, "on": "profile_id = mailed_profile_id"}],
                "condition": "mailed_slot is not null",
                "shows": {"last piece": "mailed_slot"},
            }
        )
    }}
{% endmacro %}
