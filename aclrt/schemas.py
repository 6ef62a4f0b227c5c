# SPDX-License-Identifier: Apache-2.0
"""The JSON documents of the tools, as JSON Schema (2020-12).

>>> from aclrt import schemas
>>> "aclrt-doctor/1" in schemas.NAMES
True

Every document names its schema in the field ``schema``. A field that is added keeps the number;
one that goes or changes its meaning raises it. ``aclrt schema NAME`` prints one.
"""

from __future__ import annotations

from typing import Any

from .bench.schema import SCHEMAS as _BENCH
from .errors import InputError

__all__ = ["NAMES", "schema"]

_Schema = dict[str, Any]
_TEXT: _Schema = {"type": "string"}
_WHOLE: _Schema = {"type": "integer"}
_NUMBER: _Schema = {"type": "number"}
_FLAG: _Schema = {"type": "boolean"}
_ANY: _Schema = {}


def _or_null(schema: _Schema) -> _Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _list(items: _Schema) -> _Schema:
    return {"type": "array", "items": items}


def _map(values: _Schema) -> _Schema:
    return {"type": "object", "additionalProperties": values}


def _one_of(*words: str) -> _Schema:
    return {"type": "string", "enum": list(words)}


def _object(**properties: _Schema) -> _Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_TEXT_OR_NULL, _WHOLE_OR_NULL, _NUMBER_OR_NULL = map(_or_null, (_TEXT, _WHOLE, _NUMBER))
_NUMBERS_OR_NULL = _or_null(_list(_NUMBER))
_PROBLEM = _object(severity=_one_of("error", "warning"), problem=_TEXT, next_step=_TEXT)
_PLACE = _object(path=_TEXT_OR_NULL, version=_TEXT_OR_NULL)
_FAILURE = _object(function=_TEXT, nth=_WHOLE, code=_WHOLE, message=_TEXT)
_FILE = _object(path=_TEXT, problem=_TEXT_OR_NULL)

_DOCTOR: dict[str, _Schema] = {
    "ok": _FLAG,
    "backend": _or_null(
        _object(
            name=_one_of("npu", "fake"),
            reason=_TEXT,
            library=_TEXT,
            is_default=_FLAG,
            is_adopted=_FLAG,
            acl_version=_TEXT_OR_NULL,
            soc_name=_TEXT,
            device_count=_WHOLE,
        )
    ),
    "trail": _list(_object(place=_TEXT, outcome=_TEXT)),
    "devices": _list(_object(id=_WHOLE, soc_name=_TEXT, memory_free=_WHOLE, memory_total=_WHOLE)),
    "package": _object(
        path=_TEXT, extension=_FILE, library=_FILE, usable=_FLAG, error=_TEXT_OR_NULL
    ),
    "libraries": _object(aclrt=_TEXT_OR_NULL, ascendcl=_TEXT_OR_NULL, onnxruntime=_TEXT_OR_NULL),
    "versions": _map(_TEXT_OR_NULL),
    "environment": _map(_TEXT),
    "machine": _object(
        driver=_PLACE,
        firmware=_PLACE,
        npu_smi=_object(
            path=_TEXT_OR_NULL,
            text=_TEXT_OR_NULL,
            error=_TEXT_OR_NULL,
            version=_TEXT_OR_NULL,
            cards=_list(_object(npu=_WHOLE, name=_TEXT, health=_TEXT, chip=_WHOLE, bus_id=_TEXT)),
        ),
        installs=_list(
            _object(
                path=_TEXT,
                layout=_one_of("new", "old", "nnrt", "nnae", "pip", "conda", "variable"),
                source=_TEXT,
                version=_TEXT_OR_NULL,
                library=_TEXT_OR_NULL,
                exists=_FLAG,
                wins=_FLAG,
                problem=_TEXT_OR_NULL,
            )
        ),
        device_files=_list(
            _object(
                path=_TEXT,
                exists=_FLAG,
                mode=_TEXT_OR_NULL,
                owner=_TEXT_OR_NULL,
                group=_TEXT_OR_NULL,
                usable=_FLAG,
            )
        ),
        user=_object(uid=_WHOLE, name=_TEXT, groups=_list(_TEXT)),
        container=_object(inside=_FLAG, hints=_list(_TEXT)),
        visible_devices=_object(
            value=_TEXT_OR_NULL,
            physical=_list(_WHOLE),
            problems=_list(_object(problem=_TEXT, next_step=_TEXT)),
        ),
        unseen=_list(_TEXT),
    ),
    "problems": _list(_PROBLEM),
}

