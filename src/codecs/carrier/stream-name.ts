const SUFFIX = ':$DATA'

/** The name of an alternate stream as carriers store it: `:zone:$DATA` in UTF-16LE. */
export function encodeStreamName(name: string): Uint8Array {
  return Buffer.from(`:${name}${SUFFIX}`, 'utf16le')
}

/**
 * The plain name (`zone`) of a stored stream name; undefined when it is of another stream type, empty, no valid Unicode,
 * or holds what neither a file system nor a tar can express. Such a stream is kept verbatim in the frame.
 */
export function findStreamName(stored: Uint8Array): string | undefined {
  const text = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).toString('utf16le')
  if (!text.startsWith(':') || !text.endsWith(SUFFIX)) return undefined
  const name = text.slice(1, -SUFFIX.length)
  return isStreamName(name) ? name : undefined
}

/** True for a name that NTFS accepts for a stream: 1 to 255 units; control characters are legal but NUL. */
export function isStreamName(name: string): boolean {
  return name.length > 0 && name.length <= 255 && !/[\0:/\\]|\p{Surrogate}/u.test(name)
}
