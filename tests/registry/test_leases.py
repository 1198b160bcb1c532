from speeddata.registry.leases import Leases


def test_a_lease_holds_until_nothing_was_heard_for_so_long() -> None:
    now = [100.0]
    leases = Leases(lambda: now[0])
    assert leases.left_s("x", 60) == 60  # one that is seen for the first time begins
    now[0] += 59
    assert leases.left_s("x", 60) == 1
    leases.renew("x")
    now[0] += 59.5
    assert leases.left_s("x", 60) == 0.5
    now[0] += 1
    assert leases.left_s("x", 60) == 0
    assert not leases.has_run_out("x")


def test_one_that_was_given_up_is_so_until_it_is_heard_of() -> None:
    now = [100.0]
    leases = Leases(lambda: now[0])
    leases.renew("x")
    now[0] += 60
    assert leases.give_up("x", 60)
    assert not leases.give_up("x", 60)
    assert leases.has_run_out("x")
    assert leases.left_s("x", 60) == 0
    assert leases.renew("x")
    assert not leases.renew("x")
    assert not leases.has_run_out("x")
    assert leases.left_s("x", 60) == 60
    assert not leases.give_up("x", 60), "its device was heard of meanwhile"
    assert leases.give_up("x", 0)
    leases.forget("x")
    assert not leases.has_run_out("x")
    assert leases.give_up("x", 0)
    leases.take_back("x")
    assert not leases.has_run_out("x")
    assert leases.left_s("x", 60) == 60
