"""The OpenAPI document of the registration API: what openapi.yaml beside this module says, with the version of today."""

import functools
from importlib import resources
from typing import Any

import yaml

import speeddata

__all__ = ["document"]


@functools.cache
def document() -> dict[str, Any]:
    """The document; not to be changed."""
    text = resources.files("speeddata.registry").joinpath("openapi.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.safe_load(text)
    read["info"]["version"] = speeddata.__version__
    return read
