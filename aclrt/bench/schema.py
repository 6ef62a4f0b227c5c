# SPDX-License-Identifier: Apache-2.0
"""The JSON documents of the benchmark, as JSON Schema, and the check of a document against one.

A field that is added keeps the number; one that goes or changes its meaning raises it.
"""

from __future__ import annotations

from typing import Any

from ..errors import InputError

__all__ = ["CONFIG", "DIFF", "PROFILE", "REPORT", "SCHEMAS", "check"]

REPORT, CONFIG, DIFF = "aclrt-bench/1", "aclrt-bench-config/1", "aclrt-bench-diff/1"
PROFILE = "aclrt-profile/1"  # of aclrt.Profiler

_Schema = dict[str, Any]
_TEXT: _Schema = {"type": "string"}
_WHOLE: _Schema = {"type": "integer"}
_NUMBER: _Schema = {"type": "number"}
_FLAG: _Schema = {"type": "boolean"}


def _or_null(schema: _Schema) -> _Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _list(items: _Schema) -> _Schema:
    return {"type": "array", "items": items}


_LATER = ("streams",)  # fields that reports of earlier versions do not have


def _object(**properties: _Schema) -> _Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in _LATER],
        "additionalProperties": False,
    }


_SUMMARY = _object(
    count=_WHOLE,
    mean_ms=_NUMBER,
    std_ms=_NUMBER,
    min_ms=_NUMBER,
    max_ms=_NUMBER,
    percentiles={"type": "object", "additionalProperties": _NUMBER},
)
_FIGURE = _or_null(_NUMBER)
_PHASE = _object(
    name=_TEXT,
    count=_WHOLE,
    mean_ms=_FIGURE,
    min_ms=_FIGURE,
    p50_ms=_FIGURE,
    max_ms=_FIGURE,
    note=_TEXT,
)
_RUN = _object(
    model=_TEXT,
    backend=_TEXT,
    devices=_list(_WHOLE),
    soc_name=_TEXT,
    batch=_WHOLE,
    shape=_TEXT,
    threads=_WHOLE,
    instances=_WHOLE,
    streams=_or_null(_WHOLE),
    in_flight=_WHOLE,
    transfers=_FLAG,
    rate=_FIGURE,
    data=_TEXT,
    iterations=_WHOLE,
    warmup=_WHOLE,
    is_partial=_FLAG,
    phases=_list(_PHASE),
    latency=_SUMMARY,
    service=_SUMMARY,
    wall_s=_NUMBER,
    throughput_per_s=_NUMBER,
    samples_per_s=_NUMBER,
    memory=_object(
        host_before_load_bytes=_WHOLE,
        host_after_load_bytes=_WHOLE,
        host_after_run_bytes=_WHOLE,
        host_peak_bytes=_WHOLE,
        device_used_bytes=_or_null(_WHOLE),
        device_total_bytes=_WHOLE,
    ),
    power=_or_null(
        _object(
            readings=_WHOLE,
            before_w=_NUMBER,
            mean_w=_NUMBER,
            max_w=_NUMBER,
            joule_per_inference=_NUMBER,
        )
    ),
    timeline=_list(_object(row=_TEXT, begin_ns=_WHOLE, end_ns=_WHOLE)),
    cautions=_list(_TEXT),
    samples=_object(
        latency_ns=_list(_WHOLE),
        begin_ns=_list(_WHOLE),
        end_ns=_list(_WHOLE),
        worker=_list(_WHOLE),
    ),
)
_SETTINGS: dict[str, _Schema] = {
    "models": _list(_TEXT),
    "batch_sizes": _list(_WHOLE),
    "iterations": _or_null(_WHOLE),
    "duration_s": _FIGURE,
    "warmup": _WHOLE,
    "warmup_s": _NUMBER,
    "input_files": _list(_TEXT),
    "fills": _list(_TEXT),
    "seed": _WHOLE,
    "shapes": _list(_TEXT),
    "repeat": _WHOLE,
    "devices": _list(_WHOLE),
    "threads": _or_null(_WHOLE),
    "instances": _WHOLE,
    "streams": _or_null(_WHOLE),
    "in_flight": _WHOLE,
    "transfers": _FLAG,
    "rate": _FIGURE,
    "percentiles": _list(_NUMBER),
    "power": _FLAG,
    "backend": _or_null(_TEXT),
    "goal": _or_null(_TEXT),
    "max_workers": _WHOLE,
    "search_batch": _FLAG,
}
_MACHINE = _object(
    cpu=_TEXT,
    cores=_WHOLE,
    memory_bytes=_WHOLE,
    load_average=_NUMBER,
    platform=_TEXT,
    python=_TEXT,
    numpy=_TEXT,
    aclrt=_TEXT,
    backend=_TEXT,
    library=_TEXT,
    acl_version=_or_null(_TEXT),
    soc_name=_TEXT,
    fake_profile=_or_null(_TEXT),
)
_CHANGE = _object(
    metric=_TEXT,
    old=_NUMBER,
    new=_NUMBER,
    change=_NUMBER,
    low=_NUMBER,
    high=_NUMBER,
    verdict=_TEXT,
)

