{#
    Out: this campaign has mailed them before.

    Arguments:
        days       only within so many days of the slot; none: ever
        campaigns  'this', 'all', or a list of campaigns
#}
{% macro already_mailed(days=none, campaigns="this") %}
    {% if days is not none %}
        {% do dmail.number_between("already_mailed", "days", days, 1, 10000) %}
        {% set window = "slot > " ~ dmail.slot() ~ " - interval " ~ days ~ " day" %}
    {% endif %}
    {{
        return(
            {
                "reason": "already_mailed",
                "joins": [
                    {
                        "query": "select profile_id as mailed_profile_id, max(slot) as mailed_slot "
                        ~ dmail.contacts("already_mailed", campaigns, window)
                        ~ " group by profile_id",
                        "on": "profile_id = mailed_profile_id",
                    }
                ],
                "condition": "mailed_slot is not null",
                "shows": {"last piece": "mailed_slot"},
            }
        )
    }}
{% endmacro %}
