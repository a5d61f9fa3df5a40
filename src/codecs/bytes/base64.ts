/**
 * The bytes that a text spells in base64 as encoders write it (RFC 4648, section 4: padded, unused bits zero), so that one
 * text stands for them and no other; undefined for anything else, which `Buffer.from` would read as well as it can.
 */
export function findBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
