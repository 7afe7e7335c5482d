"""Texts of the pages of results."""

from collections.abc import Mapping

from dmail_runner.report.words.word import Word

RESULTS: Mapping[str, Word] = {
    "results": Word("Results", "Resultados"),
    "in_the_post": Word("Last known status of the pieces", "Última situação conhecida das peças"),
    "piece_status.in_transit": Word("in transit", "em trânsito"),
    "piece_status.delivered": Word("delivered", "entregues"),
    "piece_status.rerouted": Word("re-routed", "redirecionadas"),
    "piece_status.returned": Word("returned", "devolvidas"),
    "piece_status.failed": Word("not delivered", "não entregues"),
    "results_of": Word("What the mailing has brought", "O que a mala direta trouxe"),
    "provisional": Word(
        "These results are provisional: responses count until {at} UTC.",
        "Estes resultados são provisórios: as respostas contam até {at} UTC.",
    ),
    "in_home_since": Word("First in-home date: {at} UTC", "Primeira data de recebimento: {at} UTC"),
    "unit.household": Word("Households", "Domicílios"),
    "unit.person": Word("Persons", "Pessoas"),
    "cell": Word("Cell", "Célula"),
    "cell.mailed": Word("All mailed", "Todos os envios"),
    "cell.holdout": Word("Control group", "Grupo de controle"),
    "responders": Word("Responders", "Respondentes"),
    "responses": Word("Responses", "Respostas"),
    "response_rate": Word("Response rate", "Taxa de resposta"),
    "revenue": Word("Revenue", "Receita"),
    "result_cost": Word("Cost", "Custo"),
    "by_cell": Word("Responses by cell", "Respostas por célula"),
    "by_cell_text": Word(
        "Each household or person counts once, in the cell of its first contact. The control group got no mail. "
        "Intervals are of 95%.",
        "Cada domicílio ou pessoa conta uma vez, na célula do primeiro contato. O grupo de controle não recebeu nada. "
        "Os intervalos são de 95%.",
    ),
    "caused": Word("Compared with the control group", "Em comparação com o grupo de controle"),
    "lift": Word("Lift", "Efeito"),
    "lift_points": Word("Lift, in percentage points", "Efeito, em pontos percentuais"),
    "incremental_responders": Word("Incremental responders", "Respondentes incrementais"),
    "cost_per_incremental": Word("Cost per incremental responder", "Custo por respondente incremental"),
    "incremental_revenue": Word("Incremental revenue", "Receita incremental"),
    "return_on_spend": Word("Return on spend", "Retorno sobre o gasto"),
    "interval": Word("{low} to {high}", "{low} a {high}"),
    "no_effect": Word("not proven", "não comprovado"),
    "verdict.no_holdout": Word(
        "There is no control group, so that nobody knows how many would have responded without the mailing.",
        "Não há grupo de controle: não se sabe quantos teriam respondido sem a mala direta.",
    ),
    "verdict.too_small": Word(
        "The control group, or the cell, is too small for a comparison: it needs 100 units and 5 expected responders.",
        "O grupo de controle, ou a célula, é pequeno demais para comparar: precisa de 100 unidades e 5 respondentes esperados.",
    ),
    "by_day": Word("Share of responders by day since the in-home date", "Proporção de respondentes por dia desde o recebimento"),
    "day_number": Word("Day", "Dia"),
}
