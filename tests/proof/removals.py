"""Protections, and how to remove each: `tools/proof_of_tests` shows that a test goes red then."""

from removal import RECEIVER, REPLAY, RESCUE, SIGNED, WALK, WRITER, Removal
from removals_around import AROUND_THEM
from removals_history import IN_HISTORY
from removals_live import LIVE
from removals_network import AT_THE_NETWORK
from removals_operation import IN_OPERATION

IN_THE_WALK = [
    Removal(
        "a string ends within its packet",
        "lib/wire.pxd",
        "    if length > end - p:\n        return REASON_SHORT\n    out[0] = length\n",
        "    out[0] = length\n",
        WALK,
    ),
    Removal(
        "a length is neither negative nor huge",
        "lib/wire.pxd",
        "    if length < 0 or length > MAX_LENGTH:\n        return REASON_LENGTH\n",
        "",
        WALK,
    ),
    Removal(
        "a varint has ten bytes at most",
        "lib/wire.pxd",
        "        if shift == 63 and byte > 1:  # of the tenth byte one bit is left, and no byte may follow\n"
        "            return REASON_VARINT\n",
        "",
        WALK,
    ),
    Removal(
        "an int has 32 bits",
        "lib/wire.pxd",
        "    if value < INT32_MIN or value > INT32_MAX:\n        return REASON_VARINT\n",
        "",
        WALK,
    ),
    Removal(
        "fields of fixed size end within their packet",
        "lib/walk.pxd",
        "        if rest.end - rest.p < <int64_t>step.fixed:\n            return False\n",
        "",
        WALK,
    ),
    Removal(
        "items of no size are limited in number",
        "lib/walk.pxd",
        "            if count > MAX_ITEMS - rest.empty_items:\n                return REASON_LENGTH\n",
        "",
        WALK,
    ),
    Removal(
        "items have bytes enough",
        "lib/walk.pxd",
        "        elif count > (rest.end - rest.p) // <int64_t>op.minimum:\n            return REASON_SHORT\n",
        "",
        WALK,
    ),
    Removal(
        "a block of items has the size that it states",
        "lib/walk.pxd",
        "        if size >= 0 and rest.p - start != size:\n            return REASON_LENGTH\n",
        "",
        WALK,
    ),
    Removal(
        "a boolean is 0 or 1",
        "lib/walk.pxd",
        "            if rest.p[0] > 1:\n                return REASON_BOOLEAN\n",
        "",
        WALK,
    ),
    Removal(
        "a string is UTF-8",
        "lib/walk.pxd",
        "    if check_utf8(p, p + length) != REASON_OK:\n        return REASON_UTF8\n",
        "",
        WALK,
    ),
    Removal(
        "an enum has a symbol",
        "lib/walk.pxd",
        "    if index < 0 or index >= <int64_t>op.size:\n        return REASON_ENUM\n",
        "",
        WALK,
    ),
    Removal(
        "a union has a branch",
        "lib/walk.pxd",
        "    if index < 0 or index >= <int64_t>ops[i].size:\n        return REASON_UNION\n",
        "    index = 0\n",
        WALK,
    ),
]

IN_THE_RECEIVER = [
    Removal(
        "nothing follows the last whole record of a packet",
        "relay/intake.pyx",
        "            return REASON_TRAILING if offset[0] else reason\n",
        "            if offset[0]:\n                break\n            return reason\n",
        RECEIVER,
    ),
    Removal(
        "a refused packet leaves no trace",
        "relay/intake.pyx",
        "    if reason != REASON_OK:\n        state.books = before\n",
        "    if reason != REASON_OK:\n",
        RECEIVER,
    ),
    Removal(
        "a signed packet has its tag",
        "relay/signature.pyx",
        "            if not equal(tag, trailer + HEAD_BYTES):\n                return REASON_AUTH\n",
        "",
        SIGNED,
    ),
    Removal(
        "a signed packet is taken once",
        "relay/signature.pyx",
        "            return REASON_OK if is_new(&signers[keys[k].place], number) else REASON_REPLAY\n",
        "            return REASON_OK\n",
        SIGNED,
    ),
    Removal(
        "what was taken of a key goes from State to State",
        "relay/receiver.pyx",
        "        memcpy(new.signers, old.signers, sizeof(Signer) * old.keys)\n",
        "        pass\n",
        SIGNED,
    ),
    Removal(
        "a packet fits into its block",
        "relay/ring.pxd",
        "    if b.open and b.length + length > ring.parts.head.block_bytes:\n        close_block(ring, state)\n",
        "",
        RECEIVER,
    ),
    Removal(
        "a block has records of one version of the schema",
        "relay/intake.pyx",
        "        if state.books.building.open:\n            close_block(&r.ring, state)\n        use_version",
        "        use_version",
        ("tests/relay/test_versions.py",),
    ),
    Removal(
        "a receiver stays in recvmmsg for a moment only",
        "relay/receiver.pyx",
        "        if setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &stay, sizeof(stay)) < 0:\n",
        "        if False:\n",
        ("tests/relay/test_receiver.py::test_a_receiver_that_waits_for_the_next_packet_hears_its_bell",),
    ),
    Removal(
        "what lies in the slots is taken by the next relay",
        "relay/receiver.pyx",
        "    if head.commit & 1 == 0:\n        take_batch(r)\n        r.used = BATCH\n",
        "",
        REPLAY,
    ),
    Removal(
        "slots of an earlier batch are not taken again",
        "relay/receiver.pyx",
        "        r.parts.messages[i].msg_len = MSG_EMPTY\n",
        "",
        REPLAY,
    ),
    Removal(
        "a batch is armed before it is received",
        "relay/receiver.pyx",
        "    store64(&head.commit, r.batch << 2 | (head.commit & 2))\n",
        "",
        REPLAY,
    ),
    Removal(
        "a batch is worked out beside what counts",
        "relay/receiver.pyx",
        "    cdef State *new = &head.states[0 if old == &head.states[1] else 1]\n",
        "    cdef State *new = old\n",
        REPLAY,
    ),
    Removal(
        "a batch that counts is done",
        "relay/receiver.pyx",
        "(0 if new == &head.states[0] else 2) | 1)",
        "(0 if new == &head.states[0] else 2))",
        REPLAY,
    ),
    Removal(
        "the quarantine ring has an end",
        "relay/aside.pxd",
        "    if at + aside_bytes(aside) - load64(&head.quarantine_read) > QUARANTINE_RING:\n"
        "        head.quarantine_missed += 1\n        return False\n",
        "",
        ("tests/relay/test_bounds.py",),
    ),
    Removal(
        "the quarantine file is bounded",
        "relay/quarantine.py",
        "            if self.path.exists() and self.path.stat().st_size + need > self.limit // 2:\n"
        "                self.path.replace(self.older)\n",
        "",
        ("tests/relay/test_quarantine.py",),
    ),
    Removal(
        "no link is followed",
        "relay/quarantine.py",
        "flags | os.O_NOFOLLOW",
        "flags",
        ("tests/relay/test_bounds.py",),
    ),
    Removal(
        "the decimator believes no block that was taken for another",
        "relay/decimator.pyx",
        " or load64(&block.serial) != trail.serial:\n        return skip_block(d)\n",
        ":\n        return skip_block(d)\n",
        ("tests/relay/test_bounds.py",),
        ("    return load64(&block.serial) == d.parts.head.trail.serial\n", "    return True\n"),
    ),
]

