"""Doorbells: the main thread's side (the others are shown by the threads that use them)."""

import select

from speeddata.relay.doorbell import Doorbell


def rings(bell):
    return bool(select.select([bell.fd], [], [], 0)[0])


def test_stop_rings_and_getting_up_answers():
    bell = Doorbell()
    bell.lie_down()
    assert not rings(bell)
    bell.stop()
    assert rings(bell)
    bell.get_up()
    assert not rings(bell)
