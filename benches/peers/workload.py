"""The texts every system embeds: natural passages, full 256-token windows, short questions.

All of it is drawn, with a fixed seed, from the guides this repository ships and, on request, from a BEIR folder.
Lengths are counted here, once, with the model's own tokenizer, so that tokens/s means the same for every system:
special tokens count, padding never does.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tokenizers import Tokenizer

MAX_TOKENS = 256
MIN_TOKENS = 20
BLOCKS = 8
NATURAL_TEXTS = 250
FIXED_TEXTS = 32
QUESTIONS = 100
QUESTION_TOKENS = 12
SEED = 20260101

# A log-normal length, cut to 20..256: its mean is 56 tokens, about that of passages people search.
LENGTH_MEDIAN = 43.0
LENGTH_SIGMA = 0.60

SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"*(])")
LINE_START = re.compile(r"^(\s*([-*+]|\d+\.)\s+|#+\s+|\|)")
QUOTE_MARK = re.compile(r"^>\s?")
TABLE_RULE = re.compile(r"^[\s|:-]+$")


@dataclass
class Lengths:
    """What a block costs: its texts, their tokens and the sum of their squared token counts (for attention)."""

    texts: int
    tokens: int
    squared_tokens: int


@dataclass
class Workload:
    """The JSON file every child process reads; `lengths` is for the driver alone."""

    model: str
    max_tokens: int
    questions: list[str]
    natural: list[list[str]]
    fixed: list[list[str]]
    vectors: list[str]
    lengths: dict[str, list[Lengths]]

    def write(self, path: Path) -> None:
        """Write the file that children read."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1), encoding="utf-8")


def build_workload(model: Path, guides: Path, texts: Path | None, *, compare_all: bool) -> Workload:
    """Draw the workload from the guides in `guides` and, where given, the BEIR folder `texts`."""
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    sampler = Sampler(tokenizer, source_sequences(guides, texts))
    natural = [[sampler.natural() for _ in range(NATURAL_TEXTS)] for _ in range(BLOCKS)]
    fixed = [[sampler.fixed() for _ in range(FIXED_TEXTS)] for _ in range(BLOCKS)]
    questions = nearest_length(sampler.count, source_questions(guides, texts))
    return Workload(
        model=str(model.resolve()),
        max_tokens=MAX_TOKENS,
        questions=questions,
        natural=natural,
        fixed=fixed,
        vectors=compared_texts(questions, natural, fixed, compare_all=compare_all),
        lengths={
            "questions": [measure(sampler.count, questions)],
            "natural": [measure(sampler.count, block) for block in natural],
            "fixed": [measure(sampler.count, block) for block in fixed],
        },
    )


class Sampler:
    """Draws passages without repeating one."""

    def __init__(self, tokenizer: Tokenizer, sequences: list[list[str]]) -> None:
        self.tokenizer = tokenizer
        self.sequences = sequences
        self.random = random.Random(SEED)
        self.seen: set[str] = set()

    def count(self, text: str) -> int:
        """Tokens the model sees, special ones included."""
        return min(len(self.tokenizer.encode(text).ids), MAX_TOKENS)

    def natural(self) -> str:
        """Whole sentences whose tokens come nearest to a length drawn at random."""
        target = self.length()
        return self.unseen(lambda: self.sentences_near(target))

    def fixed(self) -> str:
        """Running text that fills the window, starting at any sentence."""
        return self.unseen(self.full_window)

    def unseen(self, draw: Callable[[], str | None]) -> str:
        while True:
            text = draw()
            if text is not None and text not in self.seen:
                self.seen.add(text)
                return text

    def length(self) -> float:
        while True:
            length = self.random.lognormvariate(0.0, LENGTH_SIGMA) * LENGTH_MEDIAN
            if MIN_TOKENS <= length <= MAX_TOKENS:
                return length

    def sentences_near(self, target: float) -> str | None:
        taken: list[str] = []
        best: tuple[float, str] | None = None
        for sentence in self.following_sentences():
            taken.append(sentence)
            text = " ".join(taken)
            tokens = len(self.tokenizer.encode(text).ids)
            if MIN_TOKENS <= tokens <= MAX_TOKENS and (best is None or abs(tokens - target) < best[0]):
                best = (abs(tokens - target), text)
            if tokens >= target:
                break
        return best[1] if best else None

    def full_window(self) -> str | None:
        text = ""
        for sentence in self.following_sentences():
            text = f"{text} {sentence}".strip()
            encoding = self.tokenizer.encode(text)
            if len(encoding.ids) >= MAX_TOKENS:
                last_kept = encoding.offsets[MAX_TOKENS - 2][1]
                rest_of_word = re.match(r"\w*", text[last_kept:])
                return text[: last_kept + (rest_of_word.end() if rest_of_word else 0)]
        return None

    def following_sentences(self) -> Iterable[str]:
        weights = [len(sequence) for sequence in self.sequences]
        sequence = self.random.choices(self.sequences, weights)[0]
        start = self.random.randrange(len(sequence))
        return sequence[start:]


