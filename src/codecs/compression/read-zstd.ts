import {Decompress} from 'fzstd'
import type {Transform} from 'node:stream'
import * as zlib from 'node:zlib'
import {throughTransform} from './through-transform.js'
import {zstdFrames} from './zstd-frames.js'

/** A few bytes of zstd can stand for 128 KiB; feeding little at a time bounds what one step gives out. */
const STEP_BYTES = 4096

/** Node has zstd from 22.15 on; older versions have neither the function nor its type. */
export function findNodeZstd(
  name: 'createZstdDecompress' | 'createZstdCompress',
): ((options?: object) => Transform) | undefined {
  const found: unknown = Reflect.get(zlib, name)
  return typeof found === 'function' ? (found as (options?: object) => Transform) : undefined
}

/** Decodes all frames of zstd by Node where it can, else in JavaScript. */
export async function* readZstd(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const create = findNodeZstd('createZstdDecompress')
  const frames = zstdFrames(body)
  yield* create === undefined ? inJavaScript(frames) : throughTransform(frames, create(), signal)
}

async function* inJavaScript(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = []
  const decoder = new Decompress((data) => {
    if (data.byteLength > 0) ready.push(data)
  })
  for await (const chunk of body) {
    for (let at = 0; at < chunk.byteLength; at += STEP_BYTES) {
      decoder.push(Uint8Array.from(chunk.subarray(at, at + STEP_BYTES)))
      yield* ready.splice(0)
    }
  }
  decoder.push(new Uint8Array(), true)
  yield* ready.splice(0)
}
