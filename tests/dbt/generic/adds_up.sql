{# On a table of figures: a total is the sum of its terms, in every row that has one. #}
{% test adds_up(model, total, terms) %}
    select * from {{ model }} where {{ total }} <> {{ terms | join(" + ") }}
{% endtest %}
