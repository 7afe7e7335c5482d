{#
    Divides the profiles into cells, such as two offers and a control group, by a keyed hash: a profile is in the same cell in every slot,
    whatever else changes, and independently of other campaigns. The recipients' contract must list the column `treatment`, which has the
    cell; `pieces(treatment=true)` passes it to the extract, and the contact history keeps it. The control group is excluded as `holdout`.

    Arguments:
        cells (dict[string, float]): The percentage of each cell, by name. With the holdout they are 100.
        holdout (float): The percentage of the control group.
        unit (string): The unit that is in one cell together: 'profile' or 'household'.
        key (optional[string]): Campaigns with the same key and percentages have the same cells. By default, each campaign has its own.
#}
{% macro treatments(cells, holdout=0, unit="profile", key=none) %}
    {% do dmail.number_between("treatments", "holdout", holdout, 0, 100) %}
    {% do dmail.one_of("treatments", "unit", unit, ["profile", "household"]) %}
    {% if cells is not mapping or not cells %}
        {{
            exceptions.raise_compiler_error(
                "treatments(): cells takes percentages by name, such as {'A': 50, 'B': 50}"
            )
        }}
    {% endif %}
    {% for name, percent in cells.items() %}
        {% do dmail.number_between("treatments", "cells." ~ name, percent, 0, 100) %}
    {% endfor %}
    {% set total = holdout + (cells.values() | sum) %}
    {% if (total - 100) | abs > 0.0001 %}
        {{
            exceptions.raise_compiler_error(
                "treatments(): the cells and the holdout are " ~ total ~ " percent together; they must be 100"
            )
        }}
    {% endif %}
    {% if execute and "treatment" not in (model.columns or {}) %}
        {{
            exceptions.raise_compiler_error(
                "treatments(): the contract of " ~ model.name ~ " must list the column `treatment`, a string"
            )
        }}
    {% endif %}
    {% set person = "profile_id" if unit == "profile" else "coalesce(household_key, profile_id)" %}
    {% set drawn = dmail.keyed_hash((key or dmail.campaign_name()) ~ "/treatment", person) %}
    {% set drawn_cell = namespace(sql="", upper=holdout) %}
    {% for name, percent in cells.items() %}
        {% set drawn_cell.upper = drawn_cell.upper + percent %}
        {% set drawn_cell.sql = (
            drawn_cell.sql
            ~ " when "
            ~ drawn
            ~ " < '"
            ~ dmail.share_bound(drawn_cell.upper)
            ~ "' then "
            ~ dmail.sql_text(name)
        ) %}
    {% endfor %}
    {% set held_out = drawn ~ " < '" ~ dmail.share_bound(holdout) ~ "'" %}
    {{
        return(
            {
                "reason": "holdout",
                "name": "treatments",
                "draws": true,
                "condition": held_out,
                "columns": {"treatment": "case when " ~ held_out ~ " then null" ~ drawn_cell.sql ~ " end"},
                "shows": {"draw": drawn},
            }
        )
    }}
{% endmacro %}

{#
    The bound below which a keyed hash falls for a share of the profiles: eight hexadecimal digits, or 'g', which sorts after all of them.

    Arguments:
        percent (float): The share, from 0 to 100.
#}
{% macro share_bound(percent) %}
    {{ return(dmail.hexadecimal((percent * 42949672.96) | round | int, 8) if percent < 99.99999 else "g") }}
{% endmacro %}
