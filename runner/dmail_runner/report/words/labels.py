"""Headings, labels and sentences of the pages."""

from collections.abc import Mapping

from dmail_runner.report.words.word import Word

FRAME = {
    "overview": Word("Overview", "Visão geral"),
    "filter": Word("Filter by name or state", "Filtrar por nome ou estado"),
    "copy": Word("Copy", "Copiar"),
    "copied": Word("Copied", "Copiado"),
    "skip": Word("Skip to the content", "Ir para o conteúdo"),
    "language": Word("Language", "Idioma"),
    "theme": Word("Theme", "Tema"),
    "auto": Word("Auto", "Automático"),
    "light": Word("Light", "Claro"),
    "dark": Word("Dark", "Escuro"),
    "as_of": Word("As of {at} UTC", "Dados de {at} UTC"),
    "footer": Word("Counts only, no personal data.", "Apenas contagens, sem dados pessoais."),
    "times_utc": Word("Times are in UTC.", "Horários em UTC."),
    "times_in": Word(
        "Times are in the zone {zone}; the pointer shows them in UTC.", "Horários no fuso {zone}; o ponteiro os mostra em UTC."
    ),
    "lineage": Word("Lineage", "Linhagem"),
    "direct_mail": Word("Direct mail", "Mala direta"),
    "day.0": Word("Mon", "seg"),
    "day.1": Word("Tue", "ter"),
    "day.2": Word("Wed", "qua"),
    "day.3": Word("Thu", "qui"),
    "day.4": Word("Fri", "sex"),
    "day.5": Word("Sat", "sáb"),
    "day.6": Word("Sun", "dom"),
}

OVERVIEW = {
    "needs_person": Word("Needs a person", "Requer ação"),
    "needs_nobody": Word("Nothing needs a person.", "Nada requer ação."),
    "needs_more": Word("and {count} more", "e mais {count}"),
    "campaigns": Word("Campaigns", "Campanhas"),
    "no_campaigns": Word("The project has no campaign yet.", "O projeto ainda não tem campanhas."),
    "campaign": Word("Campaign", "Campanha"),
    "status": Word("Status", "Situação"),
    "provider": Word("Provider", "Gráfica"),
    "next_slot": Word("Next slot", "Próxima data"),
    "last_run": Word("Last run", "Última execução"),
    "recent_volumes": Word("Recent sends", "Envios recentes"),
    "active_campaigns": Word("Active campaigns", "Campanhas ativas"),
    "sends_30": Word("Delivered, last 30 days", "Entregues, últimos 30 dias"),
    "runs_30": Word("Runs, last 30 days", "Execuções, últimos 30 dias"),
    "cost_30": Word("Estimated cost, last 30 days", "Custo estimado, últimos 30 dias"),
    "never": Word("never", "nunca"),
}