_EXPLAIN: dict[str, _Schema] = {
    "codes": _list(
        _object(
            code=_WHOLE,
            name=_TEXT,
            layer=_TEXT,
            category=_TEXT,
            meaning=_TEXT,
            causes=_list(_TEXT),
            hint=_TEXT,
            exception=_TEXT,
        )
    ),
    "messages": _list(
        _object(id=_TEXT, part=_TEXT, meaning=_TEXT, causes=_list(_TEXT), hint=_TEXT)
    ),
    "checks": _list(
        _object(
            id=_TEXT,
            kind=_one_of("error", "notice", "hint"),
            codes=_TEXT,
            meaning=_TEXT,
            hint=_TEXT,
        )
    ),
    "unknown": _list(_object(text=_TEXT, layer=_TEXT, category=_TEXT, near=_list(_TEXT))),
}

_CENSUS = _object(nan=_WHOLE, posinf=_WHOLE, neginf=_WHOLE)
_SIDE = _object(path=_TEXT, kind=_one_of("om", "onnx", "saved"))
_COMPARE: dict[str, _Schema] = {
    "passed": _FLAG,
    "first": _SIDE,
    "second": _SIDE,
    "cases": _list(
        _object(
            label=_TEXT,
            passed=_FLAG,
            outputs=_list(
                _object(
                    name=_TEXT,
                    reference_name=_TEXT,
                    dtype=_TEXT,
                    reference_dtype=_TEXT,
                    shape=_list(_WHOLE),
                    reference_shape=_list(_WHOLE),
                    passed=_FLAG,
                    reasons=_list(_TEXT),
                    max_abs=_NUMBER_OR_NULL,
                    max_rel=_NUMBER_OR_NULL,
                    mean_abs=_NUMBER_OR_NULL,
                    worst=_or_null(_list(_WHOLE)),
                    worst_values=_or_null(_list({"type": ["number", "string"]})),
                    cosine=_NUMBER_OR_NULL,
                    exceeding=_WHOLE,
                    elements=_WHOLE,
                    ulp=_map(_WHOLE),
                    max_ulp=_WHOLE_OR_NULL,
                    top1=_NUMBER_OR_NULL,
                    top5=_NUMBER_OR_NULL,
                    census=_CENSUS,
                    reference_census=_CENSUS,
                    nonfinite_mismatches=_WHOLE,
                    tolerance=_object(
                        atol=_NUMBER, rtol=_NUMBER, cosine=_NUMBER, top1=_NUMBER, exceed=_NUMBER
                    ),
                )
            ),
        )
    ),
    "cautions": _list(_TEXT),
    "advice": _list(_TEXT),
}

_FED = {"name": _TEXT, "dtype": _TEXT, "shape": _list(_WHOLE)}
_RUN: dict[str, _Schema] = {
    "model": _TEXT,
    "device": _object(id=_WHOLE, backend=_one_of("npu", "fake"), soc_name=_TEXT),
    "inputs": _list(_object(**_FED, source=_TEXT)),
    "outputs": _list(_object(**_FED, file=_TEXT_OR_NULL)),
}

_TENSOR = _object(
    name=_TEXT,
    dtype=_TEXT,
    shape=_list(_WHOLE),
    format=_TEXT,
    nbytes=_WHOLE,
    dynamic=_FLAG,
    acl_name=_TEXT,
    shape_v2=_list(_WHOLE),
    range=_list(_list(_WHOLE)),
)
_PIXELS = _or_null(
    _object(name=_TEXT, format=_TEXT, dtype=_TEXT, nbytes=_WHOLE, shape=_list(_WHOLE))
)
_GRAPHS = _list(_object(name=_TEXT, operator_count=_WHOLE))
_PARTITIONS = _list(_object(type=_WHOLE, name=_TEXT, offset=_WHOLE, size=_WHOLE))
_PIECES = {
    "inputs": _list(_TENSOR),
    "outputs": _list(_TENSOR),
    "io_problem": _TEXT,
    "graphs": _GRAPHS,
    "attributes": {"type": "object"},
    "partitions": _PARTITIONS,
}
_AIPP = _object(
    input=_TEXT,
    mode=_one_of("static", "dynamic"),
    description=_TEXT,
    parameter_input=_TEXT,
    has_parameters=_FLAG,
    max_src_image_size=_WHOLE,
    support_rotation=_FLAG,
    input_format=_TEXT,
    src_image_size=_NUMBERS_OR_NULL,
    crop=_NUMBERS_OR_NULL,
    resize=_NUMBERS_OR_NULL,
    padding=_NUMBERS_OR_NULL,
    padding_value=_NUMBER,
    cpadding_value=_NUMBER_OR_NULL,
    csc_matrix=_or_null(_list(_ANY)),
    csc_input_bias=_NUMBERS_OR_NULL,
    csc_output_bias=_NUMBERS_OR_NULL,
    rbuv_swap=_FLAG,
    ax_swap=_FLAG,
    mean=_list(_NUMBER),
    min=_list(_NUMBER),
    var_reci=_list(_NUMBER),
    network_input=_PIXELS,
    output=_PIXELS,
)
_INSPECT: dict[str, _Schema] = {
    "name": _TEXT,
    "generation": _WHOLE,
    "simulated": _FLAG,
    **_PIECES,
    "io_source": _one_of("tlv", "graph", "both", "none"),
    "disagreements": _list(_TEXT),
    "dynamic": _one_of("none", "batch", "image", "dims", "range"),
    "gears": _list(_list(_WHOLE)),
    "gear_order": _list(_TEXT),
    "output_shapes": _list(_object(gear=_WHOLE, output=_TEXT, shape=_list(_WHOLE))),
    "aipp": _list(_AIPP),
    "soc_version": _TEXT,
    "compiler_version": _TEXT,
    "opp_version": _TEXT,
    "framework": _TEXT,
    "platform_version": _TEXT,
    "command_line": _TEXT_OR_NULL,
    "work_size": _WHOLE,
    "weight_size": _WHOLE,
    "zero_copy_size": _WHOLE,
    "stream_count": _WHOLE,
    "event_count": _WHOLE,
    "task_count": _WHOLE,
    "model_count": _WHOLE,
    "unknown_shape": _FLAG,
    "needs_host_check": _FLAG,
    "onnx_size": _WHOLE,
    "operators": _map(_WHOLE),
    "sub_models": _list(_object(name=_TEXT, **_PIECES)),
}

