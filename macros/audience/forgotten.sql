{#
    The people whom `dmail-runner forget` has erased: a relation with `profile_id` and `forgotten_at`. The model with the role
    `suppressions` must contain them as entries of the list `forgotten`, so that nobody mails them when they appear again.
#}
{% macro forgotten() %}
    {{
        return(
            dmail.read_files(
                source("dmail", "forgotten"), otherwise={"profile_id": "string", "forgotten_at": "timestamp"}
            )
        )
    }}
{% endmacro %}
