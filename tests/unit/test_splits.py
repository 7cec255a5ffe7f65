"""Which examples train, validate and test."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from components.contracts.errors import InputError
from components.ingest.source import Source, open_source
from components.ingest.splits import SplitExpressions, resolve_splits

PrepareBeasts = Callable[..., Path]


def source_with(splits: dict[str, int], data_dir: Path, prepare_beasts: PrepareBeasts, num_shards: int = 1) -> Source:
    """A real dataset of that many examples a split."""
    pixels = np.zeros((8, 8, 3), np.uint8)
    examples = {
        split: [{"image": pixels, "label": index % 2} for index in range(count)] for split, count in splits.items()
    }
    source = open_source("beasts", prepare_beasts(data_dir, examples, num_shards=num_shards))
    assert source is not None
    return source


def resolved(source: Source, *wanted: str) -> dict[str, tuple[str, int]]:
    """Per split its expression and number of examples."""
    return {
        split: (expression, sum(piece.num_examples for piece in pieces))
        for split, (expression, pieces) in resolve_splits(source, SplitExpressions(*wanted)).items()
    }


@pytest.mark.parametrize(
    ("splits", "wanted"),
    [
        pytest.param(
            {"train": 20, "validation": 10, "test": 10},
            {"train": ("train", 20), "validation": ("validation", 10), "test": ("test", 10)},
            id="all three are the authors' own",
        ),
        pytest.param(
            {"train": 20, "test": 10},
            {"train": ("train", 20), "validation": ("test[:10%]", 1), "test": ("test[10%:]", 9)},
            id="no validation: a tenth of test",
        ),
        pytest.param(
            {"train": 20, "validation": 10},
            {"train": ("train", 20), "validation": ("validation[:10%]", 1), "test": ("validation[10%:]", 9)},
            id="no test: nine tenths of validation",
        ),
        pytest.param(
            {"train": 20},
            {"train": ("train[:80%]", 16), "validation": ("train[80%:90%]", 2), "test": ("train[90%:]", 2)},
            id="train alone is divided",
        ),
        pytest.param(
            {"train": 20, "validation": 10, "test": 10, "extra": 5},
            {"train": ("train", 20), "validation": ("validation", 10), "test": ("test", 10)},
            id="a fourth split is left alone",
        ),
    ],
)
def test_the_default_splits(
    splits: dict[str, int], wanted: dict[str, tuple[str, int]], tmp_path: Path, prepare_beasts: PrepareBeasts
) -> None:
    assert resolved(source_with(splits, tmp_path, prepare_beasts)) == wanted


def test_given_expressions_replace_the_defaults_one_by_one(tmp_path: Path, prepare_beasts: PrepareBeasts) -> None:
    source = source_with({"train": 20, "test": 10}, tmp_path, prepare_beasts)
    assert resolved(source, "train[:5]+train[10:12]", "", "test[-3:]") == {
        "train": ("train[:5]+train[10:12]", 7),
        "validation": ("test[:10%]", 1),
        "test": ("test[-3:]", 3),
    }


def test_an_expression_over_several_shards_names_the_records_of_each(
    tmp_path: Path, prepare_beasts: PrepareBeasts
) -> None:
    source = source_with({"train": 12, "test": 4}, tmp_path, prepare_beasts, num_shards=3)
    pieces = source.slices("train[2:9]")
    assert [(piece.path.name[-14:], piece.skip, piece.num_examples) for piece in pieces] == [
        ("00000-of-00003", 2, 2),
        ("00001-of-00003", 0, 4),
        ("00002-of-00003", 0, 1),
    ]


@pytest.mark.parametrize(
    ("wanted", "shared"),
    [
        (("train", "train[:3]", ""), "train='train' and validation='train[:3]' share 3 examples"),
        (("train", "", "train[19:]"), "train='train' and test='train[19:]' share 1 examples"),
        (("", "test[:50%]", "test[40%:]"), "validation='test[:50%]' and test='test[40%:]' share 1 examples"),
        (("train[:10]+test", "", ""), "share 1 examples"),
    ],
)
def test_splits_that_share_examples_are_refused(
    wanted: tuple[str, str, str], shared: str, tmp_path: Path, prepare_beasts: PrepareBeasts
) -> None:
    source = source_with({"train": 20, "test": 10}, tmp_path, prepare_beasts)
    with pytest.raises(InputError) as caught:
        resolved(source, *wanted)
    assert shared in str(caught.value)


def test_neighbours_share_nothing(tmp_path: Path, prepare_beasts: PrepareBeasts) -> None:
    source = source_with({"train": 20, "test": 10}, tmp_path, prepare_beasts, num_shards=3)
    counts = [count for _, count in resolved(source, "train[:7]", "train[7:8]", "train[8:]").values()]
    assert counts == [7, 1, 12]


@pytest.mark.parametrize(
    "expression", ["validation", "train[", "train]", "train[a:b]", "train[200%:]", "train[::2]", " "]
)
def test_what_is_no_split_is_refused_and_the_splits_listed(
    expression: str, tmp_path: Path, prepare_beasts: PrepareBeasts
) -> None:
    source = source_with({"train": 20, "test": 10}, tmp_path, prepare_beasts)
    with pytest.raises(InputError) as caught:
        resolved(source, expression)
    assert str(caught.value) == f"split {expression!r}: not a split of beasts/1.0.0, which has train, test"


@pytest.mark.parametrize("expression", ["train[:0]", "train[20:]", "train[10:5]"])
def test_a_split_without_examples_is_refused(expression: str, tmp_path: Path, prepare_beasts: PrepareBeasts) -> None:
    source = source_with({"train": 20, "test": 10}, tmp_path, prepare_beasts)
    with pytest.raises(InputError) as caught:
        resolved(source, expression)
    assert repr(expression) in str(caught.value)


def test_a_tenth_that_rounds_to_nothing_is_refused(tmp_path: Path, prepare_beasts: PrepareBeasts) -> None:
    with pytest.raises(InputError, match=r"'test\[:10%\]' of beasts/1.0.0: no examples"):
        resolved(source_with({"train": 20, "test": 4}, tmp_path, prepare_beasts))


def test_without_a_train_split_the_options_are_named_and_make_do(tmp_path: Path, prepare_beasts: PrepareBeasts) -> None:
    source = source_with({"all_of_it": 10}, tmp_path, prepare_beasts)
    with pytest.raises(InputError) as caught:
        resolved(source, "all_of_it[:8]", "all_of_it[8:9]")
    assert "no `train` split, it has all_of_it; pass --train-split, --validation-split and --test-split" in str(
        caught.value
    )
    counts = resolved(source, "all_of_it[:8]", "all_of_it[8:9]", "all_of_it[9:]")
    assert [count for _, count in counts.values()] == [8, 1, 1]
