"""The official package, loaded piece by piece: it imports its 1,400 modules at once, which takes five seconds.

Empty packages with the official folders stand in for its own `__init__` modules, so that a module brings only what it
needs itself. They stay in `sys.modules`, because the official client looks up models while it runs.
"""

import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def _package(name: str, folder: Path) -> Any:
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package
    return package


def _load_packages() -> Any:
    spec = importlib.util.find_spec("mixpeek")
    assert spec is not None, "the extra `tests` brings the official package"
    (folder,) = map(Path, spec.submodule_search_locations or [])
    imports = re.findall(r"from (\S+) import (\w+)", (folder / "models" / "__init__.py").read_text("utf-8"))
    module_of = {name: module for module, name in imports}
    models = _package("mixpeek.models", folder / "models")

    def load(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(name)
        return getattr(importlib.import_module(module_of[name]), name)

    models.__getattr__ = load
    _package("mixpeek.api", folder / "api")
    _package("mixpeek", folder).models = models
    return models


MODELS = _load_packages()
"""Has every official model as an attribute."""


def official_api(module: str, name: str, *, url: str, key: str, namespace: str) -> Any:
    """An instance of one of the official client's classes, for the server at `url`."""
    configuration = importlib.import_module("mixpeek.configuration").Configuration(
        host=url, access_token=key, api_key={"NamespaceHeader": namespace}
    )
    client = importlib.import_module("mixpeek.api_client").ApiClient(configuration)
    return getattr(importlib.import_module(f"mixpeek.api.{module}"), name)(client)
