{#
    One row per targeted profile with its verdict: `exclusion_reason` is null for who is included.

    The rules apply in the order given, and the first that applies is the reason. A rule is a dictionary that a rule macro
    returns:
        reason             what `exclusion_reason` says
        joins              what the rule looks up: list of {query, on}; a query's rows have a unique key, and its columns names of
                           their own
        condition          a rule over rows: SQL that is true for who is out
        unit, keep, first  a rule over sets: the columns that make a set, the order within it, and how many are kept; it looks
                           only at who is still in, so that an excluded row never keeps its place from another
        shows              what `dmail-runner explain` tells of a profile: name -> SQL

    Arguments:
        audience  relation; `profile_id`, `household_key` and whatever the rules look at
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
    {% set explained = execute and env_var("DMAIL_EXPLAIN", "") != "" %}
    {% set wave = dmail.this_wave() %}
    {% set step = namespace(name="targeted") %}

    with
        {% if wave %} {{ dmail.in_waves(audience, wave) }}
        {% else %} targeted as (select *, cast(null as string) as exclusion_reason from {{ audience }}),
        {% endif %}

        {% for rule in rules %}
            {% set last = step.name %}
            {% set step.name = "after_" ~ loop.index ~ "_" ~ rule.reason %}
            {{ step.name }} as (
                select
                    {{ dmail.star_except(["exclusion_reason"], last) }},
                    case
                        when exclusion_reason is not null
                        then exclusion_reason
                        when {{ rule.condition or dmail.beyond(rule) }}
                        then '{{ rule.reason }}'
                    end as exclusion_reason
                    {% if explained %}
                        ,
                        {{ rule.condition or "case when exclusion_reason is null then " ~ dmail.beyond(rule) ~ " end" }}
                        as rule_{{ loop.index }}_out,
                        '{{ rule.reason }}' as rule_{{ loop.index }}_name,
                        concat_ws(
                            ', '
                            {% for name, value in (rule.shows or {}).items() %}
                                , '{{ name }}: ' || coalesce(cast({{ value }} as string), '(nothing)')
                            {% endfor %}
                        ) as rule_{{ loop.index }}_shows
                    {% endif %}
                from {{ last }}
                {% for join in rule.joins or [] %}
                    left join ({{ join.query }}) as looked_up_{{ loop.index }} on {{ join.on }}
                {% endfor %}
            ),
        {% endfor %}

        final as (
            select
                profile_id,
                household_key,
                {{ "wave_number," if wave }}
                {% if explained %}
                    {% for rule in rules %}
                        rule_{{ loop.index }}_name, rule_{{ loop.index }}_out, rule_{{ loop.index }}_shows,
                    {% endfor %}
                {% endif %}
                exclusion_reason
            from {{ step.name }}
        )

    select *
    from final
{% endmacro %}

{# True for who stands behind the first of their set, among those who are still in. #}
{% macro beyond(rule) -%}
    {% for column in rule.unit %} {{ column }} is not null and {% endfor %}
    row_number() over (
        partition by {{ (["exclusion_reason is null"] + rule.unit) | join(", ") }}
        order by {{ (rule.keep + ["profile_id"]) | join(", ") }}
    )
    > {{ rule.first or 1 }}
{%- endmacro %}

{# The campaign that the present model, or the model that a unit test tests, belongs to. #}
{% macro campaign_name() %}
    {{
        return(
            (model.get("tested_node_unique_id") or model.unique_id or "").split(".")[2].split("__")[0]
            if model.unique_id
            else ""
        )
    }}
{% endmacro %}

{# A compile error where a rule is given something that it does not take. #}
{% macro one_of(macro, argument, value, allowed) %}
    {% if value not in allowed %}
        {{
            exceptions.raise_compiler_error(
                macro ~ "(): " ~ argument ~ " is `" ~ value ~ "`; it accepts " ~ allowed | join(", ")
            )
        }}
    {% endif %}
{% endmacro %}

{# A compile error where a number is none, or lies outside its bounds. #}
{% macro number_between(macro, argument, value, least, most) %}
    {% if value is not number or value is boolean or value < least or value > most %}
        {{
            exceptions.raise_compiler_error(
                macro ~ "(): " ~ argument ~ " is `" ~ value ~ "`; it accepts a number from " ~ least ~ " to " ~ most
            )
        }}
    {% endif %}
{% endmacro %}
