"""Texts that are almost a contract's golden file: each is refused, with the file, the field and the value received."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.contracts.claim import Claim, Owner
from components.contracts.dataset_manifest import DatasetManifest
from components.contracts.errors import ContractError
from components.contracts.evaluation_report import EvaluationReport
from components.contracts.model_manifest import ModelManifest
from components.contracts.registered_version import RegisteredVersion
from components.contracts.strict_json import from_json, load

CONTRACTS: dict[str, Any] = {
    "dataset_manifest": DatasetManifest,
    "model_manifest": ModelManifest,
    "evaluation_report": EvaluationReport,
    "claim": Claim,
    "owner": Owner,
    "registered_version": RegisteredVersion,
}
NULLABLE = {
    ("evaluation_report", "champion_version"),
    *(("claim", field) for field in ("finished_at", "failed_step", "error", "blessed", "model_version")),
}
GOLDEN = Path(__file__).with_name("golden")
Place = tuple[str | int, ...]


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.json").read_bytes().decode()


def leaves(value: Any, path: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every scalar of a JSON document, with the keys and indices that lead to it."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        yield path, value
    else:
        for key, item in items:
            yield from leaves(item, (*path, key))


def containers(value: Any, path: Place = ()) -> Iterator[Place]:
    """Every object and array below the document itself."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if isinstance(item, dict | list):
            yield (*path, key)
            yield from containers(item, (*path, key))


def replaced(name: str, path: Place, value: Any) -> str:
    """The golden text with one value replaced."""
    document = json.loads(golden(name))
    target = document
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return json.dumps(document)


def shown(path: Place) -> str:
    """`splits.train.shards[0].name`"""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


def refusal(name: str, text: str) -> str:
    """What from_json says when it refuses the text, which it must."""
    with pytest.raises(ContractError) as caught:
        from_json(CONTRACTS[name], text, "folder/file.json")
    message = str(caught.value)
    assert message.startswith("folder/file.json: ")
    assert "\n" not in message
    return message


EVERY_LEAF = [
    pytest.param(name, path, value, id=f"{name}:{shown(path)}")
    for name in CONTRACTS
    for path, value in leaves(json.loads(golden(name)))
    if path != ("schema_version",)
]
EVERY_CONTAINER = [
    pytest.param(name, path, id=f"{name}:{shown(path)}")
    for name in CONTRACTS
    for path in containers(json.loads(golden(name)))
]
EVERY_FIELD = [
    pytest.param(name, field, id=f"{name}:{field}")
    for name in CONTRACTS
    for field in json.loads(golden(name))
    if field != "schema_version"
]
EVERY_CONTRACT = pytest.mark.parametrize("name", CONTRACTS)


@pytest.mark.parametrize(("name", "path", "value"), EVERY_LEAF)
def test_a_scalar_of_another_type_is_refused(name: str, path: Place, value: Any) -> None:
    wrong: Any = 1 if isinstance(value, bool) else {"a": 1} if value is None else True
    message = refusal(name, replaced(name, path, wrong))
    assert f": {shown(path)}: " in message
    assert message.endswith(f"is wanted, {json.dumps(wrong)} was received")


@pytest.mark.parametrize(("name", "path", "value"), EVERY_LEAF)
def test_null_is_taken_only_where_it_is_optional(name: str, path: Place, value: Any) -> None:
    text = replaced(name, path, None)
    if (name, path[-1]) in NULLABLE:
        from_json(CONTRACTS[name], text, "file.json")
    else:
        message = refusal(name, text)
        assert f": {shown(path)}: " in message
        assert message.endswith("null was received")


@pytest.mark.parametrize(("name", "path"), EVERY_CONTAINER)
def test_text_in_the_place_of_an_object_or_an_array_is_refused(name: str, path: Place) -> None:
    message = refusal(name, replaced(name, path, "text"))
    assert f": {shown(path)}: " in message
    assert message.endswith('"text" was received')


@pytest.mark.parametrize(("name", "field"), EVERY_FIELD)
def test_a_missing_key_is_refused(name: str, field: str) -> None:
    document = json.loads(golden(name))
    del document[field]
    assert refusal(name, json.dumps(document)) == f"folder/file.json: {field}: missing"


@EVERY_CONTRACT
def test_an_unknown_key_is_refused_with_its_value_and_the_known_ones(name: str) -> None:
    message = refusal(name, replaced(name, ("colour",), "green"))
    assert ': colour: unknown key (value "green"); known: ' in message
    assert next(field for field in json.loads(golden(name)) if field != "schema_version") in message


def test_an_unknown_or_a_missing_key_deep_inside_is_named_with_its_place() -> None:
    unknown = replaced("dataset_manifest", ("splits", "train", "shards", 1, "colour"), 7)
    assert ": splits.train.shards[1].colour: unknown key (value 7)" in refusal("dataset_manifest", unknown)
    missing = replaced("dataset_manifest", ("splits", "test"), {"expression": "test", "num_bytes": 1, "shards": []})
    assert refusal("dataset_manifest", missing).endswith(": splits.test.num_examples: missing")


@EVERY_CONTRACT
@pytest.mark.parametrize("version", [0, 2, "1", None, True, [1]])
def test_another_schema_version_is_refused(name: str, version: Any) -> None:
    message = refusal(name, replaced(name, ("schema_version",), version))
    assert message.endswith(f"schema_version: 1 is wanted, {json.dumps(version)} was received")


@EVERY_CONTRACT
def test_a_document_without_schema_version_is_refused(name: str) -> None:
    document = json.loads(golden(name))
    del document["schema_version"]
    assert refusal(name, json.dumps(document)).endswith("schema_version: 1 is wanted, null was received")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_does_not_know_is_refused(number: str) -> None:
    text = golden("evaluation_report").replace("0.03125", number)
    assert number in refusal("evaluation_report", text)


def test_a_key_that_stands_twice_is_refused() -> None:
    """A parser that keeps the last one would drop a value that somebody wrote."""
    text = golden("owner").replace('"job_id"', '"job_id": "another", "job_id"')
    assert "job_id" in refusal("owner", text)


def test_a_whole_number_is_taken_for_a_fraction_and_becomes_one() -> None:
    report = from_json(EvaluationReport, replaced("evaluation_report", ("log_loss",), 1), "file.json")
    assert report.log_loss == 1.0
    assert isinstance(report.log_loss, float)


@pytest.mark.parametrize("text", ["", "{", "{'a': 1}", golden("owner")[:-3], golden("owner") + "x"])
def test_text_that_is_no_json_is_refused(text: str) -> None:
    assert ": not JSON (" in refusal("owner", text)


@pytest.mark.parametrize("text", ["[]", "null", "1", '"text"'])
def test_json_that_is_no_object_is_refused(text: str) -> None:
    assert refusal("owner", text).endswith(f"an object is wanted, {text} was received")


def test_a_file_that_is_not_utf_8_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "owner.json"
    path.write_bytes(golden("owner").encode("utf-16"))
    with pytest.raises(ContractError) as caught:
        load(Owner, path)
    assert str(caught.value).startswith(f"{path}: not UTF-8 (")


def test_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        load(Owner, tmp_path / "owner.json")
    assert str(caught.value) == f"{tmp_path / 'owner.json'}: there is no such file"


def test_a_long_value_is_cut_in_the_message() -> None:
    message = refusal("owner", replaced("owner", ("job_id",), ["x" * 1000]))
    assert len(message) < 200
