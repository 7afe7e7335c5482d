"""The ledger's messages about holds in Brazilian Portuguese. The ledger has them in English, and keeps them as they are.

A message is translated completely or not at all: the texts of servers and of other versions stay in English.
"""

import re
from functools import lru_cache

from markupsafe import Markup, escape

N = r"([\d,]+)"  # a number
AT = r"(\d{4}-\d\d-\d\d \d\d:\d\d)"  # a time
P = r"([+-]?[\d.,]+%)"  # a share
M = r"([\d.,]+) ([A-Z]{3})"  # an amount of money
NUMBER = re.compile(r"(?<![\w.-])[+-]?\d[\d,]*(?:\.\d+)?%?(?![\w-])")
PORTUGUESE = str.maketrans(",.", ".,")

# Each clause of a message, and its translation with the groups as {0}, {1} …
CLAUSES = {
    rf"{N} pieces? (?:is|are) fewer than min_rows, {N}": "peças: {0}, menos que min_rows, {1}",
    rf"{N} pieces? (?:is|are) more than max_rows, {N}": "peças: {0}, mais que max_rows, {1}",
    rf"{N} pieces? after {N} in the last run: {P}, more than max_change, {P}": (
        "peças: {0}, ante {1} na última execução: {2}, mais que max_change, {3}"
    ),
    rf"{N} (?:person|people) came since the last run's {N} pieces?, {P}: more than max_churn, {P}": (
        "pessoas que entraram desde as {1} peças da última execução: {0}, {2}: mais que max_churn, {3}"
    ),
    rf"{N} (?:person|people) went since the last run's {N} pieces?, {P}: more than max_churn, {P}": (
        "pessoas que saíram desde as {1} peças da última execução: {0}, {2}: mais que max_churn, {3}"
    ),
    r"max_churn cannot be checked: the contact history of the last run is missing": (
        "max_churn não pode ser verificado: falta o histórico de contatos da última execução"
    ),
    rf"{N} pieces? (?:is|are) too few for (.+), which needs {N}": "peças: {0}, poucas para {1}, que exige {2}",
    rf"there are {N} profiles, and {N} in the last run: more are missing than max_missing_profiles, {P}": (
        "há {0} perfis, e {1} na última execução: faltam mais que max_missing_profiles, {2}"
    ),
    rf"(\S+) has {N} rows?, and had {N} in the last run: more are missing than {P}": (
        "linhas de {0}: {1}, e {2} na última execução: faltam mais que {3}"
    ),
    r"the suppression lists have no entry": "as listas de supressão não têm entradas",
    rf"{N} of {N} entries of (.+) can match nobody: they have neither an id nor a name with an address": (
        "{0} de {1} entradas de {2} não podem coincidir com ninguém: não têm identificador nem nome com endereço"
    ),
    rf"none of the {N} entries of (.+) matches a profile, and it is a new list": (
        "nenhuma das {0} entradas de {1} coincide com um perfil, e a lista é nova"
    ),
    rf"the suppression list (.+) has no entry, and had {N} in the last run": (
        "a lista de supressão {0} não tem entradas, e tinha {1} na última execução"
    ),
    rf"{N} of {N} entr(?:y|ies) of (.+) matched a profile, and {N} did in the last run, "
    rf"a larger change than max_unmatched, {P}": (
        "{0} de {1} entradas de {2} coincidem com um perfil, ante {3} na última execução: mais que max_unmatched, {4}"
    ),
    rf"(\w+) has no answer at all, and had {N} in the last run": "{0} não tem nenhuma resposta, e tinha {1} na última execução",
    rf"{N} profiles? says? no in (\w+), and {N} did in the last run": (
        "perfis que dizem não em {1}: {0}, ante {2} na última execução"
    ),
    rf"(.+) excludes {N} of {N} (?:person|people), and excluded {N} of {N} in the last run, "
    rf"a larger change than max_reason_change, {P}": (
        "{0} exclui {1} de {2} pessoas, e excluía {3} de {4} na última execução: mais que max_reason_change, {5}"
    ),
    rf"{N} (?:person|people) in the file (?:is|are) not in the model with the role profiles": (
        "pessoas no arquivo que não estão no modelo com o papel profiles: {0}"
    ),
    rf"{N} (?:person|people) in the file (?:has|have) said no": "pessoas no arquivo que disseram não: {0}",
    rf"{N} (?:person|people) in the file (?:is|are) on a suppression list: (.+)": (
        "pessoas no arquivo que estão em lista de supressão: {0}: {1}"
    ),
    r"no profile matches, but one has the same id except for a spreadsheet's changes \(zeros, `\.0`, scientific notation, "
    r"blanks, apostrophes, separators, case\): (.+)": (
        "nenhum perfil coincide, mas um tem o mesmo identificador, salvo alterações de planilha (zeros, `.0`, notação "
        "científica, espaços, apóstrofos, separadores, maiúsculas): {0}"
    ),
    rf"{N} of {N} entr(?:y|ies) of (\w+)": "{0} de {1} entradas de {2}",
    rf"{N} on (\w+) by (\w+)((?:, .+)?)": "{0} em {1} por {2}{3}",
    rf", {N} on (\w+) by (\w+)((?:, .+)?)": ", {0} em {1} por {2}{3}",
    rf"{N} (?:person|people) in ([A-Z]{{0,2}}): (law requires|the trade recommends) (\S+) \((.+)\), which no list is a copy of": (
        "pessoas em {1}: {0}: {2} {3} ({4}), de que nenhuma lista é cópia"
    ),
    rf"{N} (?:person|people) in ([A-Z]{{2}}): no answer of (\w+) in the last (\S+?)": (
        "pessoas em {1}: {0}: sem resposta de {2} em {3}"
    ),
    rf"{N} (?:person|people) in ([A-Z]{{2}}): no answer of (\w+) in the last (\S+), whose answers no rule .+ reads": (
        "pessoas em {1}: {0}: sem resposta de {2} em {3}, cujas respostas nenhuma regra da campanha lê"
    ),
    rf"{N} (?:person|people) without a country, so that no register can be chosen": (
        "pessoas sem país, para as quais não se sabe o cadastro: {0}"
    ),
    r"law requires": "a lei exige",
    r"the trade recommends": "o setor recomenda",
    rf"{N} (?:person|people) in ([A-Z]{{0,2}}): (.+)": "pessoas em {1}: {0}: {2}",
    r"the licence of the list (\S+) \((\S+)\) has ended on ([\d-]+)": "a licença da lista {0} ({1}) terminou em {2}",
    r"the list (\S+) \((\S+)\) is missing or empty": "a lista {0} ({1}) falta ou está vazia",
    r"the list (\S+) \((\S+)\) has no entry with a time in as_of": "a lista {0} ({1}) não tem entrada com horário em as_of",
    r"the list (\S+) \((\S+)\) is of ([\d-]+), more than (\S+) ago": "a lista {0} ({1}) é de {2}, há mais de {3}",
    rf"the run costs {M}, and the order (.+) has cost {M} in {N} other runs?: {M} more than its budget, {M}": (
        "a execução custa {0} {1}, e o pedido {2} já custou {3} {4} em outras execuções ({5}): "
        "{6} {7} a mais que o orçamento, {8} {9}"
    ),
    rf"it is not known what the run costs, because the tariff has no postage for {N} pieces?": (
        "não se sabe quanto custa a execução: a tarifa não tem porte para algumas peças, {0}"
    ),
    r"it is not known what the order (.+?) has cost: (.+)": "não se sabe quanto custou o pedido {0}: {1}",
    r"the cost of (\S+) is in ([A-Z]{3}), not ([A-Z]{3})": "o custo de {0} está em {1}, não em {2}",
    r"(\S+) was billed in (.+), not ([A-Z]{3})": "{0} foi faturada em {1}, não em {2}",
    r"the tariff had no price for all pieces of (\S+)": "a tarifa não tinha preço para todas as peças de {0}",
    rf"the run needs {N} of (.+), and {N} were counted on ([\d-]+)": (
        "a execução precisa de {0} de {1}, e {2} foram contados em {3}"
    ),
    rf"the run needs {N} of (.+), and {N} were counted on ([\d-]+), of which other runs need {N}": (
        "a execução precisa de {0} de {1}, e {2} foram contados em {3}, dos quais outras execuções precisam de {4}"
    ),
    r"(.+) is not in the stock": "{0} não está no estoque",
    r"(.+) is in the stock several times": "{0} está várias vezes no estoque",
    r"(.+) has no count with a number and a time": "{0} não tem contagem com número e horário",
    r"the count of (.+) is dated ([\d-]+), in the future": "a contagem de {0} tem a data {1}, no futuro",
    r"(.+) was counted on ([\d-]+), more than (\S+) ago": "{0} foi contado em {1}, há mais de {2}",
    r"(.+) is only valid until ([\d-]+)": "{0} só é válido até {1}",
    rf"{N} pieces? (?:has|have) the (\w+) (.+), for which `materials` lists no item": (
        "peças cujo valor de {1} é {2}, para o qual `materials` não indica um item: {0}"
    ),
    rf"{N} pieces? (?:has|have) no or another (\w+), for which `materials` lists no item": (
        "peças sem valor de {1}, ou com outro, para o qual `materials` não indica um item: {0}"
    ),
    r"nothing was delivered": "nada foi entregue",
    r"nothing was built or delivered": "nada foi gerado nem entregue",
}
WHOLE = {
    rf"from {AT} UTC": "a partir de {0} UTC",
    rf"{N} inputs?, the contact history up to event {N}": "dados de entrada: {0}; histórico de contatos até o evento {1}",
    rf"{N} profiles?, {N} suppression lists?": "perfis: {0}; listas de supressão: {1}",
    rf"(\S+): {N} rows?": "{0}: linhas: {1}",
    rf"(\S+): loaded {AT} UTC": "{0}: dados de {1} UTC",
    rf"(\S+): {N} rows?, loaded {AT} UTC": "{0}: linhas: {1}, dados de {2} UTC",
    rf"{N} (?:person|people)": "pessoas: {0}",
    rf"{N} targeted, {N} pieces?": "público-alvo: {0}, peças: {1}",
    r"(\w+) waits for an approval of (\w+), and was changed since (.+) approved it on ([\d-]+): nothing was built or delivered": (
        "{0} espera a aprovação de {1}, e foi alterada desde que {2} a aprovou em {3}: nada foi gerado nem entregue"
    ),
    r"(\w+) waits for an approval of (\w+): nothing was built or delivered": (
        "{0} espera a aprovação de {1}: nada foi gerado nem entregue"
    ),
    r"(\S+) exists already, with other content; it was not touched, and nothing was delivered": (
        "{0} já existe, com outro conteúdo; não foi alterado, e nada foi entregue"
    ),
    r"(\S+) is the file of (\S+), which the provider has not taken yet; nothing was delivered": (
        "{0} é o arquivo de {1}, que a gráfica ainda não retirou; nada foi entregue"
    ),
    r"held by ([^\s:]+): (.*)": "retida por {0}: {1}",
    r"held by ([^\s:]+)": "retida por {0}",
}


