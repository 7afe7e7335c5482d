"""The models of the YAML files, and what stands below each of their fields in the code."""

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
    """The models of an annotation and of all that is in them, each once, the outer ones first."""
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


def told_of(model: type[BaseModel]) -> dict[str, str]:
    """What is said of each field of a model. Exits where one has nothing."""
    told = {name: text for base in reversed(model.__mro__) if issubclass(base, BaseModel) for name, text in below_fields(base)}
    if missing := model.model_fields.keys() - told.keys():
        raise SystemExit(f"{model.__name__}: nothing is said of {', '.join(sorted(missing))}")
    return told


@cache
def below_fields(model: type[BaseModel]) -> tuple[tuple[str, str], ...]:
    """The docstrings below a class's own fields, by their names."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    return tuple(
        (field.target.id, " ".join(str(ast.literal_eval(text.value)).split()))
        for field, text in pairwise(tree.body if isinstance(tree, ast.ClassDef) else [])
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr)
    )
