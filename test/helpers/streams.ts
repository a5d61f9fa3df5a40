/** The items one by one. */
// eslint-disable-next-line @typescript-eslint/require-await
export async function* streamOf<T>(...items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

/** The items, and then an error. */
export async function* breakingOff<T = never>(error: Error, ...items: readonly T[]): AsyncGenerator<T> {
  yield* streamOf(...items)
  throw error
}
