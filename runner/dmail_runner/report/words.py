"""Every word of the report, in English and in Brazilian Portuguese. Names in the ledger and in YAML stay as they are."""

from decimal import Decimal
from functools import cache
from typing import NamedTuple

from markupsafe import Markup, escape


class Word(NamedTuple):
    """The same in two languages; `{name}` is filled in."""

    en: str
    pt: str


WORDS: dict[str, Word] = {
    # the page's frame
    "overview": Word("Overview", "Visão geral"),
    "skip": Word("Skip to the content", "Ir para o conteúdo"),
    "language": Word("Language", "Idioma"),
    "theme": Word("Theme", "Tema"),
    "auto": Word("Auto", "Auto"),
    "light": Word("Light", "Claro"),
    "dark": Word("Dark", "Escuro"),
    "as_of": Word("As of {at} UTC", "Situação em {at} UTC"),
    "footer": Word("Counts only, no personal data. All times are UTC.", "Só contagens, sem dados pessoais. Horários em UTC."),
    "lineage": Word("Lineage", "Linhagem"),
    "direct_mail": Word("Direct mail", "Mala direta"),
    # overview
    "needs_person": Word("Needs a person now", "Precisa de alguém agora"),
    "needs_nobody": Word("Nothing waits for a person.", "Nada espera por uma pessoa."),
    "needs_more": Word("and {count} more", "e mais {count}"),
    "campaigns": Word("Campaigns", "Campanhas"),
    "no_campaigns": Word("The project declares no campaign yet.", "O projeto ainda não declara campanhas."),
    "campaign": Word("Campaign", "Campanha"),
    "status": Word("Status", "Situação"),
    "provider": Word("Provider", "Gráfica"),
    "next_slot": Word("Next slot", "Próximo envio"),
    "last_run": Word("Last run", "Última execução"),
    "recent_volumes": Word("Recent sends", "Envios recentes"),
    "active_campaigns": Word("Active campaigns", "Campanhas ativas"),
    "sends_30": Word("Delivered, last 30 days", "Entregues, últimos 30 dias"),
    "runs_30": Word("Runs, last 30 days", "Execuções, últimos 30 dias"),
    "cost_30": Word("Estimated cost, last 30 days", "Custo estimado, últimos 30 dias"),
    "never": Word("never", "nunca"),
    "none": Word("none", "nenhum"),
    # what to do
    "need.unknown": Word(
        "Nobody knows whether the provider has the file. Ask them, then say which.",
        "Ninguém sabe se a gráfica tem o arquivo. Pergunte a ela e depois registre a resposta.",
    ),
    "need.opt_out": Word(
        "People who have opted out are in the file. Mend the campaign's rules, then let the gate look again.",
        "Há no arquivo pessoas que recusaram. Corrija as regras da campanha e deixe a verificação olhar de novo.",
    ),
    "need.conflict": Word(
        "Another file has the name. Find out whose it is and move it away, then go on.",
        "Outro arquivo tem esse nome. Descubra de quem é, mova-o e depois continue.",
    ),
    "need.volume": Word(
        "The number of pieces is not the usual one. Find out why, then let it pass or give it up.",
        "O número de peças não é o habitual. Descubra o motivo e depois libere ou desista.",
    ),
    "need.approval": Word(
        "The campaign, as it is now, waits for somebody to approve it.", "A campanha, como está agora, espera por uma aprovação."
    ),
    "need.person": Word("A person has stopped the run.", "Uma pessoa parou a execução."),
    "need.held": Word("A gate has stopped the run.", "Uma verificação parou a execução."),
    "need.failed": Word("The run failed. Mend the cause, then go on.", "A execução falhou. Corrija a causa e depois continue."),
    "need.missed": Word("The slot passed without a run.", "O horário passou sem execução."),
    "need.stuck": Word("Nothing has happened to the run for a day.", "Nada acontece com a execução há um dia."),
    "need.overdue": Word("The slot is due and has no run.", "O horário chegou e não há execução."),
    "need.config": Word("The campaign is declared wrongly.", "A campanha está declarada de forma errada."),
    "need.route": Word("The route or a key of it cannot be used.", "A rota, ou uma chave dela, não pode ser usada."),
    "need.key": Word("A key expires soon.", "Uma chave vence em breve."),
    # short names of the same
    "kind.unknown": Word("Unknown", "Incerto"),
    "kind.opt_out": Word("Held: opt-out", "Retida: recusa"),
    "kind.conflict": Word("Held: conflict", "Retida: conflito"),
    "kind.volume": Word("Held: volume", "Retida: volume"),
    "kind.approval": Word("Held: approval", "Retida: aprovação"),
    "kind.person": Word("Held: person", "Retida: pessoa"),
    "kind.held": Word("Held", "Retida"),
    "kind.failed": Word("Failed", "Falhou"),
    "kind.missed": Word("Missed", "Perdida"),
    "kind.stuck": Word("Unfinished", "Inacabada"),
    "kind.overdue": Word("Due", "Pendente"),
    "kind.config": Word("Configuration", "Configuração"),
    "kind.route": Word("Route", "Rota"),
    "kind.key": Word("Key", "Chave"),
    # statuses of campaigns, states of runs, kinds of events
    "status.active": Word("active", "ativa"),
    "status.draft": Word("draft", "rascunho"),
    "status.stopped": Word("stopped", "parada"),
    "status.faulty": Word("faulty", "com erro"),
    "status.gone": Word("no longer declared", "não mais declarada"),
    "state.planned": Word("planned", "planejada"),
    "state.built": Word("built", "construída"),
    "state.extracted": Word("extracted", "extraída"),
    "state.shipped": Word("shipped", "enviada"),
    "state.settled": Word("settled", "concluída"),
    "state.held": Word("held", "retida"),
    "state.empty": Word("empty", "vazia"),
    "state.failed": Word("failed", "falhou"),
    "state.cancelled": Word("cancelled", "cancelada"),
    "state.missed": Word("missed", "perdida"),
    "event.intended": Word("final name declared", "nome final declarado"),
    "event.withdrawn": Word("delivery withdrawn", "entrega retirada"),
    "event.creating": Word("upload begun", "envio iniciado"),
    "event.created": Word("final name created", "nome final criado"),
    "event.closing": Word("upload about to end", "envio prestes a terminar"),
    "event.publishing": Word("about to get its final name", "prestes a receber o nome final"),
    "event.publishing_one": Word("about to get its final name", "prestes a receber o nome final"),
    "event.answered": Word("rename answered", "renomeação respondida"),
    "event.abandoned": Word("attempt ended, nothing has left", "tentativa encerrada, nada saiu"),
    "event.not_delivered": Word("not delivered, says a person", "não entregue, diz uma pessoa"),
    "event.vanished": Word("taken by the provider", "retirado pela gráfica"),
    "event.left_behind": Word("left on the server", "deixado no servidor"),
    "event.delivered": Word("delivered", "entregue"),
    "event.adopted": Word("found delivered", "encontrado já entregue"),
    "event.accepted": Word("accepted", "aceita"),
    "event.released": Word("released", "liberada"),
    "event.approved": Word("approved", "aprovada"),
    "event.rejected": Word("rejected", "rejeitada"),
    "event.told": Word("told", "informado"),
    "event.window": Word("window", "janela"),
    "event.resent": Word("sent again", "reenviada"),
    "event.look_again": Word("to be looked at again", "a verificar de novo"),
    "event.rest_given_up": Word("rest given up", "resto cancelado"),
    # figures
    "figures": Word("From targeted to delivered", "Do público-alvo à entrega"),
    "stage": Word("Stage", "Etapa"),
    "targeted": Word("Targeted", "Público-alvo"),
    "excluded": Word("Exclusions", "Exclusões"),
    "included": Word("Included", "Incluídos"),
    "seeds": Word("Seeds", "Endereços de controle"),
    "sends": Word("Sends", "Envios"),
    "delivered": Word("Delivered", "Entregues"),
    "errors": Word("Errors", "Erros"),
    "waiting": Word("On the way or held", "A caminho ou retidos"),
    "this_run": Word("This run", "Esta execução"),
    "latest_run": Word("Latest run", "Última execução"),
    "all_runs": Word("All {count} runs", "Todas as {count} execuções"),
    "share": Word("Share", "Parte"),
    "adds_up": Word(
        "Targeted = exclusions + included. Sends = included + seeds, the rows of the file.",
        "Público-alvo = exclusões + incluídos. Envios = incluídos + endereços de controle, as linhas do arquivo.",
    ),
    "no_figures": Word(
        "No run has been frozen yet, so there are no figures.", "Nenhuma execução foi congelada; ainda não há números."
    ),
    "run_no_figures": Word(
        "The run is not frozen yet, so it has no figures.", "A execução ainda não foi congelada; não há números."
    ),
    "volume": Word("Volume over time", "Volume ao longo do tempo"),
    "earlier_runs": Word("Earlier runs", "Execuções anteriores"),
    "runs_hidden": Word(
        "Older runs that are not listed: {count}. The figures of all runs count them.",
        "Execuções mais antigas fora da lista: {count}. Os números de todas as execuções as incluem.",
    ),
    "runs_pageless": Word(
        "A run whose date is no link has no page of its own. This tells of the latest of them:",
        "Uma execução cuja data não é um link não tem página própria. Isto mostra a mais recente delas:",
    ),
    "not_delivered": Word("Not delivered", "Não entregues"),
    "facts": Word("Facts", "Dados"),
    "holdout": Word("Holdout (control group)", "Grupo de controle"),
    "holdout_share": Word("{share} of those who would be mailed", "{share} de quem receberia"),
    "cost": Word("Estimated cost", "Custo estimado"),
    "cost_latest": Word("{cost}, latest run", "{cost}, última execução"),
    "cost_all": Word("{cost}, all runs", "{cost}, todas as execuções"),
    "places": Word("Where the pieces go", "Para onde vão as peças"),
    "no_places": Word(
        "Not known: the latest file's extract has no column country_code.",
        "Não se sabe: o extrato do arquivo mais recente não tem a coluna country_code.",
    ),
    "elsewhere": Word("elsewhere, fewer than ten each", "outros, menos de dez cada"),
    "came": Word("Came", "Entraram"),
    "went": Word("Went", "Saíram"),
    "churn": Word("Against the last file", "Em relação ao último arquivo"),
    "churn_told": Word("{came} came, {went} went, {stayed} stayed", "{came} entraram, {went} saíram, {stayed} ficaram"),
    "wave": Word("Wave {number}", "Onda {number}"),
    "copy_of": Word("Sent again", "Reenvio"),
    "approvals": Word("Approvals", "Aprovações"),
    "approved_by": Word("Approved by", "Aprovada por"),
    "definition": Word("Definition", "Definição"),
    "as_table": Word("As a table", "Em tabela"),
    "country": Word("Country", "País"),
    "region": Word("State or region", "Estado ou região"),
    "pieces": Word("Pieces", "Peças"),
    # what is declared
    "owner": Word("Owner", "Responsável"),
    "file": Word("File", "Arquivo"),
    "format": Word("Format", "Formato"),
    "route": Word("Route", "Rota"),
    "purpose": Word("Purpose", "Finalidade"),
    "marketing": Word("marketing", "marketing"),
    "contractual": Word("contractual: opt-outs do not apply", "contratual: recusas não se aplicam"),
    "schedule": Word("Schedule", "Agenda"),
    "from_to": Word("from {start} to {end}", "de {start} a {end}"),
    "next_slots": Word("Next slots", "Próximos envios"),
    "no_slots": Word("No slot is coming.", "Nenhum envio previsto."),
    "no_schedule": Word("No schedule: it runs when somebody runs it.", "Sem agenda: roda quando alguém a executa."),
    "slot": Word("Slot", "Horário"),
    "local_time": Word("Local time", "Hora local"),
    "columns": Word("Columns of the file", "Colunas do arquivo"),
    "column": Word("Column", "Coluna"),
    "description": Word("Description", "Descrição"),
    "rules": Word("Type and rules", "Tipo e regras"),
    "made_by": Word("Made by", "Feita por"),
    "origin": Word("Source", "Origem"),
    "models": Word("Where it comes from", "De onde vem"),
    "model": Word("Model", "Modelo"),
    "reads": Word("Reads", "Lê"),
    "in_lineage": Word("This campaign in the lineage", "Esta campanha na linhagem"),
    # a run
    "run": Word("Run", "Execução"),
    "runs": Word("Runs", "Execuções"),
    "state": Word("State", "Estado"),
    "timeline": Word("Timeline", "Linha do tempo"),
    "took": Word("{time} from the first event to the last", "{time} do primeiro ao último evento"),
    "at": Word("At", "Em"),
    "event": Word("Event", "Evento"),
    "duration": Word("After", "Após"),
    "detail": Word("Detail", "Detalhe"),
    "gates": Word("Gates", "Verificações"),
    "gate": Word("Gate", "Verificação"),
    "verdict": Word("Verdict", "Resultado"),
    "gate.reconciliation": Word("The extract is the included recipients", "O extrato são os destinatários incluídos"),
    "gate.opt_out": Word("Nobody in it has opted out", "Ninguém nele recusou"),
    "gate.contract": Word("The provider takes every row", "A gráfica aceita cada linha"),
    "gate.volume": Word("The volume is a usual one", "O volume é habitual"),
    "gate.conflict": Word("The file's name was free", "O nome do arquivo estava livre"),
    "gate.unknown": Word("Every file's fate is known", "O destino de cada arquivo é conhecido"),
    "gate.person": Word("Stopped by a person", "Parada por uma pessoa"),
    "verdict.passed": Word("passed", "passou"),
    "verdict.held": Word("held", "retida"),
    "verdict.accepted": Word("accepted by {by}", "aceita por {by}"),
    "verdict.open": Word("not reached", "não alcançada"),
    "verdict.not_asked": Word("not asked: contractual", "não se aplica: contratual"),
    "parts": Word("Parts and receipts", "Partes e comprovantes"),
    "no_parts": Word("No file was made.", "Nenhum arquivo foi feito."),
    "part": Word("Part", "Parte"),
    "side_file": Word("side file", "arquivo auxiliar"),
    "rows": Word("Rows", "Linhas"),
    "bytes": Word("Bytes", "Bytes"),
    "opened": Word("Opened", "Aberto"),
    "receipt": Word("Receipt", "Comprovante"),
    "no_receipt": Word("none yet", "ainda não há"),
    "decisions": Word("Who decided what", "Quem decidiu o quê"),
    "no_decisions": Word("Nobody had to decide anything.", "Ninguém precisou decidir nada."),
    "decision": Word("Decision", "Decisão"),
    "by": Word("By", "Por"),
    "reason": Word("Reason", "Motivo"),
    # reasons of exclusion
    "reason.consent": Word("No consent", "Sem consentimento"),
    "reason.suppressed": Word("On a suppression list", "Em lista de supressão"),
    "reason.incomplete_address": Word("Incomplete address", "Endereço incompleto"),
    "reason.duplicate": Word("Duplicate", "Duplicado"),
    "reason.frequency_cap": Word("Frequency cap", "Limite de frequência"),
    "reason.already_mailed": Word("Already mailed", "Já recebeu"),
    "reason.outside_area": Word("Outside the area", "Fora da área"),
    "reason.limit": Word("Beyond the limit", "Além do limite"),
    "reason.holdout": Word("Holdout", "Grupo de controle"),
    "reason.identical_row": Word("Identical row", "Linha idêntica"),
    "reason.contract": Word("Provider's contract: {rule}", "Contrato da gráfica: {rule}"),
    # days
    "day.0": Word("Mon", "seg"),
    "day.1": Word("Tue", "ter"),
    "day.2": Word("Wed", "qua"),
    "day.3": Word("Thu", "qui"),
    "day.4": Word("Fri", "sex"),
    "day.5": Word("Sat", "sáb"),
    "day.6": Word("Sun", "dom"),
}


