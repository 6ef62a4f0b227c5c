# SPDX-License-Identifier: Apache-2.0
"""What keeps models from running on a card, as the survey shows it, with the next step of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .installs import LIBRARY, VARIABLES

__all__ = ["Problem", "problems"]


@dataclass(frozen=True)
class Problem:
    """Something that keeps models from running on a card, and what to do about it."""

    problem: str
    next_step: str


def problems(found: Mapping[str, Any], *, wanted: bool) -> list[Problem]:
    """What keeps models from running on a card.

    Args:
        found: What ``survey`` returned.
        wanted: Whether a card is asked for. Otherwise a machine with no trace of Ascend is fine.

    Returns:
        One for each thing to do, the most basic first.
    """
    files = found["device_files"]
    cards = [f for f in files if f["path"][12:].isdigit()]
    there = [f for f in files if f["exists"]]
    traces = there or found["driver"]["path"] or found["installs"] or found["npu_smi"]["path"]
    if not traces and not wanted:
        return []
    return [
        *_device_problems(found, files, cards, there),
        *_software_problems(found, cards),
        *_card_problems(found),
        *(Problem(**fields) for fields in found["visible_devices"]["problems"]),
        *(
            Problem(f"doctor could not look at {what}", "the message says why; mend that first")
            for what in found["unseen"]
        ),
    ]


def _device_problems(
    found: Mapping[str, Any], files: list[Any], cards: list[Any], there: list[Any]
) -> Iterator[Problem]:
    if not cards:
        yield Problem(
            "there is no /dev/davinci<number>: no card is visible to this process",
            "start the container with --device=/dev/davinci0 --device=/dev/davinci_manager "
            "--device=/dev/devmm_svm --device=/dev/hisi_hdc (or Ascend's container runtime)"
            if found["container"]["inside"]
            else "check that the card is seated (lspci | grep -i d100 or d500) and the driver "
            "is installed",
        )
    missing = [f["path"] for f in files if not f["exists"]]
    if cards and missing:
        yield Problem(
            f"missing: {', '.join(missing)}",
            "pass them into the container with --device"
            if found["container"]["inside"]
            else "load the driver again, or install it again",
        )
    closed = [f for f in there if not f["usable"]]
    if closed:
        groups = ", ".join(dict.fromkeys(f["group"] for f in closed))
        yield Problem(
            f"{found['user']['name']} may not open {', '.join(f['path'] for f in closed)}",
            f"add the user to the group {groups} (usermod -aG {groups} {found['user']['name']}) "
            "and log in again",
        )


def _software_problems(found: Mapping[str, Any], cards: list[Any]) -> Iterator[Problem]:
    if found["driver"]["path"] is None:
        yield Problem(
            "no driver below /usr/local/Ascend/driver",
            "mount /usr/local/Ascend/driver into the container (-v)"
            if found["container"]["inside"]
            else "install the NPU driver and firmware for this card",
        )
    elif found["driver"]["version"] is None:
        yield Problem(
            f"{found['driver']['path']} has no version.info: the driver is incomplete",
            "install the driver again",
        )
    if found["npu_smi"]["error"]:
        yield Problem(
            f"npu-smi info fails: {found['npu_smi']['error'].splitlines()[0]}",
            "check that the driver is loaded, and its log (dmesg)",
        )
    if not any(install["library"] for install in found["installs"]):
        yield Problem(
            f"no CANN with {LIBRARY} was found",
            "install CANN (toolkit or nnrt) and source its set_env.sh, e.g. "
            "source /usr/local/Ascend/cann/set_env.sh",
        )
    for install in found["installs"]:
        if not install["exists"]:
            by = f"{install['source']} names" if install["source"] in VARIABLES else "a link leads"
            yield Problem(
                f"{by} {install['path']}, which does not exist",
                "source the set_env.sh of an installed CANN, or correct the link",
            )
        elif install["problem"]:
            what = install["library"] or install["path"]
            yield Problem(
                f"{what}: {install['problem']}",
                "install CANN for this machine again, or let its variable or link name another",
            )
        elif install["library"] is None:
            yield Problem(
                f"{install['path']} has no {LIBRARY}: the installation is incomplete",
                "install CANN again, or remove the folder",
            )


def _card_problems(found: Mapping[str, Any]) -> Iterator[Problem]:
    smi = found["npu_smi"]
    for card in smi["cards"]:
        if card["health"] not in ("OK", "NA"):
            yield Problem(
                f"npu-smi reports NPU {card['npu']} (chip {card['chip']}) as {card['health']}",
                f"npu-smi info -t health -i {card['npu']} and the driver's log (dmesg) tell more",
            )
    if smi["text"] is not None and not smi["error"] and not smi["cards"]:
        yield Problem(
            "npu-smi info prints no table of cards that aclrt understands",
            "look at its text below; if it does list cards, please report the text",
        )
