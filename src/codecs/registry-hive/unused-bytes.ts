const BASE_BLOCK_BYTES = 4096
const BIN_HEADER_BYTES = 32
const CELL_HEADER_BYTES = 4

/**
 * Which bytes of a hive file no key or value can lie in: those of its free cells, behind their length. Of a hive whose
 * bins are damaged, none from there on. Source: sections 1.2 and 1.3 of the registry hive format page.
 */
export function unusedBytes(hive: Buffer): (offset: number) => boolean {
  const free: {readonly from: number; readonly to: number}[] = []
  let bin = BASE_BLOCK_BYTES
  while (bin + BIN_HEADER_BYTES <= hive.byteLength && hive.toString('latin1', bin, bin + 4) === 'hbin') {
    const end = bin + hive.readUInt32LE(bin + 8) // 8  size of the bin, bytes
    if (end <= bin || end > hive.byteLength) break
    for (let cell = bin + BIN_HEADER_BYTES; cell + CELL_HEADER_BYTES <= end;) {
      const stated = hive.readInt32LE(cell) // 0  size of the cell, negative while it is in use
      const size = Math.abs(stated)
      if (size < 8 || cell + size > end) break
      if (stated > 0) free.push({from: cell + CELL_HEADER_BYTES, to: cell + size})
      cell += size
    }
    bin = end
  }
  let at = 0
  return (offset) => {
    // Asked in ascending order mostly: what lies before is left behind.
    if (offset < (free[at - 1]?.to ?? 0)) at = 0
    while (at < free.length && (free[at]?.to ?? 0) <= offset) at++
    return offset >= (free[at]?.from ?? Infinity)
  }
}