_PARTS: dict[str, dict[str, _Schema]] = {
    "aclrt-compare/1": _COMPARE,
    "aclrt-convert/1": {
        "path": _TEXT,
        "nbytes": _WHOLE,
        "simulated": _FLAG,
        "compiler": _TEXT_OR_NULL,
        "without_effect": _list(_TEXT),
    },
    "aclrt-doctor/1": _DOCTOR,
    "aclrt-explain/1": _EXPLAIN,
    "aclrt-record/1": {
        "path": _TEXT,
        "aclrt_version": _TEXT,
        "backend": _TEXT,
        "soc_name": _TEXT_OR_NULL,
        "device_count": _WHOLE_OR_NULL,
        "threads": _WHOLE,
        "calls": _map(_WHOLE),
        "failures": _list(_FAILURE),
        "data_nbytes": _WHOLE,
    },
    "aclrt-replay/1": {
        "record": _TEXT,
        "exit_code": _WHOLE_OR_NULL,
        "came_again": _list(_FAILURE),
        "missing": _list(_FAILURE),
        "calls": _map(_WHOLE),
        "notes": _list(_TEXT),
    },
    "aclrt-fake-env/1": {"variables": _map(_TEXT)},
    "aclrt-inspect-check/1": {
        "file": _TEXT,
        "loads": _FLAG,
        "findings": _list(_object(topic=_TEXT, ok=_FLAG, text=_TEXT, hint=_TEXT)),
    },
    "aclrt-inspect-diff/1": {
        "files": _list(_TEXT),
        "differences": _list(_object(field=_TEXT, first=_ANY, second=_ANY)),
    },
    "aclrt-inspect/1": _INSPECT,
    "aclrt-run/1": _RUN,
    "aclrt-schemas/1": {"schemas": _list(_TEXT)},
}


def _document(name: str) -> _Schema:
    if name in _BENCH:
        return _BENCH[name]
    if name == "aclrt-deploy/1":
        return _object(schema={"const": name}, **_deploy())
    return _object(schema={"const": name}, **_PARTS[name])


def _deploy() -> dict[str, _Schema]:
    return {
        "created": _TEXT,
        "onnx": _TEXT,
        "output": _TEXT,
        "ok": _FLAG,
        "is_partial": _FLAG,
        "steps": _list(
            _object(
                name=_one_of("doctor", "convert", "compare", "bench"),
                status=_one_of("done", "failed", "different", "skipped", "not run", "interrupted"),
                seconds=_NUMBER,
                summary=_TEXT,
                next_step=_TEXT,
            )
        ),
        "models": _list(_object(path=_TEXT, batch=_WHOLE_OR_NULL, nbytes=_WHOLE, simulated=_FLAG)),
        "doctor": _or_null(_document("aclrt-doctor/1")),
        "comparisons": _list(_document("aclrt-compare/1")),
        "bench": _or_null(_document("aclrt-bench/1")),
        "files": _list(_TEXT),
    }


NAMES: tuple[str, ...] = tuple(sorted([*_PARTS, *_BENCH, "aclrt-deploy/1"]))


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a document.

    Args:
        name: One of ``NAMES``, as the document's field ``schema`` has it; also without ``aclrt-``
            and the number: ``"doctor"``.

    Returns:
        A new dict.

    Raises:
        InputError: There is no such document.
    """
    wanted = name if "/" in name else f"aclrt-{name.removeprefix('aclrt-')}/1"
    if wanted not in NAMES:
        short = ", ".join(each[6:].partition("/")[0] for each in NAMES)
        raise InputError(f"there is no schema {name!r}", hint=f"there are {short}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": wanted,
        **_document(wanted),
    }
