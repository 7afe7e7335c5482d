-- The profiles that are included, and why others are excluded: the first rule that applies is the reason. The package has more
-- rules in macros/audience. `lists` names lists of your suppressions: the build fails if one of them is missing or too old.
{{
    dmail.recipients(
        audience=ref("CAMPAIGN__audience"),
        rules=[
            dmail.consent(),
            dmail.suppressed(lists=["do_not_mail", "deceased", "returned"], max_age_days=180),
            dmail.deliverable(),
            dmail.frequency_cap(pieces=1, days=30, unit="household"),
%% if "lifetime_value" in columns
            dmail.one_per("household", keep="lifetime_value desc"),
%% else
            dmail.one_per("household", keep="profile_id"),
%% endif
        ],
    )
}}
