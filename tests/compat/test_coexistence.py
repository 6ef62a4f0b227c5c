# SPDX-License-Identifier: Apache-2.0
"""aclrt in one process with others who use AscendCL: nobody's initialisation, context, device or
model is ended by the other, in either order. Another library is played by the `acl` module.

With the onnxruntime-cann wheel: tests/ort_cann.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from .conftest import Job, Run

START = """
import sys, threading, numpy as np, acl, aclrt
om, records, want = sys.argv[1], np.load(sys.argv[2]), np.load(sys.argv[3])

def check(model, record=0):
    np.testing.assert_allclose(model(records[record])[0], want[record], rtol=1e-6, atol=1e-6)

def ok(ret):
    assert ret == 0, (ret, acl.get_recent_err_msg())
"""

SCENES = {
    # Who initialised finalises: the program's own teardown finds everything as it left it.
    "the program is first and leaves last": """
ok(acl.init()); ok(acl.rt.set_device(0))
mine, ret = acl.rt.get_context(); ok(ret)
stream, ret = acl.rt.create_stream(); ok(ret)
with aclrt.OfflineModel(om) as model:
    assert aclrt.runtime_info().is_adopted
    check(model)
    assert acl.rt.get_context() == (mine, 0)
ok(acl.rt.synchronize_stream(stream)); ok(acl.rt.destroy_stream(stream))
ok(acl.rt.reset_device(0)); ok(acl.finalize())
""",
    # aclrt's device counts are its own: the program's reset takes away the program's share alone.
    "the program resets its device under an open model": """
ok(acl.init()); ok(acl.rt.set_device(0))
model = aclrt.OfflineModel(om)
ok(acl.rt.reset_device(0))
check(model)
model.close()
ok(acl.finalize())
""",
    # The second initialisation is told so, and counts as one: it is given back as one.
    "aclrt is first, the program comes and goes": """
model = aclrt.OfflineModel(om)
check(model)
assert acl.init() == 100002
ok(acl.rt.set_device(0))
memory, ret = acl.rt.malloc(64, 0); ok(ret)
check(model)
ok(acl.rt.free(memory)); ok(acl.rt.reset_device(0))
assert acl.finalize_reference() == (1, 0)
check(model)
assert not aclrt.runtime_info().is_adopted
model.close()
""",
    "two models on two devices": """
first, second = aclrt.OfflineModel(om, device_id=0), aclrt.OfflineModel(om, device_id=1)
assert (first.device.id, second.device.id) == (0, 1)
for record in range(len(records)):
    check(first, record); check(second, record)
def work(model):
    for record in range(len(records)):
        check(model, record)
threads = [threading.Thread(target=work, args=(m,)) for m in (first, second) * 2]
[t.start() for t in threads]; [t.join() for t in threads]
first.close()
check(second)
with aclrt.OfflineModel(om, device_id=0) as again:
    check(again)
second.close()
""",
    # Between any two calls somebody has set another device, another context, or none of ours.
    "a library changes the current context": """
ok(acl.init())
ok(acl.rt.set_device(0))
theirs = []
for device in (0, 1):
    context, ret = acl.rt.create_context(device); ok(ret)
    theirs.append(context)
with aclrt.OfflineModel(om, device_id=0) as zero, aclrt.OfflineModel(om, device_id=1) as one:
    for context in (*theirs, *theirs):
        ok(acl.rt.set_context(context))
        check(zero); check(one)
        assert acl.rt.get_context() == (context, 0)
    ok(acl.rt.set_device(1))
    before = acl.rt.get_context()
    check(zero)
    assert acl.rt.get_context() == before and acl.rt.get_device() == (1, 0)
    ok(acl.rt.destroy_context(theirs[1]))
    ok(acl.rt.destroy_context(theirs[0]))
    check(zero); check(one)
ok(acl.rt.reset_device(1)); ok(acl.rt.reset_device(0)); ok(acl.finalize())
""",
    # A thread's own context is back after each call, whichever thread loaded the model. (A thread
    # that had none keeps aclrt's: AscendCL knows no way back to none.)
    "threads of others keep what they have": """
with aclrt.OfflineModel(om) as model:
    seen = []
    def work():
        assert acl.rt.get_context()[1] == 107002
        mine, ret = acl.rt.create_context(1); ok(ret)
        check(model)
        seen.append(acl.rt.get_context() == (mine, 0))
        ok(acl.rt.destroy_context(mine))
    for _ in range(2):
        thread = threading.Thread(target=work); thread.start(); thread.join()
    assert seen == [True, True], seen
""",
    "both run models at a time": """
ok(acl.init()); ok(acl.rt.set_device(0))
number, ret = acl.mdl.load_from_file(om); ok(ret)
with aclrt.OfflineModel(om) as model:
    desc = acl.mdl.create_desc(); ok(acl.mdl.get_desc(desc, number))
    for _ in range(3):
        check(model)
        assert acl.mdl.get_num_inputs(desc) == 1
ok(acl.mdl.destroy_desc(desc)); ok(acl.mdl.unload(number))
ok(acl.rt.reset_device(0)); ok(acl.finalize())
""",
}


@pytest.mark.parametrize("scene", SCENES)
def test_in_one_process(
    scene: str, job: Job, run_script: Callable[..., Run], tmp_path: Path
) -> None:
    """The scene plays without an error; nothing is alive at the end, nothing damaged or misused.

    Where the program ended AscendCL for all with aclFinalize, aclrt still gives back its own share
    at exit, as it cannot know: the fake notes both.
    """
    script = tmp_path / "script.py"
    text = START + SCENES[scene] + "print('ran')\n"
    script.write_text(text)
    np.save(tmp_path / "want.npy", job.expected)
    done = run_script(script, job.om, job.records, tmp_path / "want.npy", ACLRT_FAKE_DEVICES="2")
    assert (done.code, done.out) == (0, "ran\n"), done.err
    assert done.live == {}
    assert done.ledger["guards_damaged"] == 0
    assert not done.ledger["state"]["initialised"]
    ended_for_all = {"ACLFAKE-FIN-02", "ACLFAKE-FIN-04"} if "acl.finalize()" in text else set()
    assert set(done.ledger["checks"]) <= ended_for_all
