/** From Node 22 on. */
type Transferable = ArrayBuffer & {readonly transfer?: (newByteLength: number) => ArrayBuffer}

/**
 * Gives back the memory of bytes that nobody will read again, now and not when V8 looks for garbage, which with Node 24 it
 * does only after some 50 MiB of them. `ownBytes`: what their memory was asked for with; memory of another size is shared
 * with other bytes, such as Node's pool for small buffers, and stays.
 */
export function letGo({buffer}: Uint8Array, ownBytes: number): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === ownBytes) (buffer as Transferable).transfer?.(0)
}