FIGURES = {
    "figures": Word("From targeted to delivered", "Do público-alvo à entrega"),
    "stage": Word("Stage", "Etapa"),
    "targeted": Word("Targeted", "Público-alvo"),
    "excluded": Word("Exclusions", "Exclusões"),
    "included": Word("Included", "Incluídos"),
    "seeds": Word("Seeds", "Endereços-semente"),
    "sends": Word("Sends", "Envios"),
    "delivered": Word("Delivered", "Entregues"),
    "errors": Word("Not delivered", "Não entregues"),
    "waiting": Word("In progress or held", "Em andamento ou retidos"),
    "this_run": Word("This run", "Esta execução"),
    "latest_run": Word("Latest file", "Último arquivo"),
    "all_runs": Word("All {count} runs", "Todas as {count} execuções"),
    "only_run": Word("All runs", "Todas as execuções"),
    "latest_sends": Word("Sends, latest file", "Envios, último arquivo"),
    "change_to_last": Word("Included, against the run before", "Incluídos, ante a execução anterior"),
    "exclusion_rate": Word("Excluded, latest file", "Excluídos, último arquivo"),
    "piece_cost": Word("Estimated cost per piece", "Custo estimado por peça"),
    "as_csv": Word("These figures as CSV", "Estes números em CSV"),
    "last_settled": Word("Last delivered run", "Última entregue"),
    "change": Word("Change", "Variação"),
    "compared_with": Word("Compared with", "Em comparação com"),
    "built_figures": Word(
        "These are the figures of what was built. Nothing was delivered.", "São os números do que foi gerado. Nada foi entregue."
    ),
    "nothing_built": Word(
        "Nothing was built. These are the figures of the last delivered run.",
        "Nada foi gerado. São os números da última execução entregue.",
    ),
    "before_approval": Word(
        "These are the figures of the last delivered run. Nothing is built before the approval: a dry run shows what would go.",
        "São os números da última execução entregue. Nada é gerado antes da aprovação: uma simulação mostra o que iria.",
    ),
    "limit_least": Word(
        "Limit {name}: at least {value}, drawn as a line", "Limite {name}: no mínimo {value}, traçado como linha"
    ),
    "limit_most": Word("Limit {name}: at most {value}, drawn as a line", "Limite {name}: no máximo {value}, traçado como linha"),
    "share": Word("Share", "Percentual"),
    "adds_up": Word(
        "Targeted = exclusions + included. Sends = included + seeds, which are the rows of the file.",
        "Público-alvo = exclusões + incluídos. Envios = incluídos + endereços-semente, que são as linhas do arquivo.",
    ),
    "no_figures": Word("There are no figures before the first extraction.", "Não há números antes da primeira extração."),
    "run_no_figures": Word(
        "The run has not been extracted, so there are no figures.", "A execução não foi extraída; não há números."
    ),
    "volume": Word("Volume over time", "Volume ao longo do tempo"),
    "not_delivered": Word("Not delivered", "Não entregues"),
    "facts": Word("Facts", "Dados"),
    "holdout": Word("Holdout (control group)", "Grupo de controle"),
    "holdout_share": Word("{share} of those who would be mailed", "{share} de quem receberia"),
    "cost": Word("Estimated cost", "Custo estimado"),
    "not_recorded": Word("not recorded", "não registrado"),
    "cost_if_delivered": Word("Estimated cost of a delivery", "Custo estimado de uma entrega"),
    "cost_latest": Word("{cost}, latest run", "{cost}, última execução"),
    "cost_all": Word("{cost}, all runs", "{cost}, todas as execuções"),
    "regions": Word("Pieces by region", "Peças por região"),
    "no_regions": Word(
        "Unknown: the extract has no column country_code.", "Desconhecido: a extração não tem a coluna country_code."
    ),
    "elsewhere": Word("elsewhere, fewer than ten each", "outros, menos de dez em cada um"),
    "came": Word("Added", "Entraram"),
    "went": Word("Removed", "Saíram"),
    "churn": Word("Compared with the last file", "Em comparação com o último arquivo"),
    "churn_counts": Word("{came} added, {went} removed, {stayed} in both", "{came} entraram, {went} saíram, {stayed} em ambos"),
    "as_table": Word("As a table", "Em tabela"),
    "country": Word("Country", "País"),
    "region": Word("State or region", "Estado ou região"),
    "pieces": Word("Pieces", "Peças"),
}