IN_THE_WRITER = [
    Removal(
        "a block that could not be written is cut off",
        "relay/container.pyx",
        "        c.uncut = cut_back(c, store) != 0\n",
        "",
        REPLAY,
        ("    return ESTALE if <uint64_t>found.st_size != size else 0\n", "    return 0\n"),
    ),
    Removal(
        "a successor cuts off what does not count",
        "relay/container.pyx",
        "    return error if error else cut_back(c, store)\n",
        "    return error\n",
        WRITER,
    ),
    Removal(
        "a segment that is deleted is followed by another",
        "relay/writer.pyx",
        "    return w.container.data >= 0 and check_segment(&w.container, current_store(&w.parts)) != 0\n",
        "    return False\n",
        WRITER,
    ),
    Removal(
        "after a failed fdatasync the file is not trusted",
        "relay/writer.pyx",
        "        store.failed_fsyncs += 1\n        store.suspect = 1\n",
        "        store.failed_fsyncs += 1\n",
        RESCUE,
        ("    commit_store(&w.parts)\n    if error:\n        save(w)\n", "    commit_store(&w.parts)\n"),
    ),
    Removal(
        "what a failed fdatasync did not cover is written again",
        "relay/writer.pyx",
        "    error = rescue(&w.parts, &w.container, w.scratch, w.parts.head.block_stride)\n",
        "    give_up(&w.parts, &w.container)\n    return 0\n",
        RESCUE,
    ),
    Removal(
        "the watermark waits for fdatasync",
        "relay/container.pyx",
        "    if fdatasync(c.data) < 0 or (seal and fdatasync(c.index) < 0):\n        return errno\n",
        "",
        RESCUE,
    ),
    Removal(
        "the folder is synced with a new segment",
        "relay/container.pyx",
        "renameat2(c.folder, ready, c.folder, name, 0) < 0 or (not c.shared and fsync(c.folder) < 0):\n",
        "renameat2(c.folder, ready, c.folder, name, 0) < 0:\n",
        REPLAY,
    ),
    Removal(
        "a segment is not renamed onto another",
        "relay/container.pyx",
        "renameat2(folder, old, folder, new, RENAME_NOREPLACE)",
        "renameat2(folder, old, folder, new, 0)",
        REPLAY,
    ),
    Removal(
        "a segment has records of one version of the schema",
        "relay/writer.pyx",
        "    return block.version != store.version or block.unit != store.unit or (\n",
        "    return (\n",
        ("tests/relay/test_versions.py",),
    ),
    Removal(
        "a disk that refuses is waited for",
        "relay/writer.pyx",
        "        if may_wait(w):\n",
        "        if False:\n",
        ("tests/relay/test_cli.py", "tests/relay/test_keeper.py"),
    ),
    Removal(
        "a torn tail is repaired",
        "relay/repair.py",
        "            done.append(mend(path, limited=True))\n",
        "            pass\n",
        ("tests/relay/test_cli.py", "tests/relay/test_repair.py"),
    ),
]

REMOVALS = [
    *IN_THE_WALK,
    *IN_THE_RECEIVER,
    *IN_THE_WRITER,
    *AROUND_THEM,
    *IN_HISTORY,
    *LIVE,
    *AT_THE_NETWORK,
    *IN_OPERATION,
]
