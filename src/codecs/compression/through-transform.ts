import type {Transform} from 'node:stream'
import {pipeline} from 'node:stream/promises'

/**
 * A stream sent through a Node transform. An error of the source comes out unchanged; leaving early closes the source
 * and the transform.
 */
export async function* throughTransform(
  body: AsyncIterable<Uint8Array>,
  transform: Transform,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let failure: {readonly error: unknown} | undefined
  const pumping = pipeline(copied(body), transform, signal === undefined ? {} : {signal}).catch((error: unknown) => {
    failure = {error}
  })
  let isComplete = false
  try {
    for await (const chunk of transform as AsyncIterable<Uint8Array>) yield chunk
    isComplete = true
  } catch (error) {
    failure ??= {error}
  } finally {
    // A transform that nobody reads any more would hold its source open for good.
    if (!isComplete) transform.destroy()
    await pumping
  }
  if (failure !== undefined) throw failure.error
}

/** A transform may hold a chunk beyond its turn, and chunks need not outlive theirs. */
async function* copied(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) yield Uint8Array.from(chunk)
}