CAMPAIGN = {
    "owner": Word("Owner", "Responsável"),
    "file": Word("File", "Arquivo"),
    "format": Word("Format", "Formato"),
    "route": Word("Route", "Rota"),
    "purpose": Word("Purpose", "Finalidade"),
    "marketing": Word("marketing", "marketing"),
    "contractual": Word("contractual: opt-outs do not apply", "contratual: o opt-out não se aplica"),
    "from_to": Word("from {start} to {end}", "de {start} a {end}"),
    "next_slots": Word("Next slots", "Próximas datas"),
    "no_slots": Word("There is no further slot.", "Não há próxima data."),
    "no_schedule": Word("No schedule: the campaign is run by a person.", "Sem agenda: a campanha é executada por uma pessoa."),
    "local_time": Word("Local time", "Hora local"),
    "columns": Word("Columns of the file", "Colunas do arquivo"),
    "column": Word("Column", "Coluna"),
    "description": Word("Description", "Descrição"),
    "example": Word("Example, made up", "Exemplo fictício"),
    "window": Word(
        "A made-up address in the window of the envelope, from the extract's unit tests.",
        "Um endereço fictício na janela do envelope, dos testes unitários da extração.",
    ),
    "window_parts": Word(
        "The file has the parts of the address in columns: the mail house arranges them.",
        "O arquivo traz as partes do endereço em colunas: a gráfica as dispõe.",
    ),
    "rules": Word("Type and rules", "Tipo e regras"),
    "made_by": Word("Expression", "Expressão"),
    "origin": Word("Source", "Origem"),
    "as_above": Word("as above", "idem"),
    "models": Word("Models that the file is built from", "Modelos que geram o arquivo"),
    "model": Word("Model", "Modelo"),
    "reads": Word("Reads", "Lê"),
    "in_lineage": Word("This campaign in the lineage", "Esta campanha na linhagem"),
    "approvals": Word("Approvals", "Aprovações"),
    "definition": Word("Definition", "Definição"),
    "earlier_runs": Word("Earlier runs", "Execuções anteriores"),
    "runs_hidden": Word(
        "Older runs that are not listed: {count}. The figures of all runs include them.",
        "Execuções mais antigas fora da lista: {count}. Os números de todas as execuções as incluem.",
    ),
    "runs_pageless": Word(
        "Runs without a link have no page. This command shows the latest of them:",
        "Execuções sem link não têm página. Este comando mostra a mais recente delas:",
    ),
}

RUN = {
    "run": Word("Run", "Execução"),
    "runs": Word("Runs", "Execuções"),
    "older_run": Word("Previous run", "Execução anterior"),
    "newer_run": Word("Next run", "Próxima execução"),
    "slot": Word("Slot", "Data programada"),
    "state": Word("State", "Estado"),
    "wave": Word("Wave {number}", "Onda {number}"),
    "wave_after": Word("after wave {wave}, not before {at}", "após a onda {wave}, não antes de {at}"),
    "wave_waits_end": Word(
        "Waits for the end of wave {wave}, which is in the state “{state}”. It cannot start before {at}.",
        "Espera o fim da onda {wave}, que está no estado “{state}”. Não pode começar antes de {at}.",
    ),
    "wave_waits_apart": Word(
        "Waits until {at}, which is {span} after the end of wave {wave}.",
        "Espera até {at}, ou seja, {span} após o fim da onda {wave}.",
    ),
    "wave_waits_slot": Word(
        "Waits until {at}, its slot. Wave {wave} has ended.", "Espera até {at}, sua data programada. A onda {wave} terminou."
    ),
    "copy_of": Word("Sent again", "Reenvio"),
    "approved_by": Word("Approved by", "Aprovada por"),
    "timeline": Word("Timeline", "Linha do tempo"),
    "took": Word("{time} from the first event to the last", "{time} do primeiro ao último evento"),
    "at": Word("Time", "Horário"),
    "event": Word("Event", "Evento"),
    "duration": Word("After", "Após"),
    "detail": Word("Details", "Detalhes"),
    "gates": Word("Gates", "Verificações"),
    "gate": Word("Gate", "Verificação"),
    "verdict": Word("Verdict", "Resultado"),
    "parts": Word("Files and receipts", "Arquivos e comprovantes"),
    "no_parts": Word("The run has no files.", "A execução não tem arquivos."),
    "part": Word("Part", "Parte"),
    "side_file": Word("side file", "arquivo auxiliar"),
    "rows": Word("Rows", "Linhas"),
    "bytes": Word("Bytes", "Bytes"),
    "opened": Word("Decrypted", "Decifrado"),
    "receipt": Word("Receipt", "Comprovante"),
    "no_receipt": Word("none yet", "ainda não há"),
    "decisions": Word("Decisions", "Decisões"),
    "no_decisions": Word("No person has decided anything.", "Nenhuma pessoa tomou decisões."),
    "decision": Word("Decision", "Decisão"),
    "by": Word("By", "Por"),
    "reason": Word("Reason", "Motivo"),
}

LABELS: Mapping[str, Word] = FRAME | OVERVIEW | FIGURES | CAMPAIGN | RUN
