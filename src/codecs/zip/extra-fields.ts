/*
 * Extra fields behind a name in a zip: a number and a length each, in any order. Sources: PKWARE APPNOTE 6.3, sections
 * 4.5.1 to 4.5.3; msix-packaging, ZipObject.cpp, whose reader takes zip64 from them and passes over all others.
 */

const ZIP64 = 1
const HEAD_BYTES = 4
const MAX_UINT32 = 0xffffffff

/**
 * The numbers of a header, each from the zip64 field where its 32 bits are all ones. Times, owners and the like that other
 * makers put beside it are passed over, and so are zeros that only fill up. Throws what `fault` makes.
 */
export function widenSizes(
  narrow: readonly number[],
  extra: DataView,
  fault: (why: string) => Error,
): readonly bigint[] {
  const zip64 = findZip64(extra, fault)
  let at = 0
  return narrow.map((value) => {
    if (value !== MAX_UINT32) return BigInt(value)
    if (zip64 === undefined || at + 8 > zip64.byteLength) throw fault('has an invalid zip64 extra field.')
    at += 8
    return zip64.getBigUint64(at - 8, true)
  })
}

function findZip64(extra: DataView, fault: (why: string) => Error): DataView | undefined {
  let found: DataView | undefined
  for (let at = 0; at < extra.byteLength;) {
    if (isFilling(extra, at)) break
    const length = at + HEAD_BYTES > extra.byteLength ? Infinity : extra.getUint16(at + 2, true)
    if (at + HEAD_BYTES + length > extra.byteLength) throw fault('has an extra field that is cut off.')
    if (extra.getUint16(at, true) === ZIP64) {
      if (found !== undefined) throw fault('has its zip64 field twice.')
      found = new DataView(extra.buffer, extra.byteOffset + at + HEAD_BYTES, length)
    }
    at += HEAD_BYTES + length
  }
  return found
}

/** Tools that place data on a round offset fill up with zeros. */
function isFilling(extra: DataView, from: number): boolean {
  for (let at = from; at < extra.byteLength; at++) if (extra.getUint8(at) !== 0) return false
  return true
}
