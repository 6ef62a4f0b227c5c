# SPDX-License-Identifier: Apache-2.0
"""ATC's command line: which flags it has, what they may say, and running the real compiler.

Flags go by their names with underscores and without dashes; values are ATC's texts.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import InputError
from . import _gears, _node_options, _shapes

__all__ = ["LOGS", "MODEL_FLAGS", "STEERING", "check", "command", "find", "run", "written"]

# What a simulated file follows: the keywords of convert(), with ATC's texts.
MODEL_FLAGS = (
    "input_shape",
    "input_format",
    "dynamic_batch_size",
    "dynamic_image_size",
    "dynamic_dims",
    "input_shape_range",
    "insert_op_conf",
    "output_type",
    "input_fp16_nodes",
    "out_nodes",
    "soc_version",
)

# What only the compiler's own work depends on: kernels, fusion, precision, memory, debugging.
STEERING = (
    "ac_parallel_enable",
    "aicore_num",
    "allow_hf32",
    "atomic_clean_policy",
    "auto_tune_mode",
    "buffer_optimize",
    "cluster_config",
    "compress_weight_conf",
    "compression_optimize_conf",
    "core_type",
    "customize_dtypes",
    "debug_dir",
    "deterministic",
    "deterministic_level",
    "disable_reuse_memory",
    "distributed_cluster_build",
    "dump_mode",
    "enable_compress_weight",
    "enable_graph_parallel",
    "enable_scope_fusion_passes",
    "enable_single_stream",
    "enable_small_channel",
    "enable_sparse_match_dynamic_shape",
    "external_weight",
    "fusion_switch_file",
    "graph_parallel_option_path",
    "host_env_cpu",
    "host_env_os",
    "input_hint_shape",
    "is_input_adjust_hw_layout",
    "is_output_adjust_hw_layout",
    "jit_compile",
    "keep_dtype",
    "mdl_bank_path",
    "model_relation_config",
    "modify_mixlist",
    "oo_constant_folding",
    "oo_dead_code_elimination",
    "oo_level",
    "op_bank_path",
    "op_bank_update",
    "op_compiler_cache_dir",
    "op_compiler_cache_mode",
    "op_debug_config",
    "op_debug_level",
    "op_name_map",
    "op_precision_mode",
    "op_select_implmode",
    "optimize_size",
    "optimization_switch",
    "optypelist_for_implmode",
    "precision_mode",
    "precision_mode_v2",
    "quant_dumpable",
    "save_original_model",
    "shape_generalized_build_mode",
    "sparsity",
    "status_check",
    "tiling_schedule_optimize",
    "virtual_type",
)

LOGS = ("debug", "info", "warning", "error", "null")

_ONNX = "5"
_FRAMEWORKS = {"0": "Caffe", "1": "MindSpore", "3": "TensorFlow"}
_MODES = {
    "1": "aclrt inspect --json shows an .om as JSON",
    "3": "aclrt convert checks the model in any case",
    "5": "aclrt inspect --json shows an .om as JSON",
    "6": "aclrt inspect shows an .om",
}
_CHIP = re.compile(r"Ascend\d{3}\w*(-\d+)?")
_SUFFIX = ".om"


def check(flags: Mapping[str, str]) -> None:
    """Judges the values of a simulated conversion, as far as they can be without the model.

    Args:
        flags: Those that were given, ``framework``, ``mode``, ``weight`` and ``log`` among them.

    Raises:
        InputError: A value that the flag does not take; the message says what it takes.
    """
    framework = flags.get("framework", _ONNX)
    if framework != _ONNX:
        what = _FRAMEWORKS.get(framework)
        raise InputError(
            f"--framework={framework}: expected 5 (ONNX), given "
            + (f"{what}'s number" if what else f"{framework!r}, which is no framework"),
            hint="a simulated file carries the ONNX model that the fake device runs: export to ONNX"
            if what
            else "--framework=5, or leave it out",
        )
    mode = flags.get("mode", "0")
    if mode != "0":
        raise InputError(
            f"--mode={mode}: expected 0 (make an .om), which is the only one here",
            hint=_MODES.get(mode, "leave it out"),
        )
    if "weight" in flags:
        raise InputError(
            "--weight: belongs to Caffe models; an ONNX model has its weights in itself, or names "
            "their file",
            hint="leave it out",
        )
    log = flags.get("log", "null")
    if log not in LOGS:
        raise InputError(f"--log={log}: expected one of {', '.join(LOGS)}")
    chip = flags.get("soc_version")
    if chip is not None and not _CHIP.fullmatch(chip):
        raise InputError(
            f"--soc_version={chip}: expected the name of a chip such as Ascend310, Ascend310P3, "
            "Ascend310B4, Ascend910B4 or Ascend910_9392",
            hint="`npu-smi info` on the machine with the card shows it; write Ascend before it",
        )
    _shapes.parse(flags.get("input_shape"))
    _shapes.parse(flags.get("input_shape_range"), "input_shape_range", brackets=True)
    _gears.parse(*map(flags.get, ("dynamic_batch_size", "dynamic_image_size", "dynamic_dims")))
    chosen = _node_options.parse_names("out_nodes", flags.get("out_nodes"))
    _node_options.parse_names("input_fp16_nodes", flags.get("input_fp16_nodes"))
    _node_options.parse_output_type(flags.get("output_type"), chosen)


def find() -> Path | None:
    """CANN's compiler on the PATH (its ``set_env.sh`` puts it there); None if there is none."""
    path = shutil.which("atc")
    return None if path is None else Path(path)


def command(atc: Path, model: str, output: str, flags: Mapping[str, str]) -> list[str]:
    """The compiler's command line; ``.om`` is cut off ``output``, because ATC adds it."""
    words = {"model": model, "framework": _ONNX, "output": output.removesuffix(_SUFFIX), **flags}
    return [str(atc), *(f"--{name}={value}" for name, value in words.items())]


def run(words: Sequence[str], stdout: int | None = None) -> int:
    """Runs the compiler, whose log goes where ours goes; its exit code, 128 + n after signal n."""
    code = subprocess.run(words, stdout=stdout).returncode
    return 128 - code if code < 0 else code


def written(output: str) -> Path | None:
    """The file that the compiler wrote: of models bound to a host, its name has the system's."""
    stem = Path(output.removesuffix(_SUFFIX))
    plain = stem.with_name(stem.name + _SUFFIX)
    if plain.is_file():
        return plain
    bound = sorted(stem.parent.glob(f"{_glob_text(stem.name)}_linux_*{_SUFFIX}"))
    return bound[-1] if bound else None


def _glob_text(name: str) -> str:
    """``name`` as a pattern that matches it alone."""
    return re.sub(r"([*?\[])", r"[\1]", name)
