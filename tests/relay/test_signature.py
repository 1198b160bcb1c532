"""Fault 58: what is not signed by a channel's key, or was taken before, is refused; the hash behind it held against Python's."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from line import drain, make_spec, numbered, read_records, running, subscribe

from speeddata.plan import Plan
from speeddata.relay.doorbell import Doorbell
from speeddata.relay.mapping import Mapping
from speeddata.relay.signature import Signatures, add_signers, read_signers, sha256
from speeddata.schema import Schema
from speeddata.signing import Signer, key_id, make_key, read_key

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
KEYS = {key_id(KEY): KEY, key_id(OTHER): OTHER}
WINDOW = 64


@given(st.binary(max_size=300), st.booleans())
def test_the_hash_is_that_of_the_standard_library(data, plain):
    assert sha256(data, plain) == hashlib.sha256(data).digest()


@given(st.binary(max_size=1500), st.integers(0, 2**64 - 2), st.sampled_from([KEY, OTHER]))
def test_what_a_sender_signs_is_taken(packet, counter, key):
    assert Signatures("engine", KEYS).check(Signer("engine", key, counter).sign(packet)) == ""


@given(st.binary(max_size=100), st.data())
def test_fault_58_with_any_bit_another_a_signed_packet_is_refused(packet, data):
    signed = bytearray(Signer("engine", KEY).sign(packet))
    bit = data.draw(st.integers(0, 8 * len(signed) - 1))
    signatures = Signatures("engine", KEYS)
    signed[bit // 8] ^= 1 << bit % 8
    assert signatures.check(bytes(signed)) == "auth"
    signed[bit // 8] ^= 1 << bit % 8
    assert signatures.check(bytes(signed)) == "", "what was refused has used up no number"


@given(st.binary(max_size=100))
def test_fault_58_a_packet_without_a_right_trailer_is_refused(packet):
    signatures = Signatures("engine", {key_id(KEY): KEY})
    signed = Signer("engine", KEY).sign(packet)
    refused = [packet, signed[:-1], signed + b"\0", signed[len(packet) + 1 :], signed[-16:],
               Signer("engine", OTHER).sign(packet), Signer("roof", KEY).sign(packet)]  # fmt: skip
    assert {signatures.check(one) for one in refused} == {"auth"}


@settings(max_examples=200)
@given(st.integers(0, 2**64 - 400), st.lists(st.integers(0, 300), max_size=200))
def test_fault_58_in_any_order_each_number_is_taken_once_and_none_that_is_too_old(start, order):
    signed = [Signer("engine", KEY, start + n - 1).sign(b"x") for n in range(1, 302)]
    signatures = Signatures("engine", KEYS)
    taken: set[int] = set()
    for n in order:
        new = n not in taken and n > max(taken, default=-1) - WINDOW
        # Before the first, 0 is the newest: only numbers that no sender has are behind it.
        assert signatures.check(signed[n]) == ("" if new else "replay")
        taken |= {n} if new else set()


def test_a_keys_numbers_are_its_own():
    signatures = Signatures("engine", KEYS)
    assert [signatures.check(Signer("engine", key, 5).sign(b"")) for key in (KEY, OTHER, KEY)] == [
        "",
        "",
        "replay",
    ]


def test_what_cannot_be_a_channels_keys_is_refused():
    for keys in ({}, {n.to_bytes(4): KEY for n in range(65)}, {b"x": KEY}, {b"abcd": bytes(65)}):
        with pytest.raises(ValueError, match="wanted"):
            Signatures("engine", keys)


@pytest.fixture
def signed_spec(tmp_path):
    """A spec with two keys, and their signers."""
    paths = [make_key(tmp_path / "keys", name) for name in ("a", "b")]
    spec = make_spec(tmp_path, sign=[str(path) for path in paths])
    return spec, *(Signer("test", read_key(path)) for path in paths)


@pytest.mark.parametrize("framing", ["plain", "single_object"])
def test_fault_58_the_archive_has_the_records_and_the_full_rate_stream_the_packets(signed_spec, framing):
    spec, a, b = signed_spec
    spec["framing"] = framing
    frame = b"\xc3\x01" + Plan(Schema.parse(spec["schema"])).schema.fingerprint if framing != "plain" else b""
    packets = [signer.sign((frame + numbered(n)) * (n % 5 + 1)) for n in range(300) for signer in (a, b)]
    with subscribe(**spec["multicast"]["full_rate"]) as subscriber, running(spec) as line:
        line.send(*packets)
        stats = line.wait(forwarded=600, archived=1800)
        assert drain(subscriber) == packets
        assert stats["bytes"] == sum(map(len, packets))
        line.send(*packets[-100:])
        line.wait(rejected__replay=100, packets=600)
        assert {r["n"] for r in read_records(line.folder)} == set(range(300))
        assert len(read_records(line.folder)) == 1800


def test_fault_58_refused_packets_are_counted_once_each_and_who_sends_them_takes_no_place(signed_spec):
    spec, a, _ = signed_spec
    with running(spec) as line:
        good = a.sign(numbered(1))
        line.send(numbered(1), Signer("test", KEY).sign(numbered(1)), good[:-1], b"")
        stats = line.wait(rejected__auth=3, rejected__empty=1)
        assert line.mapping.sources() == []
        line.send(a.sign(b""), a.sign(b"\xff"), good, good)
        stats = line.wait(packets=1, rejected__replay=1, rejected__empty=2, rejected__short=1)
        assert sum(stats["rejected"].values()) == 7
        assert [(one["packets"], one["refused"]) for one in line.mapping.sources()] == [(1, 2)]


def test_a_channel_without_keys_takes_no_trailer(tmp_path):
    """Where its bytes are no records, as with this number: those of a quarter of all numbers are."""
    with running(make_spec(tmp_path)) as line:
        line.send(numbered(1), Signer("test", KEY, 0).sign(numbered(2)))
        line.wait(packets=1, rejected__trailing=1)
        assert read_signers(line.mapping) == {}


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_fault_58_a_successor_takes_nothing_again(signed_spec, batches):
    """Also where one between them was told of no keys: whichever copy of the State counts then has their numbers."""
    spec, a, _ = signed_spec
    packets = [a.sign(numbered(n)) for n in range(5)]
    with running(spec) as line:
        line.send(*packets)
        line.wait(packets=5, archived=5)
        line.stop()
        signatures, line.relay.signatures = line.relay.signatures, None
        start_anew(line)
        for n in range(batches):
            line.send(numbered(n))
            line.wait(packets=6 + n)
        line.stop()
        line.relay.signatures = signatures
        start_anew(line)
        line.send(*packets, a.sign(numbered(5)))
        line.wait(packets=6 + batches, rejected__replay=5)


def start_anew(line):
    """Start the threads again."""
    for name in ("receiver", "decimator", "writer"):
        line.relay.bells[name] = Doorbell()
    line.start()


def test_room_for_the_keys_of_one_channel_and_who_gives_way():
    mapping = Mapping.create("test", 65536, 1 << 20)
    ids = [n.to_bytes(4) for n in range(65)]
    add_signers(mapping, {one: n for n, one in enumerate(ids[:64])}, ids)
    add_signers(mapping, {ids[64]: 64}, set(ids) - {ids[7]})
    assert read_signers(mapping) == {one: n for n, one in enumerate(ids) if n != 7}
