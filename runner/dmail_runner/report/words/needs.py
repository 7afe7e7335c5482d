"""The problems that need a person: a short name and the advice for each kind."""

from collections.abc import Mapping

from dmail_runner.report.words.word import Word

NEEDS: Mapping[str, Word] = {
    "need.unknown": Word(
        "It is unknown whether the provider has the file. Ask the provider, and record the answer.",
        "Não se sabe se a gráfica tem o arquivo. Pergunte à gráfica e registre a resposta.",
    ),
    "need.recall": Word(
        "The mail house was asked not to mail the file, and has not answered. Call it, and record its answer.",
        "Pediu-se à gráfica que não envie o arquivo, e ela não respondeu. Ligue para ela e registre a resposta.",
    ),
    "need.opt_out": Word(
        "The file contains people who have opted out. Correct the campaign's rules, and resume the run.",
        "O arquivo contém pessoas que fizeram opt-out. Corrija as regras da campanha e retome a execução.",
    ),
    "need.ids": Word(
        "Some ids match only after the changes that a spreadsheet makes. Correct them at their source, and resume the run.",
        "Alguns identificadores só coincidem após alterações feitas por uma planilha. Corrija-os na origem e retome a execução.",
    ),
    "need.vouchers": Word(
        "There are too few voucher codes, or a code would be given twice. Add codes to the pool, and resume the run.",
        "Faltam códigos de vale, ou um código seria dado duas vezes. Acrescente códigos ao conjunto e retome a execução.",
    ),
    "need.conflict": Word(
        "There is another file of the same name. Find out who sent it, move it to another folder, and resume the run.",
        "Já existe outro arquivo com o mesmo nome. Descubra quem o enviou, mova-o para outra pasta e retome a execução.",
    ),
    "need.registers": Word(
        "A register of a country in the file is missing, too old or without a licence. Load it, and resume the run.",
        "Falta o cadastro de um país do arquivo, ou está antigo ou sem licença. Carregue-o e retome a execução.",
    ),
    "need.exclusions": Word(
        "A list, a consent or an exclusion reason differs from the last run. Find out why, and release or cancel the run.",
        "Uma lista, um consentimento ou um motivo de exclusão difere da última execução. Descubra o motivo e libere ou cancele.",
    ),
    "need.address_services": Word(
        "Addresses were not checked by a required service lately. Export them, fetch the answers, and resume the run.",
        "Há endereços não verificados recentemente por um serviço exigido. Exporte-os, busque as respostas e retome a execução.",
    ),
    "need.volume": Word(
        "The number of pieces is unusual. Find out why, and release or cancel the run.",
        "O número de peças é incomum. Descubra o motivo e libere ou cancele a execução.",
    ),
    "need.budget": Word(
        "The run would cost more than is left of its order. Raise the budget, or release the run.",
        "A execução custaria mais do que resta do pedido. Aumente o orçamento ou libere a execução.",
    ),
    "need.stock": Word(
        "The mail house has too little of a material, or its count cannot be used. Fetch a new count, or release the run.",
        "A gráfica tem pouco de um material, ou a contagem não pode ser usada. Busque uma nova contagem ou libere a execução.",
    ),
    "need.difference": Word(
        "The mail house reports other numbers than were delivered. Ask it, and fetch its answer, or release the run.",
        "A gráfica informa números diferentes dos entregues. Pergunte a ela e busque a resposta, ou libere a execução.",
    ),
    "need.approval": Word(
        "The campaign is not approved as it is defined now, so nothing was built. A dry run shows what would be sent.",
        "A campanha não foi aprovada com a definição atual, e nada foi gerado. Uma simulação mostra o que seria enviado.",
    ),
    "need.person": Word("A person is holding the run.", "Uma pessoa reteve a execução."),
    "need.held": Word("A gate is holding the run.", "Uma verificação reteve a execução."),
    "need.failed": Word(
        "The run failed. Solve the problem, and resume the run.", "A execução falhou. Resolva o problema e retome a execução."
    ),
    "need.removed": Word(
        "The campaign is no longer in the project, so the run cannot continue. Cancel it.",
        "A campanha não está mais no projeto, e a execução não pode continuar. Cancele-a.",
    ),
    "need.missed": Word("The slot was missed.", "A data programada passou sem execução."),
    "need.stuck": Word("The run has not made progress for a day.", "A execução não avança há um dia."),
    "need.overdue": Word("The slot is due, and has not been run.", "A data programada chegou e não houve execução."),
    "need.config": Word("The campaign's configuration is wrong.", "A configuração da campanha está incorreta."),
    "need.route": Word("The route or one of its keys cannot be used.", "A rota ou uma das suas chaves não pode ser usada."),
    "need.key": Word("A key expires soon.", "Uma chave vence em breve."),
    "kind.unknown": Word("Held: unknown", "Retida: incerta"),
    "kind.opt_out": Word("Held: opt-out", "Retida: opt-out"),
    "kind.conflict": Word("Held: conflict", "Retida: conflito"),
    "kind.ids": Word("Held: ids", "Retida: identificadores"),
    "kind.registers": Word("Held: registers", "Retida: cadastros"),
    "kind.vouchers": Word("Held: vouchers", "Retida: vales"),
    "kind.exclusions": Word("Held: exclusions", "Retida: exclusões"),
    "kind.address_services": Word("Held: addresses", "Retida: endereços"),
    "kind.volume": Word("Held: volume", "Retida: volume"),
    "kind.budget": Word("Held: budget", "Retida: orçamento"),
    "kind.stock": Word("Held: stock", "Retida: estoque"),
    "kind.recall": Word("Recall not answered", "Cancelamento sem resposta"),
    "kind.difference": Word("Held: difference", "Retida: diferença"),
    "kind.approval": Word("Held: approval", "Retida: aprovação"),
    "kind.person": Word("Held: person", "Retida: pessoa"),
    "kind.held": Word("Held", "Retida"),
    "kind.failed": Word("Failed", "Falhou"),
    "kind.removed": Word("Removed", "Removida"),
    "kind.missed": Word("Missed", "Perdida"),
    "kind.stuck": Word("Unfinished", "Não concluída"),
    "kind.overdue": Word("Due", "Pendente"),
    "kind.config": Word("Configuration", "Configuração"),
    "kind.route": Word("Route", "Rota"),
    "kind.key": Word("Key", "Chave"),
}
