"""The models of the YAML files, and the docstrings of their fields."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

NOTE = "<!-- Written by `make docs` from the code: change it there. -->"


def models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models of an annotation, and those within them, each once, outer ones first."""
    seen: set[type[BaseModel]] = set()
    todo = [annotation]
    while todo:
        one = todo.pop(0)
        if isinstance(one, type) and issubclass(one, BaseModel):
            if one not in seen:
                seen.add(one)
                yield one
                todo += [field.annotation for field in one.model_fields.values()]
        else:
            todo += getattr(one, "__args__", ())


def texts_of(model: type[BaseModel]) -> dict[str, str]:
    """The docstring of each field of a model, by its key. Exits if a field has none."""
    texts = {name: text for base in reversed(model.__mro__) if issubclass(base, BaseModel) for name, text in below_fields(base)}
    if missing := model.model_fields.keys() - texts.keys():
        raise SystemExit(f"{model.__name__}: there is no docstring below {', '.join(sorted(missing))}")
    return {
        (known.alias if (known := model.model_fields.get(name)) and known.alias else name): text for name, text in texts.items()
    }


@cache
def below_fields(model: type[BaseModel]) -> tuple[tuple[str, str], ...]:
    """The names of a class's own fields, and the docstrings below them."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    return tuple(
        (field.target.id, " ".join(str(ast.literal_eval(text.value)).split()))
        for field, text in pairwise(tree.body if isinstance(tree, ast.ClassDef) else [])
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr)
    )
