"""The results of a made-up mailing of the campaign spring_catalog, by the package's own models."""

from dmail_runner.report.results import CampaignResults, results_of
from results_world import ResultsWorld, draw

RUN, SLOT = "spring_catalog-20260824T100000Z", "2026-08-24 10:00:00"
MAILED, HELD_OUT, COST = 68_000, 5_200, 41_505


def sample_results() -> dict[str, CampaignResults]:
    """The results: 2.1 percent of the control group order, and 0.6 points more of those who were mailed."""
    world = ResultsWorld()
    world.connection.execute(
        f"""
        create table drawn as
        select
            'p' || number as who, if(number < {MAILED}, 'mailed', 'holdout') as cell, {draw("order")} as draw,
            {draw("day")} as day, {draw("amount")} as amount
        from range({MAILED + HELD_OUT}) as numbers (number), range(1) as seeds (seed);
        insert into stg_contact_history (profile_id, household_key, campaign, slot, run_id, cell)
        select who, who, 'spring_catalog', timestamp '{SLOT}', '{RUN}', cell from drawn;
        insert into stg_acknowledgements values ('{RUN}', null, null, 'mailed', '2026-08-26');
        insert into rpt_runs values ('{RUN}', {COST}, 'USD');
        insert into stg_responses (response_id, profile_id, amount, currency, happened_at)
        select
            who, who, round(45 + 260 * amount * amount, 2), 'USD',
            -- Of 90 days, with half of the responses in the first two weeks if there was a letter.
            timestamp '2026-08-26' + to_seconds(-ln(1 - day * (1 - exp(-89.9 / pace))) * pace * 86400)
        from (select *, if(cell = 'mailed', 18, 60) as pace from drawn) as drawn
        where draw < 0.021 + if(cell = 'mailed', 0.006, 0)
        """
    )
    return results_of(world.connection, "rpt_results", "rpt_response_days")
