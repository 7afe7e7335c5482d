{#
    What to select from for a source whose location is a setting.

    Every column of a CSV file is read as text, so that leading zeros survive. The delimiter and the columns are those of the first
    line, and nothing is guessed: a broken row is an error with its line number, and a `#` in an address does not start a comment.
    Parquet files are read as they are. A location may be a glob of several files. Anything else than a quoted location passes
    through unchanged: a table, or the mock of a unit test.

    Arguments:
        relation (relation): The source.
        otherwise (optional[dict[string, string]]): Column -> type of an empty relation that is used if there is no file. By default, a
            missing file is an error.
#}
{% macro read_files(relation, otherwise=none) %}
    {{ return(adapter.dispatch("read_files", "dmail")(relation, otherwise)) }}
{% endmacro %}
