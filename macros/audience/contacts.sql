{#
    Pieces in the contact history, what this very slot has put there left out: a slot that is built again decides as it did before.

    Arguments:
        campaigns  'this', 'all', or a list of campaigns
        window     SQL over `slot` that is true for what counts; none: ever
#}
{% macro contacts(macro, campaigns, window=none) %}
    {% set own = dmail.campaign_name() %}
    {% if campaigns is string %}
        {% do dmail.one_of(macro, "campaigns", campaigns, ["this", "all", "a list of names"]) %}
        {% set names = [own] if campaigns == "this" else [] %}
    {% else %} {% set names = campaigns %}
    {% endif %}
    {% set conditions = ["cell = 'mailed'", "not (campaign = '" ~ own ~ "' and slot = " ~ dmail.slot() ~ ")"] %}
    {% if names %} {% do conditions.append("campaign in ('" ~ names | join("', '") ~ "')") %} {% endif %}
    {% if window %} {% do conditions.append(window) %} {% endif %}
    {{ return("from " ~ ref("stg_contact_history") ~ " where " ~ conditions | join(" and ")) }}
{% endmacro %}
