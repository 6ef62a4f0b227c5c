# SPDX-License-Identifier: Apache-2.0
"""The corpus of the .om reader: ``python tests/fuzz/corpus.py FOLDER`` writes it.

Every file is made here, the same bytes each time, and named for what it shows. ``ok-`` files are
read, ``bad-`` files are refused. Together they reach nearly every line of ``csrc/om``, so that
mutations start next to all of its code.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzz import omfile as om

FLOAT_OUT = om.net_output([om.desc()])
PLAIN = om.model_def(om.graph(om.source("x"), FLOAT_OUT))
LISTED = om.tensors(0, om.tensor("x")) + om.tensors(1, om.tensor("output_0_last_0"))

MATRICES = [
    (True, (256, 0, 359, 256, -88, -183, 256, 454, 0), (0, 128, 128)),
    (True, (256, 454, 0, 256, -88, -183, 256, 0, 359), (0, 128, 128)),  # rows exchanged
    (True, (256, 0, 0, 0, 0, 0, 0, 0, 0), (0, 0, 0)),
    (True, (1, 2, 3, 4, 5, 6, 7, 8, 9), (0, 0, 0)),
    (False, (77, 150, 29, -43, -85, 128, 128, -107, -21), (0, 128, 128)),
    (False, (77, 150, 29, 128, -107, -21, -43, -85, 128), (0, 128, 128)),
    (False, (1, 1, 1, 1, 1, 1, 1, 1, 1), (9, 9, 9)),
]


def items() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file."""
    yield from heads()
    yield from tables()
    yield from protobuf()
    yield from lists()
    yield from graphs()
    yield from gears()
    yield from aipp()
    yield from dictionaries()
    yield from simulated()


# ---- header and table ----------------------------------------------------------------------------


def heads() -> Iterator[tuple[str, bytes]]:
    good = om.file_of(PLAIN, LISTED)
    yield "ok-third-generation", good
    yield "ok-second-generation", om.file(om.table((0, PLAIN), wide=False), wide=False)
    first = om.file(om.table((0, PLAIN), wide=False), version=0x10000000, wide=False)
    yield "ok-first-generation", first
    yield "ok-host-check-unknown-shape", om.patched(good, 0xC0, b"\1\1")
    for name, size in (("nothing", 0), ("two-bytes", 2), ("magic-alone", 4), ("header-cut", 255)):
        yield f"bad-{name}", good[:size]
    yield "bad-magic", b"ELF\0" + good[4:]
    yield "bad-zip", b"PK\3\4" + good[4:]
    yield "bad-kirin", om.patched(first, 0x52, b"\3")
    for kind in (1, 3, 4, 5):
        yield f"bad-modeltype-{kind}", om.patched(good, 0x52, bytes([kind]))
    yield "bad-encrypted", om.patched(good, 0x50, b"\1")
    yield "bad-length", good + b"\0"
    yield "bad-narrow-length", first + b"\0"
    yield "bad-other-marker", om.patched(good, 0x78, b"aclrt-sim/2")


def tables() -> Iterator[tuple[str, bytes]]:
    yield "bad-no-table", om.file(om.u32(1, 0))
    for count in (0, 9, 0xFFFFFFFF):
        yield f"bad-{count}-partitions", om.file(om.u32(count, 0) + bytes(64))
    yield "bad-table-reaches-the-end", om.file(om.u32(8, 0) + bytes(64))
    whole = om.table((1, b"weights!"), (0, PLAIN))
    yield "bad-partition-too-long", om.file(om.patched(whole, 8 + 16, om.u64(1 << 40)))
    yield "bad-bytes-behind", om.file(whole + b"behind")
    yield "bad-no-model-def", om.file(om.table((1, b"weights!"), (2, b"")))
    yield "ok-weights", om.file(whole)
    kinds = [*range(3, 8), *range(9, 13), *range(20, 27), 0x4E4F4158, 99]
    for part in range(0, len(kinds), 6):
        others = [(kind, b"?") for kind in kinds[part : part + 6]]
        yield f"ok-partition-types-{part // 6}", om.file(om.table((0, PLAIN), *others))
    # Aligned partitions: only mem_offset tells where they lie.
    gap = om.u32(2, 0) + om.u32(0, 0) + om.u64(16, len(PLAIN)) + om.u32(1, 0) + om.u64(0, 16)
    yield "ok-offsets-in-another-order", om.file(gap + bytes(16) + PLAIN)
    yield (
        "bad-offsets-outside",
        om.file(om.patched(gap, 8 + 8, om.u64(1 << 30)) + bytes(20) + PLAIN),
    )
    body, second = om.table((0, PLAIN), (1, b"w")), om.table((0, PLAIN), (2, om.num(11, 8)))
    yield "ok-two-models", om.file(body, second)
    yield (
        "ok-two-models-unreadable",
        om.file(body, om.table((0, om.model_def(om.graph(om.op("x", "Data")))))),
    )
    yield "bad-second-model-without-def", om.file(body, om.table((1, b"w")))


