"""What is taken away from the way out of live streams, and from the way to those who hear them."""

from removal import Removal

FAULTS = "tests/test_network_faults.py"
FAILS = (f"{FAULTS}::test_fault_59_whatever_sending_fails_with_is_counted_and_told[ENOBUFS]",)
NEXT = (f"{FAULTS}::test_fault_59_the_next_relay_knows_that_sending_fails",)
GOES = (f"{FAULTS}::test_fault_61_an_interface_that_goes_and_comes_back",)
MOVES = (f"{FAULTS}::test_fault_61_an_address_that_moves_to_another_interface",)
SENDING = ("tests/relay/test_sending.py",)
INGEST = ("tests/relay/test_ingest_live.py",)
SOCKETS = ("tests/relay/test_sockets.py",)
GROUPS = ("tests/stripchart/test_groups.py",)
HEARD = ("tests/stripchart/test_receiver.py",)

AT_THE_NETWORK = [
    Removal(
        "why a packet could not go is known",
        "relay/outlet.pyx",
        "        o.failed += o.run[k].count\n        o.error = error\n",
        "        o.failed += o.run[k].count\n",
        (f"{FAULTS}::test_fault_59_a_link_that_is_down_stops_no_recording", *FAILS),
    ),
    Removal(
        "that packets go again is known",
        "relay/outlet.pyx",
        "        if taken > 0:\n            o.error = 0\n",
        "        if taken > 0:\n",
        FAILS,
    ),
    Removal(
        "an interface that has gone costs no runs",
        "relay/outlet.pyx",
        "        if o.sent > sent:  # else",
        "        if True:  # else",
        ("tests/relay/test_outlet.py::test_fault_59_what_fails_whether_cut_or_not_leaves_runs_as_they_are",),
    ),
    Removal(
        "the next relay knows that sending fails",
        "relay/receiver.pyx",
        "        self.r.forward.error = <int>state.forward_error\n",
        "",
        NEXT,
    ),
    Removal(
        "a stream that is not to be sent does not fail",
        "relay/receiver.pyx",
        "            state.forward_error = 0  # what is not to be sent does not fail\n",
        "            pass\n",
        NEXT,
    ),
    Removal(
        "a channel that is not sent live is degraded",
        "relay/charge.py",
        "        trouble = _trouble(stats) or self.sending.unsent(stats, full_rate=self.spec.full_rate)\n",
        "        trouble = _trouble(stats)\n",
        FAILS,
    ),
    Removal(
        "a stream that is too fast does not change its channel's state all the time",
        "relay/sending.py",
        "        return bool(stats[error]) and now - since >= STILL_S\n",
        "        return bool(stats[error])\n",
        SENDING,
    ),
    Removal(
        "what comes by HTTP and is not sent live makes its channel degraded",
        "registry/conditions.py",
        '    return {"state": "degraded", "reason": f"what comes by HTTP is {live_error}"} if live_error else {}\n',
        "    return {}\n",
        ("tests/registry/test_conditions.py", "tests/registry/test_without_port.py"),
    ),
    Removal(
        "an input hears no group",
        "relay/sockets.py",
        "        sock.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)\n",
        "",
        (f"{FAULTS}::test_fault_60_what_is_sent_live_does_not_come_back",),
    ),
    Removal(
        "a group is no input",
        "relay/sockets.py",
        "    if ipaddress.IPv4Address(address).is_multicast:\n",
        "    if False:\n",
        (*SOCKETS, f"{FAULTS}::test_fault_60_a_group_is_refused_as_an_input"),
    ),
    Removal(
        "a live server hears its group alone",
        "stripchart/receiver.py",
        "        sock.bind(group)\n",
        '        sock.bind(("", group[1]))\n',
        HEARD,
        ("        sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)\n", ""),
    ),
    Removal(
        "a live server hears its group on its interface alone",
        "stripchart/receiver.py",
        "        sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)\n",
        "",
        HEARD,
    ),
    Removal(
        "a channel records though its interface is not there",
        "relay/sockets.py",
        "        if not (may_wait and error.errno in ABSENT):\n",
        "        if True:\n",
        GOES,
    ),
    Removal(
        "streams go by an interface that has come back",
        "relay/keeper.py",
        "        charge.sending.look(found)\n",
        "",
        GOES,
    ),
    Removal(
        "streams go along with an address that moves",
        "relay/sending.py",
        "        elif index != self._index and self.clock() >= self._due:\n",
        "        elif self.trouble and self.clock() >= self._due:\n",
        MOVES,
    ),
    Removal(
        "a way that cannot be set is tried again with back-off",
        "relay/sending.py",
        "            self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)\n",
        "",
        SENDING,
    ),
    Removal(
        "what comes by HTTP goes by an interface that has come back",
        "relay/ingest_live.py",
        "            streams.sending.look(found)\n",
        "            pass\n",
        INGEST,
    ),
    Removal(
        "a live server joins again by an interface that has come back",
        "stripchart/groups.py",
        "            elif index != receiver.index:\n",
        "            elif False:\n",
        GROUPS,
    ),
    Removal(
        "a live server tries again with back-off",
        "stripchart/groups.py",
        "            if self._looks < due:\n",
        "            if False:\n",
        GROUPS,
    ),
]
