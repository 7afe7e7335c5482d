{{
    recipients(
        audience=ref("renewal_notice__audience"),
        rules=[
            already_mailed(days=300),
            suppressed(lists=["deceased", "returned"], max_age_days=180),
            deliverable(max_lines=6),
        ],
    )
}}