# ---- protobuf ------------------------------------------------------------------------------------


def protobuf() -> Iterator[tuple[str, bytes]]:
    bad = {
        "varint-cut": b"\x08\xff",
        "varint-long": b"\x08" + b"\xff" * 10 + b"\1",
        "field-zero": b"\0\0",
        "field-huge": om.varint(1 << 40),
        "wire-type": b"\x0b",
        "fixed64-cut": b"\x09\0\0",
        "fixed32-cut": b"\x0d\0\0",
        "bytes-long": b"\x0a\x7f",
        "packed-cut": om.graph(om.op("x", "Add", om.data(25, b"\xff"))),
        "packed-floats": om.attrs(11, [("f", om.data(1, om.data(4, b"abc")))]),
    }
    for name, content in bad.items():
        yield f"bad-{name}", om.file_of(om.data(1, "m") + content)
    nested = b""
    for _ in range(60):
        nested = om.data(1, "n") + om.data(6, om.attrs(10, [("g", om.data(13, nested))]))
    yield "bad-nested-too-deep", om.file_of(om.data(7, nested))
    yield "bad-task-info", om.file(om.table((0, PLAIN), (2, b"\xff")))
    kinds = [
        ("float", om.of_float(0.5)),
        ("flag", om.of_bool(True)),
        ("numbers", om.of_ints([1, -1])),
        ("texts", om.of_texts(["a", "b"])),
        ("nothing", b""),
        ("empty", om.of_texts([])),
        ("tensor", om.data(12, om.data(1, om.desc()))),
        ("desc", om.data(11, om.desc())),
        ("floats", om.data(16, om.data(1, om.data(1, bytes(8))))),
        ("fixed64", b"\x09" + bytes(8)),
    ]
    texts = ["soc_version", "atc_version", "opp_version", "atc_cmdline", "framework_type"]
    numbers = ["stream_num", "event_num", "zero_copy_memory_size"]
    stated = [(name, om.of_text(name)) for name in texts]
    stated += [(name, om.of_int(7)) for name in numbers]
    unpacked = om.data(3, om.num(1, 2) + om.num(1, 3)) + om.num(2, 1)
    graph = om.graph(om.op("x", "Data", om.data(33, unpacked)), FLOAT_OUT)
    yield "ok-attributes", om.file_of(om.model_def(graph, attributes=[*stated, *kinds]))
    for number, command in enumerate(
        ["atc --soc_version=Ascend310P3 x", "atc --soc_version Ascend310", "atc --soc_version", "-"]
    ):
        attributes = [("atc_cmdline", om.of_text(command))]
        yield f"ok-command-{number}", om.file_of(om.model_def(attributes=attributes), LISTED)


# ---- MODEL_INOUT_INFO ----------------------------------------------------------------------------