SCHEMAS: dict[str, _Schema] = {
    REPORT: _object(
        schema={"const": REPORT},
        created=_TEXT,
        is_partial=_FLAG,
        machine=_MACHINE,
        config=_object(**_SETTINGS),
        best=_or_null(_WHOLE),
        skipped=_list(_TEXT),
        runs=_list(_RUN),
    ),
    CONFIG: {
        "type": "object",
        "properties": {"schema": {"const": CONFIG}, **_SETTINGS},
        "required": ["schema"],
        "additionalProperties": False,
    },
    PROFILE: _object(
        schema={"const": PROFILE},
        wall_s=_NUMBER,
        phases=_list(
            _object(
                name=_TEXT,
                count=_WHOLE,
                total_s=_NUMBER,
                mean_ms=_NUMBER,
                min_ms=_NUMBER,
                max_ms=_NUMBER,
                percentiles={"type": "object", "additionalProperties": _NUMBER},
                per_s=_NUMBER,
                host_peak_bytes=_or_null(_WHOLE),
                device_peak_bytes=_or_null(_WHOLE),
            )
        ),
    ),
    DIFF: _object(
        schema={"const": DIFF},
        old=_TEXT,
        new=_TEXT,
        fail_on=_NUMBER,
        confidence=_NUMBER,
        ok=_FLAG,
        runs=_list(_object(name=_TEXT, changes=_list(_CHANGE))),
        cautions=_list(_TEXT),
    ),
}

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def check(document: Any, schema: str, where: str) -> None:
    """Refuses a document that is not of a schema.

    Args:
        document: What was read.
        schema: The name of the schema: a key of ``SCHEMAS``.
        where: What to call the document.

    Raises:
        InputError: It differs; the message names the field.
    """
    found = document.get("schema") if isinstance(document, dict) else None
    if found != schema:
        raise InputError(
            f"{where} is no {schema} document: its schema is {found!r}",
            hint="`aclrt bench --json` writes reports, --save-config configurations",
        )
    _check(document, SCHEMAS[schema], "", where)


def _check(value: Any, schema: _Schema, at: str, where: str) -> None:
    if "const" in schema:
        return  # the schema's own name
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    allowed = tuple(t for kind in kinds for t in _TYPES[kind])
    if not isinstance(value, allowed) or (isinstance(value, bool) and "boolean" not in kinds):
        words = " or ".join(kinds)
        raise InputError(f"{where}: {at} must be {words}, not {type(value).__name__}")
    if isinstance(value, list):
        items = schema["items"]
        plain = items.get("type") == "integer"
        if plain and set(map(type, value)) <= {int}:
            return  # samples: very many
        for index, item in enumerate(value):
            _check(item, items, f"{at}[{index}]", where)
    elif isinstance(value, dict):
        known, further = schema.get("properties", {}), schema["additionalProperties"]
        for name in schema.get("required", ()):
            if name not in value:
                raise InputError(f"{where}: {at}.{name} is missing".replace(": .", ": "))
        for name, item in value.items():
            below = known.get(name, further)
            if below is False:
                raise InputError(f"{where}: {at}.{name} is unknown".replace(": .", ": "))
            _check(item, below, f"{at}.{name}".lstrip("."), where)