def message(text: str) -> Markup:
    """A message of the ledger: in both languages if it can be translated, otherwise in English, marked as such."""
    translated = portuguese(text)
    if translated is None:
        return Markup('<span lang="en">{}</span>').format(text)
    both = Markup('<span class="en" lang="en">{}</span><span class="pt" lang="pt-BR">{}</span>')
    return both.format(escape(text), escape(translated))


@lru_cache(maxsize=2_000)
def portuguese(text: str) -> str | None:
    """A message in Portuguese; None if a part of it is not known."""
    if whole := by_pattern(text, WHOLE):
        return whole
    campaign, _, rest = text.partition(": ")
    body, colon, end = rest.rpartition(": ")
    if not colon or not re.fullmatch(r"\w+", campaign):
        return None
    clauses = [by_pattern(clause, CLAUSES) for clause in (*body.split("; "), end)]
    if None in clauses:
        return None
    *some, last = map(str, clauses)
    return f"{campaign}: {'; '.join(some)}: {last}"


def by_pattern(text: str, patterns: dict[str, str]) -> str | None:
    """The translation of a text that one of the patterns matches; None if there is none."""
    for pattern, translation in patterns.items():
        if found := re.fullmatch(pattern, text, re.DOTALL):
            return translation.format(*(in_portuguese(group) for group in found.groups()))
    return None


def in_portuguese(group: str) -> str:
    """A part of a message: numbers with the separators of Portuguese, and other texts as they are."""
    return group.translate(PORTUGUESE) if NUMBER.fullmatch(group) else by_pattern(group, CLAUSES) or group
