{#
    A relation has rows. An empty export is a broken export.

    Arguments:
        model (relation): A source or a staging model.
#}
{% test not_empty(model) %} select 'no rows' as problem where not exists (select 1 from {{ model }}) {% endtest %}
