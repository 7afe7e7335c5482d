{#
    A total is the sum of its terms in every row. Rows with nulls pass.

    Arguments:
        model (relation): A table of figures.
        total (column): The total.
        terms (list[column]): The terms.
#}
{% test adds_up(model, total, terms) %}
    select * from {{ model }} where {{ total }} <> {{ terms | join(" + ") }}
{% endtest %}