def lists() -> Iterator[tuple[str, bytes]]:
    x = om.tensor("x")
    bad = {
        "record-type": om.record(7, b""),
        "record-twice": om.tensors(0, x) * 2,
        "record-cut": om.tensors(0, x)[:-1],
        "record-head-cut": b"\0\0\0",
        "tensor-count": om.record(0, om.u32(1 << 20) + x),
        "tensor-behind": om.record(0, om.u32(1) + x + b"\0"),
        "dims-length": om.record(0, om.u32(1) + om.patched(x, 20, om.u32(7))),
        "dims-rank": om.tensors(0, om.tensor("x", (1,) * 129)),
        "range-odd": om.tensors(0, om.tensor("x", span=(1,))),
        "name-cut": om.record(0, om.u32(1) + om.patched(x, 16, om.u32(99))),
        "batch-count": om.record(2, om.u32(9)),
        "batch-value": om.record(2, om.u32(1) + om.u64(-1)),
        "image-lengths": om.groups(3, [om.u64(1)], 8),
        "gear-lengths": om.record(4, om.u32(1, 9)),
        "texts-lengths": om.record(5, om.u32(9)),
    }
    for name, inout in bad.items():
        yield f"bad-{name}", om.file_of(PLAIN, inout)
    odd = om.tensor("x", (-1, 0), dtype=99, layout=0xFFFFFFFF, span=(1, 4, 1, 4))
    yield "ok-odd-tensor", om.file_of(om.model_def(), om.tensors(0, odd))
    yield (
        "ok-list-differs",
        om.file_of(
            PLAIN,
            om.tensors(
                0,
                om.tensor(
                    "other" * 60,
                    (-1, 3),
                    size=5,
                    layout=99,
                    dtype=1,
                    dims_v2=(6,),
                    span=(1, 2, 3, 3),
                ),
                x,
            )
            + om.tensors(1, om.tensor("output_0_last_0", dtype=77))
            + om.record(2, om.u32(2) + om.u64(1, 2))
            + om.groups(5, [b"0,0,1", b"9,9,1", b"x", b"99999999999999999999,1"])
            + om.groups(6, [b"x"]),
        ),
    )
    many = [om.tensor(f"t{i}", (i,)) for i in range(120)]
    graph = om.graph(*(om.source(f"s{i}", i) for i in range(120)), FLOAT_OUT)
    yield "ok-many-differences", om.file_of(om.model_def(graph), om.tensors(0, *many))
    unreadable = om.model_def(om.graph(om.op("x", "Data")))
    yield "ok-graph-not-comparable", om.file_of(unreadable, LISTED)


# ---- graphs --------------------------------------------------------------------------------------


def graphs() -> Iterator[tuple[str, bytes]]:
    def of(*ops: bytes, unknown: bool = False, attributes: om.Attrs = ()) -> bytes:
        return om.file_of(
            om.model_def(om.graph(*ops), attributes=attributes), unknown_shape=unknown
        )

    yield "ok-empty-model-def", om.file_of(b"")
    yield "ok-no-graph", om.file_of(om.model_def())
    yield "ok-no-outputs", of(om.source("x"))
    yield "ok-no-inputs", of(FLOAT_OUT)
    yield "ok-input-without-descriptor", of(om.op("x" * 300, "Data"), FLOAT_OUT)
    yield "ok-index-twice", of(om.source("a", 1), om.source("b", 1), FLOAT_OUT)
    yield "ok-rank", of(om.source("x", 0, om.desc((1,) * 129)), FLOAT_OUT)
    for number, name in enumerate(
        [b'\1\b\f\n\r\t"\\', b"\xff\xc3", "ä€😀".encode(), b"\xe2\x28\xa1", b"\xed\xa0\x80"]
    ):
        named = om.source("?" * len(name)).replace(b"?" * len(name), name)
        yield f"ok-name-{number}", of(named, FLOAT_OUT)
    yield (
        "ok-inputs-out-of-order",
        of(om.source("b", 1), om.source("a", 0), om.source("c", None, kind="AnnData"), FLOAT_OUT),
    )
    yield "ok-source-names-missing", of(om.source("x"), om.net_output([om.desc()], names=0))
    yield "ok-source-indices-missing", of(om.source("x"), om.net_output([om.desc()], indices=0))
    named = [("attr_model_out_nodes_name", om.of_texts(["a:0:probs", "plain"]))]
    yield "ok-output-names", of(om.net_output([om.desc(), om.desc()]), attributes=named)
    special = [
        ("size", om.of_int(1)),
        ("_special_input_size", om.of_int(96)),
        ("_special_output_size", om.of_int(64)),
        ("format_for_int", om.of_int(4)),
        ("shape_range", om.of_int_lists([[1, 2], [3, -1], [5]])),
    ]
    fractal = om.desc((1, 2, 3, 4), special)
    more = om.data(34, om.desc(attributes=special))
    yield (
        "ok-special",
        of(om.source("x", 0, fractal, more=more), om.net_output([fractal]), unknown=True),
    )
    for number in (13, 14, 33, 99):
        stated = [
            ("__tensor_desc_data_type__", om.of_int(number)),
            ("format_for_int", om.of_int(-1)),
        ]
        yield f"ok-own-type-{number}", of(om.source("x", 0, om.desc(attributes=stated)), FLOAT_OUT)
    yield "ok-type-unknown", of(om.net_output([om.desc(proto=1 << 40), om.desc(proto=77)]))
    yield (
        "ok-layouts",
        of(
            om.net_output(
                [
                    om.desc((-1, 2)),
                    om.desc((1 << 62, 9)),
                    om.desc(layout="RESERVED"),
                    om.desc(attributes=[("format_for_int", om.of_int(40))]),
                ]
            )
        ),
    )
    dims = [
        ("input_dims", om.of_ints([1, 2, 3])),
        ("_dynamic_aipp_input_dims", om.of_ints([4, 5])),
        ("_is_multi_batch_shape_data", om.of_bool(True)),
    ]
    yield "ok-data-dims", of(om.source("x", 0, attributes=dims), FLOAT_OUT)


