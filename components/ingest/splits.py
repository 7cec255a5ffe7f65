"""Which examples train, validate and test: the dataset's own splits, or carved from them."""

from dataclasses import dataclass

from components.contracts.errors import InputError
from components.ingest.source import Slice, Source

# Where the authors made no validation split, the first tenth of their test split is it (the article's own choice for
# Stanford Dogs); where they published no test labels, the validation split is carved instead.
RULES: tuple[tuple[frozenset[str], tuple[str, str, str]], ...] = (
    (frozenset({"train", "validation", "test"}), ("train", "validation", "test")),
    (frozenset({"train", "test"}), ("train", "test[:10%]", "test[10%:]")),
    (frozenset({"train", "validation"}), ("train", "validation[:10%]", "validation[10%:]")),
    (frozenset({"train"}), ("train[:80%]", "train[80%:90%]", "train[90%:]")),
)


@dataclass(frozen=True)
class SplitExpressions:
    """One tfds split expression for each of the three; an empty one stands for the default."""

    train: str = ""
    validation: str = ""
    test: str = ""


def resolve_splits(source: Source, wanted: SplitExpressions) -> dict[str, tuple[str, tuple[Slice, ...]]]:
    """For `train`, `validation` and `test`: the expression, and the slices of files that it names.

    Raises InputError for an expression that names no examples, for two that share some, and where a default is
    wanted and the dataset has no `train` split.
    """
    given = (wanted.train, wanted.validation, wanted.test)
    defaults = next((expressions for names, expressions in RULES if names <= source.num_examples.keys()), None)
    if defaults is None:
        if not all(given):
            raise InputError(
                f"{source.full_name}: no `train` split, it has {', '.join(source.num_examples)}; "
                "pass --train-split, --validation-split and --test-split"
            )
        defaults = ("", "", "")
    resolved = {
        name: (expression or default, source.slices(expression or default))
        for name, expression, default in zip(("train", "validation", "test"), given, defaults, strict=True)
    }
    for first, second in (("train", "validation"), ("train", "test"), ("validation", "test")):
        _check_disjoint(first, resolved[first], second, resolved[second])
    return resolved


def _check_disjoint(
    first: str, first_split: tuple[str, tuple[Slice, ...]], second: str, second_split: tuple[str, tuple[Slice, ...]]
) -> None:
    shared = sum(_overlap(one, other) for one in first_split[1] for other in second_split[1])
    if shared:
        raise InputError(
            f"splits {first}={first_split[0]!r} and {second}={second_split[0]!r} share {shared:,} examples: "
            "what a model was trained on cannot test it"
        )


def _overlap(one: Slice, other: Slice) -> int:
    if one.path != other.path:
        return 0
    return max(0, min(one.skip + one.num_examples, other.skip + other.num_examples) - max(one.skip, other.skip))
