"""Texts of the pages of costs and of materials."""

from collections.abc import Mapping

from dmail_runner.report.words.word import Word

SUPPLIES: Mapping[str, Word] = {
    "costs": Word("Costs", "Custos"),
    "costs_text": Word(
        "Invoices count towards a budget, or else the tariff's estimate. A run that would exceed the budget is held.",
        "Contam para o orçamento as faturas ou, sem elas, a estimativa da tarifa. Uma execução que o excederia é retida.",
    ),
    "orders": Word("Orders", "Pedidos"),
    "order": Word("Order", "Pedido"),
    "programme": Word("Programme", "Programa"),
    "cost_centre": Word("Cost centre", "Centro de custo"),
    "cost_centres": Word("Cost centres", "Centros de custo"),
    "no_cost_centre": Word("none", "nenhum"),
    "budget": Word("Budget", "Orçamento"),
    "no_budget": Word("no longer declared", "não declarado"),
    "spent": Word("Spent", "Gasto"),
    "budget_left": Word("Left", "Saldo"),
    "estimate": Word("Estimate", "Estimativa"),
    "production": Word("Production", "Produção"),
    "postage": Word("Postage", "Porte"),
    "billed": Word("Billed", "Faturado"),
    "order_runs": Word("Runs of {order}", "Execuções de {order}"),
    "order_no_runs": Word("The order has no run yet.", "O pedido ainda não tem execuções."),
    "spent_unknown": Word("The cost of some runs is not known:", "O custo de algumas execuções não é conhecido:"),
    "materials": Word("Materials", "Materiais"),
    "materials_text": Word(
        "Coming runs need what the last run of their campaign needed. A run for which too little is left is held.",
        "As próximas execuções precisam do mesmo que a última da campanha. Uma execução para a qual falta material é retida.",
    ),
    "item": Word("Item", "Item"),
    "on_hand": Word("Counted", "Contados"),
    "counted_on": Word("Counted on", "Contados em"),
    "other_runs": Word("Other files", "Outros arquivos"),
    "stock_left": Word("Left", "Restam"),
    "alert_level": Word("Alert level", "Nível de alerta"),
    "low_on": Word("Below it on", "Abaixo dele em"),
    "short_on": Word("Too few on", "Faltam em"),
    "valid_until": Word("Valid until", "Válido até"),
    "lead_time": Word("Lead time, days", "Prazo, dias"),
    "order_now": Word("order now", "encomendar já"),
    "low_now": Word("now", "já"),
    "coming_runs": Word("Coming runs that need {item}", "Próximas execuções que usam {item}"),
    "coming_text": Word("of 90 days", "de 90 dias"),
    "needs_pieces": Word("Needs", "Precisa"),
    "left_after": Word("Left after it", "Restam depois"),
    "first_run": Word("unknown, the first run", "desconhecido, a primeira execução"),
    "coming_hidden": Word("Further runs that are not listed: {count}.", "Outras execuções fora da lista: {count}."),
    "no_count": Word("No count can be used:", "Não há contagem utilizável:"),
    "stock_fault.is not in the stock": Word("the item is not in the stock.", "o item não está no estoque."),
    "stock_fault.is in the stock several times": Word(
        "the item is in the stock several times.", "o item está várias vezes no estoque."
    ),
    "stock_fault.has no count with a number and a time": Word(
        "its row has no number, or no time.", "a sua linha não tem número ou não tem horário."
    ),
}
