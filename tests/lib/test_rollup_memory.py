import numpy as np

from speeddata.rollup_memory import OVERHEAD, Memory


def test_what_was_used_last_is_kept():
    memory = Memory(3 * (800 + OVERHEAD))
    arrays = {name: np.zeros(100) for name in "abcd"}
    for name in "abc":
        memory.put(name, arrays[name])
    assert memory.get("a") is arrays["a"]
    memory.put("d", arrays["d"])
    assert [memory.get(name) is not None for name in "abcd"] == [True, False, True, True]
    assert (len(memory), memory.bytes) == (3, memory.limit)


def test_what_is_too_large_is_not_kept():
    memory = Memory(1000)
    memory.put("a", np.zeros(10))
    memory.put("b", np.zeros(1000))
    assert (memory.get("a") is not None, memory.get("b")) == (True, None)
    memory.put("a", np.zeros(1000))
    assert (len(memory), memory.bytes) == (0, 0)


def test_what_is_put_again_counts_once():
    memory = Memory(10_000)
    for size in (10, 20, 5):
        memory.put("a", np.zeros(size))
    assert memory.bytes == 40 + OVERHEAD
