"""The official package, loaded piece by piece: it imports its 1,400 modules at once, which takes five seconds.

Empty packages with the official folders stand in for its own `__init__` modules, so that a module brings only what it
needs itself. They are in `sys.modules` only while something is loaded: other tests may use the whole package.
"""

import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

_loaded: dict[str, ModuleType] = {}


def _names() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] == "mixpeek"]


@contextmanager
def _loading() -> Iterator[None]:
    others = {name: sys.modules.pop(name) for name in _names()}
    sys.modules.update(_loaded)
    try:
        yield
    finally:
        _loaded.update({name: sys.modules.pop(name) for name in _names()})
        sys.modules.update(others)


def _load(module: str) -> Any:
    with _loading():
        return importlib.import_module(module)


def _package(name: str, folder: Path) -> Any:
    package: Any = ModuleType(name)
    package.__path__ = [str(folder)]
    _loaded[name] = package
    return package


def _packages() -> Any:
    spec = importlib.util.find_spec("mixpeek")
    assert spec is not None, "the extra `tests` brings the official package"
    (folder,) = map(Path, spec.submodule_search_locations or [])
    imports = re.findall(r"from (\S+) import (\w+)", (folder / "models" / "__init__.py").read_text("utf-8"))
    module_of = {name: module for module, name in imports}

    def load_model(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(name)
        return getattr(_load(module_of[name]), name)

    models = _package("mixpeek.models", folder / "models")
    models.__getattr__ = load_model
    _package("mixpeek.api", folder / "api")
    _package("mixpeek", folder).models = models
    return models


MODELS = _packages()
"""Has every official model as an attribute."""


def official_api(module: str, name: str, *, url: str, key: str, namespace: str) -> Any:
    """An instance of one of the official client's classes, for the server at `url`."""
    configuration = _load("mixpeek.configuration").Configuration(
        host=url, access_token=key, api_key={"NamespaceHeader": namespace}
    )
    return getattr(_load(f"mixpeek.api.{module}"), name)(_load("mixpeek.api_client").ApiClient(configuration))
