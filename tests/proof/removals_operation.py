"""What is taken away from the doors, from those who see that everything goes on, and from the registry."""

from removal import Removal

DOOR = "tests/registry/test_door.py"
ACCESS = "tests/lib/test_access.py"
TOKENS = "tests/lib/test_tokens.py"
HEADS = ("tests/pivot/test_connection.py::test_fault_66_a_head_without_end_is_not_kept",)
WATCH = "tests/relay/test_watch.py"
REPLACED = "tests/relay/test_replacement.py"
EVENTS = "tests/registry/test_events.py"

IN_OPERATION = [
    Removal(
        "no page of elsewhere changes anything",
        "registry/door.py",
        '        if flask.request.method not in READING and origin not in (None, flask.request.host_url.rstrip("/")):\n',
        "        if False:\n",
        (f"{DOOR}::test_fault_75_no_page_of_elsewhere_changes_anything",),
    ),
    Removal(
        "who asks says who they are",
        "registry/door.py",
        "        if refusal is None:\n            return None\n        if refusal.status",
        "        if True:\n            return None\n        if refusal.status",
        (f"{DOOR}::test_fault_87_without_a_token_nothing_is_told_or_done",),
    ),
    Removal(
        "who asks the history says who they are",
        "pivot/gate.py",
        "            if refusal is not None:\n",
        "            if False:\n",
        ("tests/pivot/test_gate.py::test_who_may_is_let_through",),
    ),
    Removal(
        "a role is held to",
        "lib/access.py",
        "        if not grant.may(role):\n",
        "        if False:\n",
        (f"{ACCESS}::test_a_role_may_what_those_before_it_may", f"{DOOR}::test_a_role_is_held_to"),
    ),
    Removal(
        "a session ends",
        "lib/access.py",
        "loads(value, max_age=SESSION_S)",
        "loads(value)",
        (f"{ACCESS}::test_a_session_ends",),
    ),
    Removal(
        "a session ends with its token",
        "lib/access.py",
        "        if known is None or not hmac.compare_digest(known.sha256[:16], str(mark)):\n            return None\n",
        "        if known is None:\n            return None\n",
        (f"{ACCESS}::test_a_revoked_token_and_its_sessions_are_none",),
    ),
    Removal(
        "a file that others can read has no token in force",
        "lib/tokens.py",
        "        if status.st_mode & 0o077:\n",
        "        if False:\n",
        (f"{TOKENS}::test_fault_87_a_file_that_others_can_read_is_refused",),
    ),
    Removal(
        "a link is no file of tokens",
        "lib/tokens.py",
        "os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK",
        "os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK",
        (f"{TOKENS}::test_a_link_or_a_pipe_is_no_file_of_tokens",),
    ),
    Removal(
        "what others can reach wants a token",
        "relay/entrance.py",
        "        if addresses and not known:\n",
        "        if False:\n",
        ("tests/relay/test_entrance.py::test_fault_87_beyond_it_a_token_is_needed",),
    ),
    Removal(
        "the head of a request has an end",
        "pivot/connection.py",
        "        if self._head_bytes is not None and self._head_bytes > HEAD_BYTES:\n",
        "        if False:\n",
        HEADS,
    ),
    Removal(
        "packets are taken from those on the list",
        "relay/intake.pyx",
        "    if not d.admitted:\n",
        "    if False:\n",
        ("tests/relay/test_sources.py",),
    ),
    Removal(
        "a keeper that hangs is ended",
        "relay/watch.py",
        "        elif now - self._answered > KEEPER_LIMIT_S:\n",
        "        elif False:\n",
        (f"{WATCH}::test_fault_30_a_keeper_that_lives_and_does_not_answer_is_ended",),
    ),
    Removal(
        "who was stopped himself ends no keeper",
        "relay/watch.py",
        "        if now - self._looked > 3 * LOOK_S:\n",
        "        if False:\n",
        (f"{WATCH}::test_fault_30_a_keeper_that_lives_and_does_not_answer_is_ended",
         f"{WATCH}::test_fault_30_waiting_for_the_keeper_is_not_being_stopped_oneself"),
    ),
    Removal(
        "a relay that died is told of",
        "relay/watch.py",
        "        if deaths > self._deaths.get(name, deaths):\n",
        "        if False:\n",
        (f"{WATCH}::test_a_relay_that_died_is_noted_though_the_next_one_went_on_at_once",),
    ),
    Removal(
        "a relay that takes no packets is replaced",
        "relay/keeper.py",
        "            charge.kill_stuck()\n",
        "            pass\n",
        (f"{REPLACED}::test_fault_30_a_relay_that_takes_no_packets_is_replaced_and_they_are_kept",),
    ),
    Removal(
        "a keeper that was stopped itself replaces nobody",
        "relay/charge.py",
        "or was_away or",
        "or",
        (f"{REPLACED}::test_fault_65_a_keeper_that_was_stopped_itself_replaces_nobody",),
    ),
    Removal(
        "a look at relays that goes wrong is not the last",
        "relay/keeper.py",
        "            self._try(partial(self._look_at, charge, found, now, was_away=was_away))\n",
        "            self._look_at(charge, found, now, was_away=was_away)\n",
        (f"{REPLACED}::test_a_look_at_relays_that_goes_wrong_is_neither_the_last_nor_that_of_others",),
    ),
    Removal(
        "a service that gives no sign of life is replaced",
        "relay/supervisor.py",
        "            elif now - watch.beaten > watch.service.silent_s:\n",
        "            elif False:\n",
        ("tests/relay/test_supervisor.py::test_fault_30_a_service_that_gives_no_sign_of_life_any_more_is_replaced",),
    ),
    Removal(
        "who was stopped himself replaces no service",
        "relay/supervisor.py",
        "            if was_away:  # we were stopped ourselves, and do not know\n",
        "            if False:\n",
        ("tests/relay/test_supervisor.py::test_fault_65_who_was_stopped_himself_kills_nobody",),
    ),
    Removal(
        "events that cannot be written are kept",
        "registry/events.py",
        "                self._take_back(noted)\n",
        "                pass\n",
        (f"{EVENTS}::test_what_cannot_be_written_is_kept_for_later",),
    ),
    Removal(
        "a schema reads what was recorded",
        "registry/schema_versions.py",
        "        if not force:\n",
        "        if False:\n",
        ("tests/registry/test_compatibility.py",),
    ),
    Removal(
        "what was said before is not said again",
        "relay/log_collector.py",
        "self._told.pop(status.st_ino, 0)",
        "0",
        ("tests/relay/test_log_collector.py",),
    ),
    Removal(
        "what a file says does nothing to a terminal",
        "lib/archive_commands.py",
        "one if one.isprintable() else repr(one)[1:-1] for one in text",
        "one for one in text",
        ("tests/lib/test_tail_view.py",),
    ),
]  # fmt: skip
