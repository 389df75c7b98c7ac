# SPDX-License-Identifier: Apache-2.0
"""A Modbus TCP device made of pymodbus' simulator: `modbus_device.py PORT`.

Writes one line `unit function address count` a request to standard output. The register contents
are packed by Python's struct, so that encoder and decoder under test do not share code.
"""

import asyncio
import struct
import sys
from functools import partial

from pymodbus.constants import ExcCodes
from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

# Type, struct format, value: at holding register 100 + 40 * order + 4 * row.
ROWS = [
    ("int16", ">h", -12345),
    ("uint16", ">H", 54321),
    ("int32", ">i", -123456789),
    ("uint32", ">I", 3123456789),
    ("int64", ">q", -1234567890123456789),
    ("uint64", ">Q", 9234567890123456789),
    ("float32", ">f", 21.625),
    ("float64", ">d", -2.718281828459045),
]
BROKEN = 300  # Answers with exception 04.


def words(data, order):
    out = [data[i : i + 2] for i in range(0, len(data), 2)]
    if order in ("CDAB", "DCBA"):
        out.reverse()
    if order in ("BADC", "DCBA"):
        out = [w[::-1] for w in out]
    return [int.from_bytes(w, "big") for w in out]


def registers(address, values):
    return SimData(address, values=values, datatype=DataType.REGISTERS)


def holding():
    blocks = [registers(0, [0] * 20)]
    for o, order in enumerate(("ABCD", "CDAB", "BADC", "DCBA")):
        for row, (_, form, value) in enumerate(ROWS):
            blocks.append(registers(100 + 40 * o + 4 * row, words(struct.pack(form, value), order)))
    blocks.append(registers(BROKEN, [1]))
    blocks.append(registers(310, words(b"pump-7\0\0", "ABCD")))
    # 403 is missing: a read across it is refused.
    blocks.append(registers(400, [11, 12, 13]))
    blocks.append(registers(404, [14, 15]))
    return blocks


async def action(unit, function, _start, address, count, _registers, _values):
    print(unit, function, address, count, flush=True)
    if function == 3 and address <= BROKEN < address + count:
        return ExcCodes.DEVICE_FAILURE
    if unit == 2 and function == 22:
        return ExcCodes.ILLEGAL_FUNCTION
    return None


def device(unit):
    bits = [i % 3 == 0 for i in range(32)]
    return SimDevice(
        id=unit,
        use_bit_addressing=True,
        action=partial(action, unit),
        simdata=(
            [SimData(0, values=bits, datatype=DataType.BITS)],
            [SimData(0, values=[not b for b in bits], datatype=DataType.BITS)],
            holding(),
            [registers(0, [7, 8, 0x8001])],
        ),
    )


if __name__ == "__main__":
    asyncio.run(StartAsyncTcpServer([device(1), device(2)], address=("127.0.0.1", int(sys.argv[1]))))
