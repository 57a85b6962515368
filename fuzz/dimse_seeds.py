"""Writes the seeds of what peers say: fuzz/corpus/{association,commitment,dimse}.

Made with Python 3.11.7 and nothing else.

    python fuzz/dimse_seeds.py

A seed of `association` is what a peer says from its first byte on (PS3.8), one of `dimse` is a command set (PS3.7),
and one of `commitment` is a byte (the event, and 128 for an explicit VR) before a report (PS3.4, J.3.3).
"""

import struct
from pathlib import Path

HERE = Path(__file__).parent
NUCLEAR_MEDICINE = b"1.2.840.10008.5.1.4.1.1.20"
COMMITMENT = b"1.2.840.10008.1.20.1"
VERIFICATION = b"1.2.840.10008.1.1"
IMPLICIT = b"1.2.840.10008.1.2"
EXPLICIT = b"1.2.840.10008.1.2.1"
INSTANCE = b"2.25.1234"


def item(kind, contents):
    return bytes([kind, 0]) + struct.pack(">H", len(contents)) + contents


def pdu(kind, contents):
    return bytes([kind, 0]) + struct.pack(">I", len(contents)) + contents


def even(text):
    return text + b"\0" * (len(text) % 2)


def context(number, sop_class, syntaxes):
    syntaxes = b"".join(item(0x40, syntax) for syntax in syntaxes)
    return item(0x20, bytes([number, 0, 0, 0]) + item(0x30, sop_class) + syntaxes)


def request(contexts, more=b""):
    user = item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3") + item(0x55, b"SEED") + more
    titles = b"ATTRIUM".ljust(16) + b"SCANNER".ljust(16)
    application = item(0x10, b"1.2.840.10008.3.1.1.1")
    items = application + b"".join(contexts) + item(0x50, user)
    return pdu(1, struct.pack(">HH", 1, 0) + titles + bytes(32) + items)


def fragment(number, control, contents):
    return struct.pack(">I", len(contents) + 2) + bytes([number, control]) + contents


def data(number, control, contents):
    return pdu(4, fragment(number, control, contents))


def element(number, value):
    return b"\0\0" + struct.pack("<HI", number, len(value)) + value


def command(field, message, has_data, more=()):
    elements = dict(more)
    elements[0x0100] = struct.pack("<H", field)
    elements[0x0110] = struct.pack("<H", message)
    elements[0x0800] = struct.pack("<H", 1 if has_data else 0x0101)
    group = b"".join(element(number, elements[number]) for number in sorted(elements))
    return element(0, struct.pack("<I", len(group))) + group


def uid(number, text, explicit):
    text = even(text)
    length = b"UI" + struct.pack("<H", len(text)) if explicit else struct.pack("<I", len(text))
    return struct.pack("<HH", 8, number) + length + text


def sequence(number, items, explicit, undefined):
    def length(contents):
        return struct.pack("<I", 0xFFFFFFFF if undefined else len(contents))

    contents = b""
    for one in items:
        contents += b"\xfe\xff\x00\xe0" + length(one) + one
        contents += b"\xfe\xff\x0d\xe0\0\0\0\0" if undefined else b""
    end = b"\xfe\xff\xdd\xe0\0\0\0\0" if undefined else b""
    kind = b"SQ\0\0" if explicit else b""
    return struct.pack("<HH", 8, number) + kind + length(contents) + contents + end


def report(explicit, undefined, failed):
    one = uid(0x1150, NUCLEAR_MEDICINE, explicit) + uid(0x1155, INSTANCE, explicit)
    reason = b"\x08\0\x97\x11" + (b"US\x02\0" if explicit else b"\x02\0\0\0") + b"\x12\x01"
    told = uid(0x1195, b"2.25.77", explicit)
    if failed:
        told += sequence(0x1198, [one + reason], explicit, undefined)
    return told + sequence(0x1199, [one, one], explicit, undefined)


def write(name, contents):
    path = HERE / "corpus" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(contents)


def main():
    push_model = [(0x0002, even(COMMITMENT)), (0x1000, even(COMMITMENT + b".1"))]
    echo = command(0x0030, 1, False, [(0x0002, even(VERIFICATION))])
    named = [(0x0002, even(NUCLEAR_MEDICINE)), (0x1000, even(INSTANCE)), (0x0700, b"\0\0")]
    store = command(0x0001, 2, True, named)
    event = command(0x0100, 3, True, [*push_model, (0x1002, b"\1\0")])
    requested = [(0x0003, even(COMMITMENT)), (0x1001, even(COMMITMENT + b".1"))]
    action = command(0x0130, 5, True, [*requested, (0x1008, b"\1\0")])
    response = element(0x0100, b"\1\x80") + element(0x0120, b"\2\0")
    response += element(0x0800, b"\1\1") + element(0x0900, b"\0\xa7")
    contents = b"\x08\0\x18\0UI\x0a\0" + even(INSTANCE) + b"\x28\0\x10\0US\x02\0\x80\0"
    contexts = [context(1, VERIFICATION, [IMPLICIT]), context(3, NUCLEAR_MEDICINE, [EXPLICIT, IMPLICIT])]
    storing, release = request(contexts), pdu(5, bytes(4))
    write("association/echo", storing + data(1, 3, echo) + release)
    parts = data(3, 3, store) + data(3, 0, contents[:10]) + data(3, 2, contents[10:])
    write("association/store", storing + parts + release)
    pieces = fragment(3, 1, store[:30]) + fragment(3, 3, store[30:]) + fragment(3, 2, contents)
    again = fragment(3, 3, store) + fragment(3, 2, contents)
    write("association/pieces", storing + pdu(4, pieces + again) + release)
    role = item(0x54, struct.pack(">H", len(COMMITMENT)) + COMMITMENT + b"\0\1")
    reporting = request([context(1, COMMITMENT, [IMPLICIT, EXPLICIT])], role)
    told = data(1, 3, event) + data(1, 2, report(True, False, False))
    write("association/report", reporting + told + pdu(7, bytes(4)))
    find = data(3, 3, command(0x0020, 4, True)) + data(3, 2, contents)
    cancel = data(3, 3, command(0x0FFF, 4, False))
    write("association/find", storing + find + cancel + release)
    write("association/stranger", b"GET / HTTP/1.1\r\n\r\n")
    for name, seed in [("echo", echo), ("store", store), ("action", action), ("response", response)]:
        write(f"dimse/{name}", seed)
    write("commitment/implicit", b"\x01" + report(False, False, False))
    write("commitment/explicit", b"\x81" + report(True, True, False))
    write("commitment/failed", b"\x82" + report(True, False, True))
    write("commitment/failed_implicit", b"\x02" + report(False, True, True))


main()