def measure(count: Callable[[str], int], texts: list[str]) -> Lengths:
    """The lengths of one block."""
    tokens = [count(text) for text in texts]
    return Lengths(len(texts), sum(tokens), sum(number * number for number in tokens))


def compared_texts(
    questions: list[str], natural: list[list[str]], fixed: list[list[str]], *, compare_all: bool
) -> list[str]:
    """The texts whose vectors are compared: all of them, or 200 of all three kinds, some of every block."""
    shares = (None, None, None) if compare_all else (40, 18, 2)
    passages = [text for block in natural for text in block[: shares[1]]]
    windows = [text for block in fixed for text in block[: shares[2]]]
    return questions[: shares[0]] + passages + windows


def nearest_length(count: Callable[[str], int], candidates: list[str]) -> list[str]:
    """The 100 questions whose token count is nearest to 12."""
    ranked = sorted(dict.fromkeys(candidates), key=lambda text: abs(count(text) - QUESTION_TOKENS))
    return ranked[:QUESTIONS]


def source_sequences(guides: Path, texts: Path | None) -> list[list[str]]:
    """Sentences in reading order, one list per guide and one per BEIR corpus."""
    sequences = [sentences_of_markdown(path.read_text(encoding="utf-8")) for path in guide_files(guides)]
    if texts is not None:
        documents = (passage_of(record) for record in records(texts / "corpus.jsonl"))
        sequences.append([sentence for document in documents for sentence in split_sentences(document)])
    return [sequence for sequence in sequences if sequence]


def source_questions(guides: Path, texts: Path | None) -> list[str]:
    """Questions people ask; then headings as search phrases, since the shipped questions are fewer than 100."""
    questions = [record["question"] for record in records(guides / "questions.jsonl")]
    if texts is not None and (texts / "queries.jsonl").exists():
        questions += [record["text"] for record in records(texts / "queries.jsonl")]
    phrases = [phrase for path in guide_files(guides) for phrase in headings(path.read_text(encoding="utf-8"))]
    return questions + phrases


def guide_files(guides: Path) -> list[Path]:
    """The guides, which have front matter; the folder's README has none."""
    return [path for path in sorted(guides.glob("*.md")) if path.read_text(encoding="utf-8").startswith("---")]


def records(path: Path) -> list[dict[str, str]]:
    """The records of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def passage_of(record: dict[str, str]) -> str:
    """Title and text of a BEIR document."""
    return f"{record.get('title') or ''} {record['text']}".strip()


def headings(markdown: str) -> list[str]:
    """Each heading below the title, led by the title."""
    lines = [line.lstrip("#").strip() for line in markdown.splitlines() if re.match(r"#{1,3} ", line)]
    return [f"{lines[0]}: {heading}" for heading in lines[1:]]


def sentences_of_markdown(markdown: str) -> list[str]:
    """The prose of a guide; front matter, fences and table rules are left out."""
    body = re.sub(r"\A---\n.*?\n---\n", "", markdown, flags=re.DOTALL)
    body = re.sub(r"^```.*?^```", "", body, flags=re.DOTALL | re.MULTILINE)
    return [sentence for block in markdown_blocks(body) for sentence in split_sentences(block)]


def markdown_blocks(body: str) -> list[str]:
    """Paragraphs, list items, headings and table rows, each on one line without its marker."""
    blocks: list[str] = []
    open_block = False
    for line in (QUOTE_MARK.sub("", raw_line) for raw_line in body.splitlines()):
        if not line.strip() or TABLE_RULE.match(line):
            open_block = False
            continue
        text = LINE_START.sub("", line).replace("|", " ").strip()
        if open_block and not LINE_START.match(line):
            blocks[-1] = f"{blocks[-1]} {text}"
        else:
            blocks.append(text)
        open_block = not line.startswith("#")
    return blocks


def split_sentences(text: str) -> list[str]:
    """Sentences, with runs of white space made one blank."""
    return [" ".join(part.split()) for part in SENTENCE_END.split(text) if part.strip()]
