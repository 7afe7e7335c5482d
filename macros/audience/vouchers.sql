{#
    The voucher code of each piece: a query with one row per `profile_id` and the columns `voucher_pool` and `voucher`. An extract joins it
    by `profile_id` and has both columns. The column `voucher` is recorded in the contact history, so that no code is given to two pieces.

    A piece that has a code keeps it when its slot is built again, and when its run is sent again. The other pieces take the codes that
    no piece of any campaign has: first those that expire first. A piece for which its pool has no code left gets null, and the run is held.
    Seed addresses, test profiles and `explain` get the specimen, which is no code.

    Arguments:
        pieces (relation): A relation or CTE with `profile_id` and `is_seed`, as `pieces()` returns it. Expressions refer to it as `piece`.
        codes (relation): The model with the role `vouchers`: pool, code, and valid_until (null: unbounded).
        pool (string): SQL over `piece` for the name of its pool, such as "'spring'" or "piece.treatment". Null: the piece gets no code.
        specimen (string): The text in place of a code on pieces that are not mailed to anybody.
#}
{% macro vouchers(pieces, codes, pool, specimen="SPECIMEN") %}
    {% set on_trial = execute and (env_var("DMAIL_TEST_PROFILES", "") != "" or env_var("DMAIL_EXPLAIN", "") != "") %}
    with
        given as ({{ dmail.given_vouchers() }}),

        codes as (
            select
                trim(code) as code, min(pool) as pool, max(coalesce(valid_until, timestamp '9999-12-31')) as valid_until
            from {{ codes }}
            where trim(code) <> ''
            group by trim(code)
        ),

        -- What the pieces of this slot have. A code that several pieces have, because two hosts gave it at once, is not
        -- kept.
        kept as (
            select min(given.voucher) as kept_code, given.profile_id as kept_profile
            from given
            inner join
                (select voucher from given group by voucher having count(*) = 1) as single
                on given.voucher = single.voucher
            where given.campaign = {{ dmail.sql_text(dmail.campaign_name()) }} and given.slot = {{ dmail.slot() }}
            group by given.profile_id
        ),

        wanted as (
            select
                piece.profile_id,
                coalesce(piece.is_seed, false) as for_seed,
                cast({{ pool }} as string) as voucher_pool,
                kept.kept_code
            from {{ pieces }} as piece
            left join kept on piece.profile_id = kept.kept_profile
        ),

        {#- A code whose pool is another one now is not kept. The pool may no longer list the codes that it has given. #}
        pieces_with_kept as (
            select
                wanted.profile_id,
                wanted.for_seed,
                wanted.voucher_pool,
                case
                    when coalesce(codes.pool, wanted.voucher_pool) = wanted.voucher_pool then wanted.kept_code
                end as kept_code
            from wanted
            left join codes on wanted.kept_code = codes.code
        ),

        waiting as (
            select profile_id, voucher_pool, row_number() over (partition by voucher_pool order by profile_id) as turn
            from pieces_with_kept
            where not for_seed and voucher_pool is not null and kept_code is null
        ),

        free as (
            select
                codes.pool,
                codes.code,
                row_number() over (partition by codes.pool order by codes.valid_until, codes.code) as turn
            from codes
            left join (select distinct voucher from given) as taken on codes.code = taken.voucher
            where taken.voucher is null and codes.valid_until > {{ dmail.slot() }} {{ "and false" if on_trial }}
        )

    select
        pieces_with_kept.profile_id,
        pieces_with_kept.voucher_pool,
        case
            when pieces_with_kept.voucher_pool is null
            then null
            when pieces_with_kept.for_seed
            then {{ dmail.sql_text(specimen) }}
            else
                coalesce(
                    pieces_with_kept.kept_code, free.code {% if on_trial %}, {{ dmail.sql_text(specimen) }} {% endif %}
                )
        end as voucher
    from pieces_with_kept
    left join waiting on pieces_with_kept.profile_id = waiting.profile_id
    left join free on waiting.voucher_pool = free.pool and waiting.turn = free.turn
{% endmacro %}

{#
    The voucher codes that pieces have, of all campaigns: `campaign`, `slot`, `profile_id` and `voucher`. A copy of a file has the codes of
    its original.
#}
{% macro given_vouchers() %}
    {% set history = dmail.role_model("contact_history") %}
    {% if execute and graph.get("nodes") and not dmail.has_contact_column("voucher") %}
        {{
            exceptions.raise_compiler_error(
                "vouchers(): the model with the role contact_history has no column `voucher`, without which codes would be given "
                ~ "twice: select and declare it"
            )
        }}
    {% endif %}
    select distinct campaign, slot, profile_id, voucher
    from {{ history }}
    where voucher is not null
{% endmacro %}
