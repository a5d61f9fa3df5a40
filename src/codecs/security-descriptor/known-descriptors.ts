import {requireDescriptor} from './require-descriptor.js'

/*
 * A layer has tens of thousands of entries and a few dozen security descriptors, so what is found out about one is
 * remembered: that it is sound, and its base64, which tars hold.
 */

/** Kept at most; past that all are forgotten. */
const MAX_KNOWN = 1024
/** Larger ones are looked at each time. */
const MAX_KNOWN_BYTES = 4096

/** Base64 of sound descriptors, by their bytes as characters. */
const texts = new Map<string, string>()
/** Sound descriptors by their base64. */
const descriptors = new Map<string, Uint8Array>()

function remember<Value>(known: Map<string, Value>, key: string, value: Value): Value {
  if (known.size >= MAX_KNOWN) known.clear()
  known.set(key, value)
  return value
}

function asBuffer({buffer, byteOffset, byteLength}: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

/** `requireDescriptor`, once for equal bytes. */
export function requireKnownDescriptor(bytes: Uint8Array): void {
  if (bytes.byteLength > MAX_KNOWN_BYTES) {
    requireDescriptor(bytes)
    return
  }
  const buffer = asBuffer(bytes)
  const key = buffer.toString('latin1')
  if (texts.has(key)) return
  requireDescriptor(bytes)
  remember(texts, key, buffer.toString('base64'))
}

/** The base64 of a descriptor. */
export function descriptorText(bytes: Uint8Array): string {
  const buffer = asBuffer(bytes)
  const known = bytes.byteLength > MAX_KNOWN_BYTES ? undefined : texts.get(buffer.toString('latin1'))
  return known ?? buffer.toString('base64')
}

/** The descriptor of a base64 text, which is the one `read` gave for an equal text. It must not be changed. */
export function knownDescriptor(text: string, read: (text: string) => Uint8Array): Uint8Array {
  const known = descriptors.get(text)
  if (known !== undefined) return known
  const bytes = read(text)
  return bytes.byteLength > MAX_KNOWN_BYTES ? bytes : remember(descriptors, text, bytes)
}
