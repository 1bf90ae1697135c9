"""The judge of shapes: aiogram's models of the Bot API, for what comes in and for what goes out."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from aiogram import methods, types
from aiogram.methods.base import TelegramMethod
from pydantic import BaseModel, TypeAdapter, ValidationError

from tests.fakes.telegram.wire import Json

Model = type[TelegramMethod[Any]]

_ABSENT = (None, "")


class Broken(Exception):
    """Parameters that the Bot API does not take."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with the call."""

    name: str
    data: bytes
    mime: str = ""

    def __repr__(self) -> str:
        return f"<{self.name}, {len(self.data)} bytes>"


def _models() -> dict[str, Model]:
    found = [getattr(methods, name) for name in methods.__all__]
    return {
        model.__api_method__.lower(): model
        for model in found
        if isinstance(model, type) and issubclass(model, TelegramMethod) and model is not TelegramMethod
    }


MODELS = _models()


def model_of(method: str) -> Model | None:
    """Method names have no case."""
    return MODELS.get(method.lower())


def _plain_types(annotation: Any) -> Iterator[Any]:
    inner = get_args(annotation)
    if not inner or annotation in (list, dict) or getattr(annotation, "__origin__", None) in (list, dict):
        yield annotation
        return
    for each in inner:
        yield from _plain_types(each)


def _decoded(text: str, annotation: Any) -> Any:
    """A form knows only text: read it as what the parameter is."""
    kinds = set(_plain_types(annotation))
    if str in kinds:
        number = int in kinds and text.removeprefix("-").isdecimal()
        return int(text) if number else text
    if types.InputFile in kinds:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _unknown(value: Any, path: str) -> Iterator[str]:
    """Fields that a model took without knowing them."""
    if isinstance(value, BaseModel):
        yield from (f"{path}{name}" for name in value.model_extra or {})
        for name in value.model_fields_set & set(type(value).model_fields):
            yield from _unknown(getattr(value, name), f"{path}{name}.")
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _unknown(each, f"{path.removesuffix('.')}[{place}].")


def _told(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _for_model(value: Any) -> Any:
    return types.BufferedInputFile(value.data, value.name) if isinstance(value, Upload) else value


def judge(model: Model, given: Mapping[str, Any]) -> Json:
    """The parameters as values; `Broken` if the Bot API has no such call."""
    parameters: Json = {}
    for name, raw in given.items():
        field = model.model_fields.get(name)
        if field is None:
            raise Broken(f"unknown parameter {name}")
        value = _decoded(raw, field.annotation) if isinstance(raw, str) else raw
        if value in _ABSENT and not field.is_required():
            continue
        parameters[name] = value
    try:
        made = model.model_validate({name: _for_model(value) for name, value in parameters.items()})
    except ValidationError as error:
        raise Broken(_told(error)) from None
    strange = sorted(_unknown(made, ""))
    if strange:
        raise Broken(f"unknown field {strange[0]}")
    return parameters


@cache
def _adapter(model: Model) -> TypeAdapter[Any]:
    return TypeAdapter(model.__returning__)


def _shape(made: Any, what: str) -> None:
    strange = sorted(_unknown(made, ""))
    if strange:
        raise AssertionError(f"the fake answers {what} with an unknown field {strange[0]}")


def check_result(model: Model, result: Any) -> None:
    """An answer of this fake has the shape the documentation promises, or the fake is wrong."""
    _shape(_adapter(model).validate_python(result), model.__api_method__)


def check_update(update: Json) -> None:
    _shape(types.Update.model_validate(update), "getUpdates")
