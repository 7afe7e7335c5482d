"""Finds a column's expression in a model's SQL with Jinja, whatever its CTEs are called and however its lines are broken."""

import re
from collections.abc import Iterator

# The columns that macros add which write a whole query, and what they are made of. The texts are columns that the macro reads.
OF_QUERIES = {
    "pieces": {"piece_id": 'piece_id("profile_id")', "is_seed": "pieces()"},
    "best_offers": {r"offer_\d+": 'best_offers("offer_id")', r"offer_\d+_(\w+)": r'best_offers("\1")'},
    "vouchers": {"voucher": 'vouchers("code")', "voucher_pool": 'vouchers("pool")'},
}
# The columns that address_block() reads if its arguments do not name others, by argument; and those that it always reads.
OF_BLOCK = {"name": ("full_name",), "company": ("company",), "street": ("address_line1", "address_line2")}
ALWAYS_OF_BLOCK = ("city", "region", "postal_code", "country_code")
COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", re.DOTALL)
TEXTS = re.compile(r"'(?:[^']|'')*'")
NAME = r'(?:[A-Za-z_]\w*\.|"[^"]+"\.)?"?([A-Za-z_]\w*)"?'
SELECT = re.compile(r"\bselect(\s+distinct)?\s\Z", re.IGNORECASE)
BEFORE = re.compile(r"(?:\bselect(?:\s+distinct)?|[,(])\s*$", re.IGNORECASE)
# Words of SQL and Jinja that are no columns.
KEYWORDS = re.compile(
    r"all|and|as|asc|between|bigint|boolean|by|case|cast|date|decimal|desc|distinct|double|else|end|exists|extract|false|filter|from"
    r"|group|in|integer|interval|is|join|like|not|null|nulls|on|or|order|over|partition|select|string|text|then|timestamp|true"
    r"|try_cast|using|varchar|when|where|with|dmail|ref|source|var|none",
    re.IGNORECASE,
)


def made_by(code: str, column: str) -> str | None:
    """A column's expression, or the macro that writes several columns; None if it is unknown.

    If several CTEs give the column an expression, the last one counts. A column that a `*` passes on is its own expression.
    """
    code = COMMENTS.sub("", code)
    named = [match.start() for match in re.finditer(rf'(?<!\w)as\s+"?{re.escape(column)}"?(?=\s*(?:,|\)|$|\bfrom\b|\{{%))', code)]
    if named:
        return braceless(expression_before(code, named[-1]))
    for several in re.finditer(r"(\{\{\s*(?:\w+\.)?(\w+)\([^{}]*\)\s*\}\})\s*(?=,|\)|$|\bfrom\b)", code, re.MULTILINE):
        if column.startswith(several[2]) and BEFORE.search(code[: several.start()]):
            return braceless(several[1])
    bare = re.search(rf"(?:\bselect|,)\s+((?:\w+\.)?{re.escape(column)})\s*(?=,|\bfrom\b|$)", code, re.IGNORECASE | re.MULTILINE)
    if bare:
        return made_by_query(code, bare[1]) or bare[1]
    return column if re.search(r"\bselect\s+(?:\w+\.)?\*|,\s*(?:\w+\.)?\*", code, re.IGNORECASE) else None


def made_by_query(code: str, column: str) -> str | None:
    """The expression of a column that a macro adds which writes the query of a CTE; None for other columns.

    `column`: the column. If it is qualified, only the CTE of that name counts.
    """
    relation, _, name = column.rpartition(".")
    for macro, columns in OF_QUERIES.items():
        if re.search(rf"{relation or NAME}\s+as\s*\(\s*\{{\{{\s*(?:\w+\.)?{macro}\(", code):
            for pattern, expression in columns.items():
                if found := re.fullmatch(pattern, name):
                    return found.expand(expression)
    return None


def expression_before(code: str, end: int) -> str:
    """The expression that ends at a position. It begins after a comma or `select` outside of parentheses, braces and texts."""
    masked = TEXTS.sub(lambda text: "'" + "x" * (len(text[0]) - 2) + "'", code[:end])
    depth, position = 0, end
    while position > 0:
        sign = masked[position - 1]
        if sign in ")]}":
            depth += 1
        elif sign in "([{":
            depth -= 1
        if depth < 0 or (depth == 0 and (sign == "," or SELECT.search(masked[:position]))):
            break
        position -= 1
    return " ".join(code[position:end].split())


def braceless(expression: str) -> str:
    """An expression without Jinja's braces and the package's name."""
    return re.sub(r"\bdmail\.(?=\w+\()|\{\{\s*|\s*\}\}", "", expression).strip()


def columns_in(expression: str) -> Iterator[str]:
    """The names in an expression that may be columns, each once. In macros, columns are also texts, such as "source.city"."""
    macros = re.sub(r"\"(?:\w+\.)?(\w+)\"", r"\1", expression)
    text = TEXTS.sub("", macros)
    named = (match[1] for match in re.finditer(rf"(?<![\w.]){NAME}(?!\w|\s*\(|\.|=)", text))
    seen = dict.fromkeys((*named, *columns_of_block(expression)))
    return (name for name in seen if not KEYWORDS.fullmatch(name))


def columns_of_block(expression: str) -> Iterator[str]:
    """The columns that `address_block()` reads without being given their names."""
    if re.match(r"address_block(?:_text)?\(", expression):
        for argument, columns in OF_BLOCK.items():
            if not re.search(rf"\b{argument}=", expression):
                yield from columns
        yield from ALWAYS_OF_BLOCK
