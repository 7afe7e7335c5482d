{#
    One row per targeted profile with its verdict: `exclusion_reason` is null for who is included.

    The rules apply in the order given, and the first that applies is the reason. A rule is a dictionary that a rule macro
    returns:
        reason     what `exclusion_reason` says
        condition  a rule over rows: SQL that is true for who is out
        unit, keep a rule over sets: the columns that make a set, and the order by which the first of it is kept; it looks only
                   at who is still in, so that an excluded row never keeps its place from another

    Arguments:
        audience  relation; `profile_id` and whatever the rules look at
        rules     list of rules
#}
{% macro recipients(audience, rules) %}
    {% for rule in rules if rule is not mapping or not rule.reason %}
        {{
            exceptions.raise_compiler_error(
                "recipients(): `rules` takes rule macros such as consent(), not `" ~ rule ~ "`"
            )
        }}
    {% endfor %}
    {% set step = namespace(name="audience", judged="cast(null as varchar)") %}

    with
        audience as (select * from {{ audience }}),

        {% for rule in rules %}
            {% set last = step.name %}
            {% set step.name = "after_" ~ loop.index ~ "_" ~ rule.reason %}
            {{ step.name }} as (
                select
                    {{ "*" if loop.first else star_except(["exclusion_reason"]) }},
                    {% if rule.condition %}
                        case
                            {% if not loop.first %} when exclusion_reason is not null then exclusion_reason {% endif %}
                            when {{ rule.condition }}
                            then '{{ rule.reason }}'
                        end as exclusion_reason
                    {% else %}
                        case
                            when {{ "false" if loop.first else "exclusion_reason is not null" }}
                            then {{ "null" if loop.first else "exclusion_reason" }}
                            when
                                row_number() over (
                                    partition by
                                        {{ "" if loop.first else "exclusion_reason is null," }}
                                        {{ rule.unit | join(", ") }}
                                    order by {{ (rule.keep + ["profile_id"]) | join(", ") }}
                                )
                                > 1
                            then '{{ rule.reason }}'
                        end as exclusion_reason
                    {% endif %}
                from {{ last }}
            ),
        {% endfor %}

        final as (
            select profile_id, {{ "exclusion_reason" if rules else "cast(null as varchar) as exclusion_reason" }}
            from {{ step.name }}
        )

    select *
    from final
{% endmacro %}