def gears() -> Iterator[tuple[str, bytes]]:
    def case(count: int, kind: int, values: list[list[int]], more: om.Attrs = ()) -> bytes:
        found = [(f"_pred_value_{i}", om.of_ints(gear)) for i, gear in enumerate(values)]
        stated = [("_batch_num", om.of_int(count)), ("mbatch_dynamic_type", om.of_int(kind))]
        return om.op("mbatch", "Case", om.attrs(10, [*stated, *found, *more]))

    def of(node: bytes, dims: list[int], inout: bytes = b"", texts: tuple[str, ...] = ()) -> bytes:
        origin = [("_mbatch_origin_input_dims", om.of_ints(dims))]
        ops = om.source("x", 0, attributes=origin), om.source("ascend_mbatch_shape_data", 1)
        shapes = [("_dynamic_output_dims", om.of_texts(texts))] if texts else []
        output = om.net_output([om.desc()], shapes)
        return om.file_of(om.model_def(om.graph(*ops, node, output)), inout)

    order = [("user_designate_shape_order", om.of_texts(["x"])), ("_pred_value_x", om.of_ints([1]))]
    both = om.record(2, om.u32(1) + om.u64(1)) + om.groups(5, [b"0,0,1"])
    yield (
        "ok-same-output-dims",
        of(case(1, 1, [[1]]), [-1], om.tensors(0, om.tensor("x", (-1,))) + both, ("0,0,1",)),
    )
    for kind, values in ((1, [[1], [2]]), (2, [[8, 8]]), (3, [[1, 2, 3]])):
        dims = [-1] * len(values[0]) + [3]
        yield f"ok-gears-{kind}", of(case(len(values), kind, values, order), dims)
        yield f"ok-gears-told-by-size-{kind}", of(case(len(values), 0, values), dims)
    yield "ok-gears-of-wrong-size", of(case(1, 1, [[1, 2]]), [-1], texts=("0,0,1", "7,7", "-1,0,2"))
    yield "bad-gears-missing", of(case(3, 1, [[1]]), [-1])
    yield "ok-no-batch-num", of(om.op("c", "Case"), [-1])
    tensors = om.tensors(0, om.tensor("x", (-1, 3), span=(1, 8, 3, 3)), om.tensor("b", (1,)))
    listed = {
        "batch": om.record(2, om.u32(2) + om.u64(1, 2)),
        "image": om.groups(3, [om.u64(8, 8)], 8),
        "dims": om.groups(4, [om.u64(1, 2), om.u64(3)], 8),
        "two-kinds": om.record(2, om.u32(1) + om.u64(1)) + om.groups(4, [om.u64(1)], 8),
        "none": om.record(2, om.u32(0)),
    }
    for name, inout in listed.items():
        yield f"ok-listed-gears-{name}", of(case(1, 2, [[4, 4]]), [-1, -1], tensors + inout)
        yield f"ok-listed-only-gears-{name}", om.file_of(om.model_def(), tensors + inout)


