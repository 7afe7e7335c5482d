-- The profiles that are included, and why others are excluded: the first rule that applies is the reason. The package has more
-- rules in macros/audience. `lists` names lists of your suppressions: the build fails if one of them is missing or too old.
%% if not lists
-- There is no list yet. Add yours to the model SUPPRESSIONS, and name them here.
%% endif
{{
    dmail.recipients(
        audience=ref("CAMPAIGN__audience"),
        rules=[
            dmail.consent(),
%% if lists
            dmail.suppressed(lists=["<< lists | join('", "') >>"], max_age_days=180),
%% else
            dmail.suppressed(lists=[]),
%% endif
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
