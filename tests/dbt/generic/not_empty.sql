{# On a source or a staging model: it has at least one row. An empty export is a broken export. #}
{% test not_empty(model) %} select 'no rows' as problem where not exists (select 1 from {{ model }}) {% endtest %}
