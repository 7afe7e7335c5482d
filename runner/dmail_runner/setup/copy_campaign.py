"""Copies a campaign: its files under a new name, with its own delivery, which is a draft."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import yaml

from dmail_runner.core.errors import UsageError

Edit = tuple[int, int, str]  # start, end, and the text that replaces what is between them


def copy_campaign(files: Sequence[Path], other: str, name: str) -> dict[str, str]:
    """The files of a copy of a campaign.

    Args:
        files: all files of the project.
        other: the campaign to copy.
        name: the name of the copy.

    Returns:
        The text of each file, by file name.

    Raises:
        UsageError: if there is no such campaign, if its folder has models of other campaigns, or if it has no delivery.
    """
    folder = folder_of(files, other)
    own = [path for path in files if path.parent == folder and path.suffix in (".sql", ".yml", ".yaml")]
    shared = [path.name for path in own if path.suffix == ".sql" and not path.name.startswith(f"{other}__")]
    if shared:
        raise UsageError(f"{folder} also has {', '.join(shared)}, which the copy would repeat", todo="copy the campaign by hand")
    copies, delivered = {}, False
    for path in own:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, yaml.SafeLoader) if path.suffix != ".sql" else None
        delivery = list(delivery_edits(node, other, name))
        delivered = delivered or bool(delivery)
        edits = [*delivery, *value_edits(text, node, other, name), *word_edits(text, other, name)]
        copies[re.sub(rf"^(_?){other}(?![A-Za-z0-9])", rf"\g<1>{name}", path.name)] = spliced(text, edits)
    if not delivered:
        raise UsageError(f"{folder} has no exposure {other!r} with `direct_mail` to copy", todo="declare it in that folder")
    return copies


def folder_of(files: Sequence[Path], other: str) -> Path:
    """The folder with a campaign's models. Raises UsageError if there is no such campaign."""
    extracts = {path.name.removesuffix("__extract.sql"): path.parent for path in files if path.match("*__extract.sql")}
    if other not in extracts:
        raise UsageError(f"there is no campaign {other!r} to copy", todo=f"there are: {', '.join(sorted(extracts)) or 'none'}")
    return extracts[other]


def word_edits(text: str, other: str, name: str) -> Iterator[Edit]:
    """Rename the campaign's models, and the campaign's name itself if it is alone in quotes."""
    for found in re.finditer(rf"(?<!\w){other}(?=__|_\d)|(?<=['\"]){other}(?=['\"])", text):
        yield *found.span(), name


def value_edits(text: str, node: yaml.Node | None, other: str, name: str) -> Iterator[Edit]:
    """Rename the values of a YAML file that are the campaign's name, and names that begin with it, such as a unit test's."""
    for key, value in scalars(node):
        if value.value == other or (key == "name" and value.value.startswith(f"{other}_")):
            start = text.index(other, value.start_mark.index)
            yield start, start + len(other), name


def scalars(node: yaml.Node | None, key: str = "") -> Iterator[tuple[str, yaml.ScalarNode]]:
    """The scalar values within a node, each with its key."""
    if isinstance(node, yaml.ScalarNode):
        yield key, node
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from scalars(item, key)
    elif isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield from scalars(value, name.value)


def delivery_edits(node: yaml.Node | None, other: str, name: str) -> Iterator[Edit]:
    """Change the label, the status and the file name of the exposure."""
    values: dict[tuple[str, ...], Callable[[str], str]] = {
        ("label",): lambda _: label(name),
        ("config", "meta", "direct_mail", "status"): lambda _: "draft",
        ("config", "meta", "direct_mail", "file", "name"): lambda file: own_file(file, other, name),
    }
    exposures = at(node, "exposures")
    for exposure in exposures.value if isinstance(exposures, yaml.SequenceNode) else ():
        name_node = at(exposure, "name")
        if name_node is None or name_node.value != other or at(exposure, "config", "meta", "direct_mail") is None:
            continue
        for path, value in values.items():
            found = at(exposure, *path)
            if isinstance(found, yaml.ScalarNode):
                yield found.start_mark.index, found.end_mark.index, quoted(value(found.value))


def at(node: yaml.Node | None, *path: str) -> yaml.Node | None:
    """The value at a path of keys in nested mappings; None if there is none."""
    for key in path:
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        node = next((value for name, value in pairs if name.value == key), None)
    return node


def label(name: str) -> str:
    """A campaign's name for people."""
    return name.replace("_", " ").capitalize()


def own_file(file: str, other: str, name: str) -> str:
    """The file name of the copy: after the copy's name, in the same folder, with the same suffix."""
    if other in file:
        return file.replace(other, name)
    # A slash within a placeholder does not separate folders.
    *folders, last = re.split(r"/(?![^{]*\})", file)
    suffix = last[last.rindex(".") :] if "." in last else ""
    return "/".join([*folders, f"{name}_{last}" if "{" in last else f"{name}{suffix}"])


def quoted(text: str) -> str:
    """A text as a YAML scalar."""
    return text if re.fullmatch(r"\w[\w./ -]*", text) else json.dumps(text, ensure_ascii=False)


def spliced(text: str, edits: Sequence[Edit]) -> str:
    """A text after the edits. If two of them overlap, only the first one is made."""
    made: list[Edit] = []
    for edit in edits:
        if all(edit[1] <= start or end <= edit[0] for start, end, _ in made):
            made.append(edit)
    for start, end, new in sorted(made, reverse=True):
        text = text[:start] + new + text[end:]
    return text
