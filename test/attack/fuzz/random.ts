/** Numbers that a seed decides: the same on every machine, so that a find can be told in a line. */
export class Random {
  /** Mutators give back what they get: what a parser's generator makes then is sound. */
  readonly isPlain: boolean = false
  #state: number

  constructor(...seeds: readonly (number | string)[]) {
    let state = 0x9e3779b9
    for (const seed of seeds)
      for (const byte of Buffer.from(`${seed}\n`)) state = Math.imul(state ^ byte, 0x01000193) + 0x7f4a7c15
    this.#state = state >>> 0
  }

  /** Numbers for what is not mutated. */
  static plain(...seeds: readonly (number | string)[]): Random {
    return Object.assign(new Random(...seeds), {isPlain: true})
  }

  /** 32 bits. Source: Mulberry32, Tommy Ettinger. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** From 0, below `end`. */
  int(end: number): number {
    return end <= 1 ? 0 : Math.floor((this.next() / 2 ** 32) * end)
  }

  chance(probability: number): boolean {
    return this.next() < probability * 2 ** 32
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.int(list.length)]
    if (found === undefined) throw new Error('nothing to pick from')
    return found
  }

  bytes(length: number): Buffer {
    const made = Buffer.alloc(length)
    for (let at = 0; at < length; at++) made[at] = this.next() & 0xff
    return made
  }

  /** One or few, seldom many. */
  few(): number {
    let count = 1
    while (count < 12 && this.chance(0.45)) count++
    return count
  }
}
