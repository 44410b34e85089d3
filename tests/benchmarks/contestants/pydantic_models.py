"""The page as pydantic models with the same fields as ours. Keys that have no field are dropped, which is cheapest."""

import importlib
from typing import Any, get_origin

import attrs

from mixpeek_async import Object
from mixpeek_async._model import Model, inner_model, json_fields

__all__ = ["page_model"]


def page_model() -> Any:
    """The model of a whole answer; `model_validate_json` is the fastest way into it."""
    create = importlib.import_module("pydantic").create_model
    pagination = create("Pagination", next_cursor=(str | None, None))
    return create("ListAnswer", results=(list[_model(create, Object)], ...), pagination=(pagination, ...))  # type: ignore[misc]  # at run time


def _model(create: Any, cls: type[Model]) -> Any:
    return create(
        cls.__name__,
        **{field.name: (_type(create, field.type), _default(field.default)) for field in json_fields(cls)},
    )


def _type(create: Any, hint: Any) -> Any:
    inner = inner_model(hint)
    if inner is None:
        return hint
    model: Any = _model(create, inner)
    return list.__class_getitem__(model) if get_origin(hint) is list else model | None


def _default(default: Any) -> Any:
    if default is attrs.NOTHING:
        return ...
    return [] if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]  # at run time
