"""Protections around the data's way: processes, retention, services."""

from removal import BLOCKS, REPLAY, RETENTION, Removal

<<<<<<< HEAD
ALARMS = ("tests/relay/test_alarms.py",)
=======
SERVING = ("tests/stripchart/test_serving.py",)
>>>>>>> live

AROUND_THEM = [
    Removal(
        "a block is read with its checksum",
        "lib/blocks.pyx",
        "            if (crc_32c(0, block, length) != get(entry + 52, 4)\n                    or read_frame",
        "            if (read_frame",
        BLOCKS,
    ),
    Removal(
        "an index entry is read with its check",
        "lib/blocks.pyx",
        "        if get(entry + 56, 4) != crc_32c(0, entry, CHECKED) or offset < at",
        "        if offset < at",
        BLOCKS,
    ),
    Removal(
        "an index entry ends within its segment",
        "lib/blocks.pyx",
        "        if length > size - offset or length < 2 + SYNC:\n            continue\n",
        "",
        BLOCKS,
    ),
    Removal(
        "a channel has one relay",
        "lib/lock.py",
        "        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
        "        pass\n",
        ("tests/relay/test_cli.py", "tests/relay/test_keeper.py", "tests/lib/test_lock.py"),
    ),
    Removal(
        "a successor receives when the former relay's receiver is dead",
        "relay/charge.py",
        "dying(self.pid) and not threads(self.pid) & set(self.mapping.movers)",
        "dying(self.pid)",
        ("tests/relay/test_charge.py",),
    ),
    Removal(
        "a disk that hangs keeps no successor from receiving",
        "relay/channel.py",
        "        if self.first:\n            self._take_folder()\n",
        "        self._take_folder()\n",
        ("tests/relay/test_hanging_disk.py",),
    ),
    Removal(
        "a segment that cannot be opened again just now is not given up",
        "relay/writer.pyx",
        "    if error in (ENOENT, ESTALE, ELOOP):",
        "    if error:",
        REPLAY,
    ),
    Removal(
        "packets wait in the socket where the writer is slow",
        "relay/receiver.pyx",
        "        if last == 0 and gives_way(r):\n",
        "        if False:\n",
        REPLAY,
    ),
    Removal(
        "what a stop has lost is said",
        "relay/charge.py",
        "        lost = refused - self.lost_before + (0 if self.mapping.clean else left)\n",
        "        lost = 0 if self.mapping.clean else left\n",
        ("tests/relay/test_stop.py",),
    ),
    Removal(
        "a relay that writes is given time to end",
        "relay/keeper.py",
        "            if written > before and time.monotonic() + limit_s < charge.end_by:\n",
        "            if False:\n",
        ("tests/relay/test_stop.py",),
    ),
    Removal(
        "who begins anew keeps its locks",
        "relay/orchestrator.py",
        "            if self.stopping == ANEW:\n                os.set_inheritable(lock, True)\n",
        "            if False:\n                os.set_inheritable(lock, True)\n",
        ("tests/relay/test_restart.py",),
    ),
    Removal(
        "what a tag pins is kept",
        "relay/retention.py",
        "        if setting and one.free and not pinned(one):\n",
        "        if setting and one.free:\n",
        RETENTION,
    ),
    Removal(
        "what a relay writes to is kept",
        "relay/retention.py",
        "        if setting and one.free and not pinned(one):\n",
        "        if setting and not pinned(one):\n",
        RETENTION,
    ),
    Removal(
        "a clock that jumps is not believed",
        "relay/trusted_clock.py",
        "        if abs(step_ns) > STEP_NS:\n",
        "        if False:\n",
        ("tests/relay/test_trusted_clock.py",),
    ),
    Removal(
        "a request has a largest size",
        "registry/app.py",
        '    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY\n',
        "",
        ("tests/registry/test_app.py",),
    ),
    Removal(
        "foreign host names are refused",
        "registry/app.py",
        "        if not guard.admits(requested_host()):\n",
        "        if False:\n",
        ("tests/registry/test_app.py",),
    ),
    Removal(
        "pages from elsewhere may not connect",
        "stripchart/origin.py",
        "    if on_loopback:\n        return is_loopback(name)\n",
        "    if on_loopback:\n        return True\n",
        ("tests/stripchart/test_origin.py",),
    ),
    Removal(
<<<<<<< HEAD
        "every record is held against limits",
        "relay/decimator.pyx",
        "        if d.limits != NULL and not check_limits(",
        "        if d.limits != NULL and walk.end == end and not check_limits(",
        ALARMS,
    ),
    Removal(
        "what nobody has acknowledged is not overwritten",
        "relay/limits.pyx",
        "        if load64(&side.seen) >= s.rises:\n            begin_anew(s)\n",
        "        begin_anew(s)\n",
        ("tests/relay/test_limits.py::test_what_is_not_acknowledged_is_not_overwritten",),
    ),
    Removal(
        "NaN ends no alarm",
        "relay/limits.pyx",
        "                r.some = r.real[EDGE_LOW] == r.real[EDGE_LOW]\n",
        "                r.some = True\n",
        ("tests/relay/test_limits.py::test_nan_and_null_neither_raise_nor_end_an_alarm",),
        ("    if value != value:  # NaN is neither within nor beyond\n        return\n", ""),
    ),
    Removal(
        "alarms outlive the relay's end",
        "relay/channel.py",
        "        self.alarms.write()\n",
        "",
        ("tests/relay/test_alarm_file.py",),
    ),
    Removal(
        "what rose since it was seen is not acknowledged",
        "registry/alarm.py",
        ' and by.rises >= told["rises"]\n',
        "\n",
        ("tests/registry/test_alarms.py",),
    ),
    Removal(
        "an acknowledgement is of one life of a channel",
        "registry/alarm.py",
        ' and by.epoch == told["epoch"]',
        "",
        ("tests/registry/test_alarms.py",),
    ),
    Removal(
        "what acknowledges is no plain form of a page from elsewhere",
        "registry/body.py",
        "    if not flask.request.is_json:\n",
        "    if False:\n",
        ("tests/registry/test_alarms.py",),
=======
        "a late sample has its column sent again",
        "stripchart/serving.py",
        "        touched = np.unique(times // width)\n",
        "        touched = np.unique(times[-1:] // width)\n",
        SERVING,
    ),
    Removal(
        "a slow client keeps its peaks in columns",
        "stripchart/serving.py",
        "        while len(touched) > limit:\n            width *= 2\n            touched = np.unique(touched // 2)\n",
        "        touched = touched[-limit:]\n",
        SERVING,
    ),
    Removal(
        "a slow client keeps its peaks in samples",
        "stripchart/serving.py",
        "            kept = keep(own, limit)\n",
        "            kept = np.arange(n - limit, n)\n",
        SERVING,
    ),
    Removal(
        "a page that hangs is given up",
        "stripchart/pace.py",
        "        is_stuck = self._is_full or behind_s > FAR_BEHIND_S\n",
        "        is_stuck = self._is_full\n",
        ("tests/stripchart/test_pace.py", "tests/stripchart/test_live_columns.py"),
    ),
    Removal(
        "who says too much is closed",
        "stripchart/hub.py",
        "        if not client.allowance.take(len(message), now_s):\n",
        "        if False:\n",
        ("tests/stripchart/test_live_columns.py",),
    ),
    Removal(
        "what came live is not taken from history too",
        "stripchart/past.py",
        "            self.told = self.told.until(first_ns)\n",
        "            pass\n",
        (
            "tests/stripchart/test_past.py::test_what_is_not_written_yet_is_asked_for_until_the_first_live_sample_is",
        ),
>>>>>>> live
    ),
]
