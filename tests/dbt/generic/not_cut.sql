{#
    All rows that look alike were compared with each other. The tolerant tier compares those of a large block in parts.

    Arguments:
        model (relation): The model of `similar_profiles()` or `similar_entries()`.
        column (string): The column that is `cut` in the row about large blocks.
#}
{% test not_cut(model, column) %} select why as problem from {{ model }} where {{ column }} = 'cut' {% endtest %}