def aipp() -> Iterator[tuple[str, bytes]]:
    ints = "max_src_image_size src_image_size_w src_image_size_h load_start_pos_w load_start_pos_h"
    ints += " crop_size_w crop_size_h resize_output_w resize_output_h left_padding_size"
    ints += " right_padding_size top_padding_size bottom_padding_size"
    flags = "support_rotation crop resize padding csc_switch rbuv_swap_switch ax_swap_switch"
    flags += " single_line_mode"

    def image(parameters: om.Attrs | None, mode: str, more: om.Attrs = ()) -> bytes:
        attributes = [("_data_related_aipp_mode", om.of_text(mode)), *more]
        if parameters is not None:
            attributes.append(("aipp", om.of_named(parameters)))
        return om.source("x", 0, attributes=attributes)

    def of(*ops: bytes, inout: bytes = b"") -> bytes:
        return om.file_of(om.model_def(om.graph(*ops, FLOAT_OUT)), inout)

    io = [
        ("_aipp_inputs", om.of_texts(["NCHW:DT_FLOAT:x:602112:4:1,3,224,224"])),
        ("_aipp_outputs", om.of_texts(["NHWC:DT_UINT8:x"])),
    ]
    for number, (is_yuv, matrix, bias) in enumerate(MATRICES):
        side = "input_bias" if is_yuv else "output_bias"
        parameters = [("input_format", om.of_int(1 if is_yuv else 3))]
        parameters += [(name, om.of_int(number + 8)) for name in ints.split()]
        parameters += [(name, om.of_bool(True)) for name in flags.split()]
        parameters += [
            (f"matrix_r{i // 3}c{i % 3}", om.of_int(value)) for i, value in enumerate(matrix)
        ]
        parameters += [(f"{side}_{i}", om.of_int(value)) for i, value in enumerate(bias)]
        parameters += [(f"mean_chn_{i}", om.of_int(number)) for i in range(4)]
        parameters += [(f"min_chn_{i}", om.of_float(number / 2)) for i in range(3)]
        parameters += [(f"var_reci_chn_{i}", om.of_float(0.25)) for i in range(4)]
        parameters += [("cpadding_value", om.of_float(1)), ("mean_chn_9", om.of_int(1))]
        parameters += [("matrix_r9c9", om.of_int(1)), ("odd", om.of_text("?"))]
        yield f"ok-aipp-static-{number}", of(image(parameters, "static_aipp", io))
    configurations = ['{"padding_value": 2.5}', '{"padding_value": "1"}', '{"padding_value": x}']
    for number, text in enumerate([*configurations, '{"padding_value"', "{}"]):
        config = om.attrs(10, [("aipp_config_path", om.of_text(text)), ("odd", om.of_int(1))])
        operator = om.op("x_aipp", "Aipp", om.data(5, "x:0") + om.data(5, "more:0") + config)
        yield f"ok-aipp-operator-{number}", of(image([], "static_aipp"), operator)
    numbers = om.op("x_aipp", "Aipp", om.attrs(10, [("aipp_config_path", om.of_int(1))]))
    yield "ok-aipp-operator-bare", of(image([], "static_aipp"), numbers)
    yield "ok-aipp-bare", of(image([("crop", om.of_bool(True))], "static_aipp"))
    yield "ok-aipp-listed", of(image([], "static_aipp"), inout=LISTED)
    yield "ok-aipp-not-listed", of(image([], "static_aipp"), inout=om.tensors(0, om.tensor("y")))
    yield "ok-aipp-without-parameters", of(image(None, "static_aipp"))
    yield "ok-aipp-mode", of(image(None, "other_aipp"))
    for number, text in enumerate(
        ["a:b", "a:b:c:-1:1:2", "a:b:c:d:e:f", "a:b:c:1:1:99999999999999999999"]
    ):
        odd = [("_aipp_inputs", om.of_texts([text]))]
        yield f"ok-aipp-odd-tensor-{number}", of(image([], "static_aipp", odd))
    partner = [("_data_aipp_data_name_map", om.of_text("ascend_dynamic_aipp_data"))]
    limits = [("max_src_image_size", om.of_int(4096)), ("support_rotation", om.of_bool(True))]
    conf = om.source(
        "ascend_dynamic_aipp_data",
        1,
        attributes=[
            ("_data_related_aipp_mode", om.of_text("dynamic_aipp_conf")),
            ("aipp", om.of_named(limits)),
        ],
        kind="AippData",
    )
    dynamic = [*partner, *io, ("_dynamic_aipp_input_dims", om.of_ints([-1]))]
    yield "ok-aipp-dynamic", of(image(None, "dynamic_aipp", dynamic), conf)
    yield "ok-aipp-dynamic-alone", of(image(None, "dynamic_aipp"))


