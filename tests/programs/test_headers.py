# SPDX-License-Identifier: Apache-2.0
"""The headers of the drop-in directory: constants and macros that AscendCL programs use."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from programs.conftest import DROP_IN

CONTRACT = Path(__file__).resolve().parents[3] / "shared/reference/ascendcl.md"
HEADERS = sorted(path.relative_to(DROP_IN / "include") for path in DROP_IN.rglob("*.h"))
LANGUAGES = pytest.mark.parametrize("language", ["c", "c++"])
STANDARD = {"c": "-std=c99", "c++": "-std=c++14"}


def compiles(language: str, text: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text(text)
    command = ["g++", "-x", language, STANDARD[language], "-pedantic", "-Wall", "-Wextra"]
    command += ["-Werror", f"-I{DROP_IN}/include", "-fsyntax-only", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def contract_constants() -> dict[str, str]:
    """name -> value of each enum (3.1 to 3.3), macro (3.4) and code (2) of the contract."""
    if not CONTRACT.exists():
        pytest.skip(f"the reference is not beside this checkout: {CONTRACT.name}")
    text = CONTRACT.read_text("utf-8")
    enums = text.split("### 3.1 ")[1].split("### 3.4 ")[0]
    macros = text.split("### 3.4 Macros")[1].split("\n---")[0]
    codes = text.split("## 2. Error codes")[1].split("## 3. Enums")[0]
    found = dict(re.findall(r"\b(ACL_\w+)`?=(-?\w+)", enums))
    found |= dict(re.findall(r"^\| (ACL_\w+) \| (-?\d+) \|", enums, re.M))
    found |= dict(re.findall(r"`(ACL_\w+)` (\w+)", macros))
    found |= {name: value for value, name in re.findall(r"^\| (\d+) \| (ACL_\w+) \|", codes, re.M)}
    return found


@LANGUAGES
@pytest.mark.parametrize("header", HEADERS, ids=str)
def test_header_stands_alone(header: Path, language: str, tmp_path: Path) -> None:
    """Each name can be included first and twice, by strict compilers."""
    compiles(language, f'#include "{header}"\n#include "{header}"\nint unused;\n', tmp_path)


@LANGUAGES
def test_constants_are_the_contract_s(language: str, tmp_path: Path) -> None:
    """Every enumerator, macro and code that the contract names has its value."""
    constants = contract_constants()
    assert len(constants) > 500
    keyword = "_Static_assert" if language == "c" else "static_assert"
    lines = [f'{keyword}({n} == (__typeof__({n}))({v}), "{n}");' for n, v in constants.items()]
    text = '#include "acl/acl.h"\n#include "acl/acl_prof.h"\n' + "\n".join(lines) + "\n"
    source = tmp_path / "source"
    source.write_text(text)
    command = ["g++", "-x", language, "-std=gnu11" if language == "c" else "-std=c++14"]
    command += [f"-I{DROP_IN}/include", "-fsyntax-only", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@LANGUAGES
def test_codes_are_case_labels(language: str, tmp_path: Path) -> None:
    """Codes of all three families in one switch; the log macro with and without arguments."""
    text = """
#include "acl/acl.h"
int f(aclError code);
int f(aclError code) {
  ACL_APP_LOG(ACL_ERROR, "plain");
  ACL_APP_LOG(ACL_INFO, "%d of %d", 1, 2);
  switch (code) {
    case ACL_ERROR_NONE: return 0;
    case ACL_ERROR_INVALID_PARAM: return 1;
    case ACL_ERROR_GE_EXEC_MODEL_ID_INVALID: return 2;
    case ACL_ERROR_RT_CONTEXT_NULL: return (int)(ACL_EVENT_SYNC | ACL_STREAM_FAST_SYNC);
    default: return code == ACL_ERROR_RT_STREAM_SYNC_TIMEOUT;
  }
}
"""
    compiles(language, text, tmp_path)
