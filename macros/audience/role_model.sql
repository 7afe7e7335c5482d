{#
    The model that plays a role in the project: `suppressions` is `stg_suppressions` and `contact_history` is the package's
    `stg_contact_history`, unless the variable `dmail_suppressions` or `dmail_contact_history` names another model. `address_services` is
    `int_address_services`, or what `dmail_address_services` names.

    The model must declare the role in `config.meta.direct_mail.role`, and no other model may: the runner goes by the declaration,
    and the rules must not read anything else.

    Arguments:
        role (string): 'suppressions', 'contact_history' or 'address_services'.
#}
{% macro role_model(role) %}
    {% do dmail.one_of("role_model", "role", role, ["suppressions", "contact_history", "address_services"]) %}
    {% set given = var("dmail_" ~ role, none) %}
    {% set usual = ("int_" if role == "address_services" else "stg_") ~ role %}
    {% if execute %} {% do dmail.check_role(role, given or usual) %} {% endif %}
    {% if role == "contact_history" and not given %} {{ return(ref("dmail", "stg_contact_history")) }} {% endif %}
    {{ return(ref(given or usual)) }}
{% endmacro %}

{#
    Raises a compile error unless exactly one model declares the role, and it has the expected name.

    Arguments:
        role (string): The role.
        name (string): The name of the model that the rules read.
#}
{% macro check_role(role, name) %}
    {% set found = [] %}
    {% for node in graph.get("nodes", {}).values() %}
        {% set declared = node.config.get("meta", {}).get("direct_mail") %}
        {% if declared is mapping and declared.role == role %} {% do found.append(node.name) %} {% endif %}
    {% endfor %}
    {# The graph is empty within a unit test, which replaces the models. #}
    {% if graph.get("nodes") and found != [name] %}
        {{
            exceptions.raise_compiler_error(
                "the rules read `"
                ~ name
                ~ "` as "
                ~ role
                ~ ", but "
                ~ (found | sort | join(" and ") if found else "no model")
                ~ " declares that role: declare it in the model's config.meta.direct_mail.role, and set the variable dmail_"
                ~ role
                ~ " if the model has another name"
            )
        }}
    {% endif %}
{% endmacro %}