# ---- compressed attributes, simulated files ------------------------------------------------------


def dictionaries() -> Iterator[tuple[str, bytes]]:
    def of(
        key: bytes, value: bytes, version: int = 1, flags: tuple[bool, ...] = (False, True)
    ) -> bytes:
        attributes = [
            ("om_compress_version", om.of_int(version)),
            ("attr_name_enum", om.of_texts(["index", "_data_related_aipp_mode"])),
            ("attr_value_enum", om.of_texts(["static_aipp", "x"])),
            ("attrs_use_string_value", om.of_bools(flags)),
        ]
        source = om.source("x", 0, om.desc(attributes=[(key, value)]), [(key, value)])
        graph = om.graph(source, FLOAT_OUT)
        return om.file_of(om.model_def(graph, attributes=attributes))

    yield "ok-compressed-number", of(b"\0\1", om.of_int(0))
    yield "ok-compressed-text", of(b"\0\2", om.of_int(0))
    yield "ok-compressed-texts", of(b"\0\2", om.of_ints([0, 1]))
    yield "ok-compressed-none", of(b"\0\2", om.of_bool(True))
    yield "ok-compressed-plain", of(b"\0\2", om.of_text("static_aipp"))
    yield "bad-compressed-value", of(b"\0\2", om.of_int(7))
    yield "bad-compressed-values", of(b"\0\2", om.of_ints([-1]))
    yield "bad-compressed-name", of(b"\0\x7f\2", om.of_int(0))
    yield "bad-compressed-digit", of(b"\0\xff", om.of_int(0))
    yield "bad-compressed-digits", of(b"\0" + b"\1" * 12, om.of_int(0))
    yield "bad-compressed-empty", of(b"\0", om.of_int(0))
    yield "bad-compress-version", of(b"\0\1", om.of_int(0), version=2)
    yield "bad-compress-flags", of(b"\0\1", om.of_int(0), flags=(True,))


def simulated() -> Iterator[tuple[str, bytes]]:
    onnx = b"not looked at"
    good = b"ACLRTSIM" + struct.pack("<IIQ", 1, zlib.crc32(onnx), len(onnx)) + onnx

    def of(body: bytes) -> bytes:
        whole = om.file(om.table((8, LISTED), (0, PLAIN), (0x4E4F4158, body)))
        return om.patched(whole, 0x78, b"aclrt-sim/1")

    yield "ok-simulated", of(good)
    yield "ok-simulated-other-body", of(b"something else")
    yield "bad-body-cut", of(good[:20])
    yield "bad-body-version", of(om.patched(good, 8, om.u32(2)))
    yield "bad-body-length", of(good[:-1])
    yield "bad-body-checksum", of(good[:-1] + b"?")


def main(folder: str) -> None:
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name, content in items():
        (target / f"{name}.om").write_bytes(content)


if __name__ == "__main__":
    main(sys.argv[1])
