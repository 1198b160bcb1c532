"""What an Arrow IPC stream would take when unpacked, read from its messages before anything is unpacked.

A message is a flatbuffer: a table begins with the distance back to its vtable, which has the place of each field. Only the
few fields that tell sizes are read, each place checked to be inside the message.
"""

import struct

__all__ = ["unpacked_size"]

CONTINUES = 0xFFFFFFFF
MESSAGE_HEADER_TYPE, MESSAGE_HEADER, MESSAGE_BODY = 1, 2, 3  # fields of a Message
DICTIONARY, RECORDS = 2, 3  # its header types
DICTIONARY_DATA = 1  # a field of a DictionaryBatch: a RecordBatch
BUFFERS, COMPRESSION = 2, 3  # fields of a RecordBatch
U16, U32, I32, I64 = (struct.Struct(f"<{letter}") for letter in "HIiq")


def unpacked_size(data: bytes) -> int:
    """The bytes of all buffers of a stream. ValueError where it is cut off or not one."""
    at, total = 0, 0
    while at < len(data):
        word = _read(U32, data, at)
        at += 4
        if word == CONTINUES:
            word = _read(U32, data, at)
            at += 4
        if word == 0:
            return total
        message = data[at : at + word]
        if len(message) < word:
            raise ValueError("a message is cut off")
        at += word
        length, batch = _message(message)
        if not 0 <= length <= len(data) - at:
            raise ValueError("the body of a message is cut off")
        if batch is not None:
            total += _batch_size(message, batch, data, at, length)
        at += length
    return total


def _message(message: bytes) -> tuple[int, int | None]:
    """The length of a message's body, and where its RecordBatch is, if it has one."""
    table = _read(U32, message, 0)
    body = _field(message, table, MESSAGE_BODY)
    length = _read(I64, message, body) if body else 0
    kind = _field(message, table, MESSAGE_HEADER_TYPE)
    number = message[kind] if kind and kind < len(message) else 0
    header = _field(message, table, MESSAGE_HEADER)
    if number not in (DICTIONARY, RECORDS) or not header:
        return length, None
    batch = header + _read(U32, message, header)
    if number == DICTIONARY:
        inner = _field(message, batch, DICTIONARY_DATA)
        if not inner:
            return length, None
        batch = inner + _read(U32, message, inner)
    return length, batch


def _batch_size(message: bytes, batch: int, data: bytes, at: int, length: int) -> int:
    """The bytes that the buffers of a RecordBatch take; those of a compressed one say it in their first eight."""
    if not _field(message, batch, COMPRESSION):
        return length
    found = _field(message, batch, BUFFERS)
    if not found:
        return length
    vector = found + _read(U32, message, found)
    count = _read(U32, message, vector)
    if count * 16 > len(message):
        raise ValueError("more buffers than there is room for")
    total = 0
    for number in range(count):
        place = vector + 4 + 16 * number
        offset, size = _read(I64, message, place), _read(I64, message, place + 8)
        if not 0 <= offset <= length or not 0 <= size <= length - offset:
            raise ValueError("a buffer outside the body")
        if size >= 8:
            total += max(_read(I64, data, at + offset), size)
    return total


def _field(data: bytes, table: int, number: int) -> int:
    """Where a table's field is; 0 when it has none."""
    vtable = table - _read(I32, data, table)
    if vtable < 0:
        raise ValueError("a table without its vtable")
    if 4 + 2 * number + 2 > _read(U16, data, vtable):
        return 0
    offset: int = _read(U16, data, vtable + 4 + 2 * number)
    return table + offset if offset else 0


def _read(form: struct.Struct, data: bytes, at: int) -> int:
    try:
        if at < 0:
            raise ValueError("a place outside the message")
        value: int = form.unpack_from(data, at)[0]
    except struct.error:
        raise ValueError("a place outside the message") from None
    return value
