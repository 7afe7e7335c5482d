{# The quantile of the standard normal distribution for intervals of 95 percent. #}
{% macro z_95() %} {{ return("1.959963984540054") }} {% endmacro %}

{#
    A bound of Wilson's interval of 95 percent for a proportion: E. B. Wilson, 1927.

    Arguments:
        count (column): How many have responded.
        total (column): Of how many.
        side (string): '-' for the lower bound, '+' for the upper one.
#}
{% macro wilson_bound(count, total, side) -%}
    {%- set z, share = dmail.z_95(), "(" ~ count ~ " / cast(" ~ total ~ " as double))" -%}
    (
        {{ share }} + {{ z }} * {{ z }} / (2 * {{ total }})
        {{ side }} {{ z }}
        * sqrt({{ share }} * (1 - {{ share }}) / {{ total }} + {{ z }} * {{ z }} / (4.0 * {{ total }} * {{ total }}))
    )
    / (1 + {{ z }} * {{ z }} / {{ total }})
{%- endmacro %}

{#
    A bound of the interval of 95 percent for the difference of two proportions, by Newcombe's hybrid score method: R. G. Newcombe, 1998,
    method 10. It reads the proportions and the bounds of their intervals by Wilson.

    Arguments:
        share (column): The proportion of the cell.
        other (column): The proportion of the control group.
        side (string): '-' for the lower bound, '+' for the upper one.
#}
{% macro newcombe_bound(share, other, side) -%}
    {%- set own, their = ("_low", "_high") if side == "-" else ("_high", "_low") -%}
    {{ share }} - {{ other }}
    {{ side }} sqrt(
        ({{ share }} - {{ share ~ own }}) * ({{ share }} - {{ share ~ own }})
        + ({{ other ~ their }} - {{ other }}) * ({{ other ~ their }} - {{ other }})
    )
{%- endmacro %}

{#
    Why a cell cannot be compared with the control group, or `measured` if it can. With fewer than 100 units in a group, or fewer than 5
    expected responders, an interval says nothing.

    Arguments:
        units (column): The units of the cell.
        responders (column): Those that have responded.
        held_out (column): The units of the control group; null if there is none.
        held_out_responders (column): Those that have responded.
#}
{% macro comparability(units, responders, held_out, held_out_responders) -%}
    case
        when {{ held_out }} is null
        then 'no_holdout'
        when
            least({{ units }}, {{ held_out }}) < 100
            or least({{ units }}, {{ held_out }})
            * ({{ responders }} + {{ held_out_responders }})
            / cast({{ units }} + {{ held_out }} as double)
            < 5
        then 'too_small'
        else 'measured'
    end
{%- endmacro %}
