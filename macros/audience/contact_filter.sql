{#
    SQL that is true for the rows of the contact history that a rule counts. Holdouts do not count, and neither do this campaign's
    contacts of this slot: a slot that is built a second time must decide as it did the first time.

    Arguments:
        macro (string): The rule's name, for error messages.
        campaigns (any): The campaigns whose contacts count: 'this', 'all', or a list of names.
        window (optional[string]): SQL over `slot`. By default, contacts of any age count.
#}
{% macro contact_filter(macro, campaigns, window=none) %}
    {% set own = dmail.sql_text(dmail.campaign_name()) %}
    {% if campaigns is string %}
        {% do dmail.one_of(macro, "campaigns", campaigns, ["this", "all"], "a list of names") %}
        {% set names = [own] if campaigns == "this" else [] %}
    {% elif campaigns is sequence and campaigns %}
        {% set names = [] %} {% for name in campaigns %} {% do names.append(dmail.sql_text(name)) %} {% endfor %}
    {% else %} {% do dmail.one_of(macro, "campaigns", campaigns, ["this", "all"], "a list of names") %}
    {% endif %}
    {% set filter %}
        cell = 'mailed'
        and not (campaign = {{ own }} and slot = {{ dmail.slot() }})
        {% if names %} and campaign in ({{ names | join(", ") }}) {% endif %}
        {% if window %} and {{ window }} {% endif %}
    {% endset %}
    {{ return(filter) }}
{% endmacro %}