def word(key: str, **values: object) -> Markup:
    """A word in both languages, of which the page shows one. Raises KeyError for a key that is not in the catalogue."""
    if not values:
        return plain(key)
    en, pt = WORDS[key]
    return dual(escape(en).format(**values), escape(pt).format(**values))


@cache
def plain(key: str) -> Markup:
    """A word with nothing to fill in."""
    en, pt = WORDS[key]
    return dual(escape(en), escape(pt))


def known(group: str, name: str) -> Markup:
    """The word for a name of the ledger, or the name itself: other versions may have others."""
    return word(f"{group}.{name}") if f"{group}.{name}" in WORDS else Markup("<code>{}</code>").format(name)


def event_word(kind: str) -> Markup:
    """An event's kind: a state that was reached, or something else."""
    return known("state" if f"state.{kind}" in WORDS else "event", kind)


def reason_word(reason: str) -> Markup:
    """Why profiles were excluded: a rule's reason, or a breach of the provider's contract."""
    head, colon, rule = reason.partition(":")
    return word("reason.contract", rule=rule) if head == "contract" and colon else known("reason", reason)


def dual(en: str, pt: str) -> Markup:
    """Two texts, of which the page shows one; a single one where they are alike."""
    if en == pt:
        return escape(en)
    return Markup('<span class="en">{}</span><span class="pt" lang="pt-BR">{}</span>').format(en, pt)


def decimal(value: float | Decimal, places: int, unit: str) -> Markup:
    """A number with decimals, with a point or a comma, and its unit."""
    en = f"{value:,.{places}f}".replace(",", "\u202f")
    return dual(f"{en}\u202f{unit}", f"{en.replace('.', ',')}\u202f{unit}")
