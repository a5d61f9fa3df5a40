/** Text of a GUID as it lies in memory: three little-endian numbers, then bytes. Source: guiddef.h. */
export function formatGuid(bytes: Uint8Array): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, 16)
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
  return [
    hex(view.readUInt32LE(0), 8), //  0  Data1
    hex(view.readUInt16LE(4), 4), //  4  Data2
    hex(view.readUInt16LE(6), 4), //  6  Data3
    view.toString('hex', 8, 10), //   8  Data4
    view.toString('hex', 10, 16), // 10
  ].join('-')
}

/** The inverse, of a text that `formatGuid` made. */
export function encodeGuid(text: string): Buffer {
  const digits = Buffer.from(text.replaceAll('-', ''), 'hex')
  return Buffer.concat([
    digits.subarray(0, 4).reverse(),
    digits.subarray(4, 6).reverse(),
    digits.subarray(6, 8).reverse(),
    digits.subarray(8),
  ])
}
