{#
    SQL that is true for the rows of the contact history that a rule counts. Holdouts do not count, and neither do this campaign's
    contacts of this slot: a slot that is built a second time must decide as it did the first time.

    Arguments:
        macro (string): The rule's name, for error messages.
        campaigns (any): The campaigns whose contacts count: 'this', 'all', or a list of names.
        window (optional[string]): SQL over `slot`. By default, contacts of any age count.
        purpose (string): With `campaigns='all'`, the purpose of the campaigns whose contacts count: 'marketing', 'contractual' or 'all'.
            A contact without a purpose, which an earlier version of the runner has recorded, counts as marketing.
#}
{% macro contact_filter(macro, campaigns, window=none, purpose="all") %}
    {% do dmail.one_of(macro, "purpose", purpose, ["marketing", "contractual", "all"]) %}
    {% set own = dmail.sql_text(dmail.campaign_name()) %}
    {% if campaigns is string %}
        {% do dmail.one_of(macro, "campaigns", campaigns, ["this", "all"], "a list of names") %}
        {% set names = [own] if campaigns == "this" else [] %}
    {% elif campaigns is sequence and campaigns %}
        {% set names = [] %}
        {% for name in campaigns %}
            {% do dmail.check_campaign(macro, name) %} {% do names.append(dmail.sql_text(name)) %}
        {% endfor %}
    {% else %} {% do dmail.one_of(macro, "campaigns", campaigns, ["this", "all"], "a list of names") %}
    {% endif %}
    {% set filter %}
        cell = 'mailed'
        and not (campaign = {{ own }} and slot = {{ dmail.slot() }})
        {% if names %} and campaign in ({{ names | join(", ") }}) {% endif %}
        {% if campaigns == "all" and purpose != "all" and dmail.has_contact_column("purpose") %}
            and coalesce(purpose, 'marketing') = '{{ purpose }}'
        {% endif %}
        {% if window %} and {{ window }} {% endif %}
    {% endset %}
    {{ return(filter) }}
{% endmacro %}

{#
    Raises a compile error for a name that no campaign has, because its contacts would never count. Campaigns that are not in the project
    any more are listed in the variable `dmail_former_campaigns`.

    Arguments:
        macro (string): The rule's name, for the message.
        name (string): The campaign's name.
#}
{% macro check_campaign(macro, name) %}
    {% set known = var("dmail_former_campaigns", []) | list %}
    {% for exposure in graph.get("exposures", {}).values() %}
        {% set meta = exposure.config.get("meta") or exposure.get("meta") or {} %}
        {% if "direct_mail" in meta %} {% do known.append(exposure.name) %} {% endif %}
    {% endfor %}
    {# The graph is empty when the project is parsed, and within a unit test. #}
    {% if graph.get("exposures") %} {% do dmail.one_of(macro, "campaigns", name, known | sort) %} {% endif %}
{% endmacro %}

{#
    Whether the model with the role `contact_history` declares a column. Models of projects may lack newer ones.

    Arguments:
        column (string): The column.
#}
{% macro has_contact_column(column) %}
    {% set found = namespace(has=false) %}
    {% for node in graph.get("nodes", {}).values() %}
        {% set declared = node.config.get("meta", {}).get("direct_mail") %}
        {% if declared is mapping and declared.role == "contact_history" and column in node.columns %}
            {% set found.has = true %}
        {% endif %}
    {% endfor %}
    {{ return(found.has) }}
{% endmacro %}
