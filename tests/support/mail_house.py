"""A mail house that takes files, and answers with a known truth: what it rejects, mails, gets back, and bills."""

import random
from dataclasses import dataclass, field
from pathlib import Path

from tiny import World

REASONS = ("moved", "unknown", "no_such_address", "deceased", "refused")


@dataclass
class MailHouse:
    """The truth is what it did, and the answers say it, sometimes twice, in two halves, or late."""

    world: World
    answers: Path
    seed: int = 0
    rejected_share: float = 0.002
    returned_share: float = 0.03
    mailed: dict[str, int] = field(default_factory=dict)  # by file
    rejected: dict[str, int] = field(default_factory=dict)
    returned: list[tuple[str, str]] = field(default_factory=list)  # person and reason

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def work(self) -> None:
        """Take every file, and answer."""
        for name, people in self.world.mailed().items():
            if name not in self.mailed:
                self.answer(name, people)

    def answer(self, name: str, people: list[str]) -> None:
        today = f"{self.world.now:%Y-%m-%d}"
        kept = [person for person in people if self.random.random() >= self.rejected_share]
        self.mailed[name], self.rejected[name] = len(kept), len(people) - len(kept)
        lines = [f"{name},received,{len(people)},{today}", f"{name},mailed,{len(kept)},{today}"]
        lines += [f"{name},rejected,{len(people) - len(kept)},{today}"] if len(kept) < len(people) else []
        self.put(f"ack/{name}.csv", "file_name,status,pieces,happened_at", lines)
        self.put(f"bill/{name}.csv", "invoice_id,file_name,pieces,production,postage,amount,currency,happened_at", [
            f"I-{name},{name},{len(kept)},0.4,0.5,{0.9 * len(kept):.2f},EUR,{today}",
        ])  # fmt: skip
        back = [(person, self.random.choice(REASONS)) for person in kept if self.random.random() < self.returned_share]
        self.returned += back
        self.put(f"back/{name}.csv", "profile_id,reason,happened_at", [f"{who},{why},{today}" for who, why in back])

    def put(self, name: str, head: str, lines: list[str]) -> None:
        """Put a file down as mail houses do: whole, twice, or first the half of it."""
        path = self.answers / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fate = self.random.choice(["whole", "whole", "twice", "half"])
        if fate == "half" and len(lines) > 1:
            path.with_suffix(".1.csv").write_text("\n".join([head, *lines[: len(lines) // 2], ""]))
        if fate == "twice":
            path.with_suffix(".2.csv").write_text("\n".join([head, *lines, ""]))
        path.write_text("\n".join([head, *lines, ""]))
