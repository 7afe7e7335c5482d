-- One row per received file of returned mail, delivery status or responses: what cannot be matched, and what cannot
-- be true.
{% set kinds = {"returns": "stg_returns", "delivery_status": "stg_delivery_status", "responses": "stg_responses"} %}
with
    rows_of_pieces as (
        {% for kind, model in kinds.items() %}
            select '{{ kind }}' as kind, entry, file, received_at, piece_id, happened_at
            from {{ ref("dmail", model) }} {{ "union all" if not loop.last }}
        {% endfor %}
    ),

    pieces as (
        select match_id, min(slot) as slot from ({{ dmail.mailed_pieces() }}) as mailed_pieces group by match_id
    ),

    final as (
        select
            rows_of_pieces.kind,
            rows_of_pieces.entry,
            rows_of_pieces.file,
            rows_of_pieces.received_at,
            count(*) as received_rows,
            count(rows_of_pieces.piece_id) as with_piece,
            count(rows_of_pieces.piece_id) - count(pieces.match_id) as unknown_pieces,
            count(pieces.match_id) - count(distinct pieces.match_id) as repeated_pieces,
            sum(case when rows_of_pieces.happened_at < pieces.slot then 1 else 0 end) as before_the_mailing
        from rows_of_pieces
        left join pieces on upper(rows_of_pieces.piece_id) = pieces.match_id
        group by rows_of_pieces.kind, rows_of_pieces.entry, rows_of_pieces.file, rows_of_pieces.received_at
    )

select *
from final
