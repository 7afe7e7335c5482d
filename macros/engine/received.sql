{#
    The rows of one kind of received files, each once. There are none until the first fetch.

    Arguments:
        kind (string): The kind of file, as in profiles/inbound.yml.
        columns (dict[string, string]): Column -> type. The file, the row's number in it and the time of receipt are added.
        key (list[string]): The columns by which rows are the same.
        keep (string): Of the same rows, `first` keeps the one that was received first, for files that are sent again or grow; `last` the
            one that was received last; `last file` all rows of the file that was received last, for files that correct others.
#}
{% macro received(kind, columns, key, keep="first") %}
    {% set every = dict(columns, entry="string", file="string", row_number="bigint", received_at="timestamp") %}
    with
        received as (
            select {{ every | join(", ") }}
            from {{ dmail.read_files(source("dmail", "inbound_" ~ kind), otherwise=every) }}
        ),

        numbered as (
            select
                *,
                {{ "dense_rank" if keep == "last file" else "row_number" }} () over (
                    partition by {{ key | join(", ") }}
                    order by
                        received_at {{ "desc" if keep.startswith("last") }},
                        entry,
                        file {{ ", row_number" if keep != "last file" }}
                ) as copy_number
            from received
        )

    select {{ every | join(", ") }}
    from numbered
    where copy_number = 1
{% endmacro %}
