from speeddata.pivot.result_cache import SHARE, Answer, ResultCache


def answer(size=100):
    return Answer((b"x" * (size // 2), b"y" * (size - size // 2)), "text/plain")


def test_an_answer_counts_as_long_as_the_token_is_the_same():
    cache = ResultCache(1 << 20)
    kept = answer()
    cache.put("q", 1, kept, ["a"])
    assert cache.get("q", 1) is kept
    assert cache.get("q", 2) is None
    assert cache.get("q", 1) is None
    assert (cache.stats()["hits"], cache.stats()["misses"], cache.stats()["outdated"]) == (1, 2, 1)


def test_what_was_used_last_is_kept_within_bounds():
    size = 1000 + 2 + 512
    cache = ResultCache(SHARE * size)
    for number in range(SHARE):
        cache.put(str(number), 0, answer(1000), ["a"])
    assert cache.get("0", 0)
    cache.put("8", 0, answer(1000), ["a"])
    assert cache.keys() == ["2", "3", "4", "5", "6", "7", "0", "8"]
    assert (cache.stats()["bytes"], cache.stats()["evicted"]) == (SHARE * size, 1)
    cache.put("large", 0, answer(2000), ["a"])
    assert cache.get("large", 0) is None


def test_clearing():
    cache = ResultCache(1 << 20)
    cache.put("1", 0, answer(), ["a", "b"])
    cache.put("2", 0, answer(), ["b"])
    assert cache.clear("nosuch") == 0
    assert cache.clear("a") == 1
    assert cache.keys() == ["2"]
    assert cache.clear() == 1
    assert cache.stats()["bytes"] == 0


def test_without_room_nothing_is_kept():
    cache = ResultCache(0)
    cache.put("q", 0, answer(), ["a"])
    assert cache.get("q", 0) is None
