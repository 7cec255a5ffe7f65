"""Frozen dataclasses to JSON and back, strictly: what is not known is refused, never dropped.

A contract is a frozen dataclass with a class variable `SCHEMA_VERSION`. Its fields are scalars, optional scalars,
other frozen dataclasses, tuples of those, or string-keyed dicts of those.
"""

import dataclasses
import json
import types
import typing
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from components.contracts.errors import ContractError
from components.contracts.files import write_atomically


class Contract(Protocol):
    """What `load` and `save` take: a dataclass that states its version."""

    SCHEMA_VERSION: ClassVar[int]
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]


ContractT = TypeVar("ContractT", bound=Contract)


def to_json(contract: Contract) -> str:
    """Indented JSON, keys in the order of the fields, `schema_version` first; equal contracts give equal text."""
    content = {"schema_version": contract.SCHEMA_VERSION, **dataclasses.asdict(contract)}
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(contract_type: type[ContractT], text: str, source: str) -> ContractT:
    """The contract in `text`; `source` is the name that errors give it, usually the file's.

    Raises ContractError, with the file, the field and the value received, for text that is no JSON, another
    schema version, an unknown or a missing key, and a value of another type.
    """
    try:
        content = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except ValueError as error:  # JSONDecodeError is one
        raise ContractError(f"{source}: not JSON ({error})") from error
    if not isinstance(content, dict):
        raise ContractError(f"{source}: an object is wanted, {_shown(content)} was received")
    version = content.pop("schema_version", None)
    if type(version) is not int or version != contract_type.SCHEMA_VERSION:  # True equals 1
        raise ContractError(
            f"{source}: schema_version: {contract_type.SCHEMA_VERSION} is wanted, {_shown(version)} was received"
        )
    value: ContractT = _parsed(contract_type, content, source, "")
    return value


def save(contract: Contract, path: Path) -> None:
    """Writes the contract whole or not at all."""
    write_atomically(path, to_json(contract).encode())


def load(contract_type: type[ContractT], path: Path) -> ContractT:
    """The contract in a file. Raises ContractError as `from_json` does, and where there is no such file."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError as error:
        raise ContractError(f"{path}: there is no such file") from error
    except UnicodeDecodeError as error:
        raise ContractError(f"{path}: not UTF-8 ({error.reason} at byte {error.start})") from error
    return from_json(contract_type, text, str(path))


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in keys if keys.count(key) > 1)!r} stands twice")
    return content


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _parsed(wanted: Any, value: Any, source: str, field: str) -> Any:
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is types.UnionType:  # only `X | None` is used
        inner = next(argument for argument in arguments if argument is not types.NoneType)
        return None if value is None else _parsed(inner, value, source, field)
    if dataclasses.is_dataclass(wanted):
        return _parsed_dataclass(wanted, value, source, field)
    if origin is tuple:
        _check_type(list, value, source, field)
        return tuple(_parsed(arguments[0], item, source, f"{field}[{index}]") for index, item in enumerate(value))
    if origin is dict:
        _check_type(dict, value, source, field)
        return {key: _parsed(arguments[1], item, source, f"{field}.{key}") for key, item in value.items()}
    if wanted is float and type(value) is int:
        return float(value)
    _check_type(wanted, value, source, field)
    return value


def _parsed_dataclass(wanted: Any, value: Any, source: str, field: str) -> Any:
    _check_type(dict, value, source, field)
    prefix = f"{field}." if field else ""
    hints = typing.get_type_hints(wanted)
    hints = {field.name: hints[field.name] for field in dataclasses.fields(wanted)}
    for key in value:
        if key not in hints:
            raise ContractError(
                f"{source}: {prefix}{key}: unknown key (value {_shown(value[key])}); known: {', '.join(hints)}"
            )
    for name in hints:
        if name not in value:
            raise ContractError(f"{source}: {prefix}{name}: missing")
    return wanted(**{name: _parsed(hint, value[name], source, prefix + name) for name, hint in hints.items()})


def _check_type(wanted: type, value: Any, source: str, field: str) -> None:
    if type(value) is not wanted:  # `isinstance` would take True for the integer 1
        names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
        raise ContractError(f"{source}: {field or 'content'}: {names[wanted]} is wanted, {_shown(value)} was received")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
