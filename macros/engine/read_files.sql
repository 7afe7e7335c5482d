{#
    What to select from for a source whose location is a setting.

    A CSV file is read with every column as text, so that leading zeros survive, and with nothing guessed: its delimiter and its
    columns are those of its first line, so that a broken row further down is an error with its line, not a file of another shape;
    a `#` in an address starts no comment. A Parquet file, or a glob of them, is read as it is.
    Anything that is not a quoted file location (a table, the mock of a unit test) passes through.

    Arguments:
        relation   the source
        otherwise  column -> type: an empty relation of these where no file is there; without it a missing file is an error
#}
{% macro read_files(relation, otherwise=none) %}
    {{ return(adapter.dispatch("read_files", "dmail")(relation, otherwise)) }}
{% endmacro %}
