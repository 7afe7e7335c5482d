{{
    dmail.recipients(
        audience=ref("renewal_notice__audience"),
        rules=[
            dmail.already_mailed(days=300),
            dmail.suppressed(lists=["deceased", "returned"], max_age_days=180),
            dmail.deliverable(max_lines=6),
        ],
    )
}}
